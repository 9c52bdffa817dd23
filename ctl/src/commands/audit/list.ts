import { AuditList, type AuditEntry } from '@mcpg/proto/rest/audit'
import { auditPath, filterOf, type AuditFilterOptions, type AuditPlace } from '../../api/audit.ts'
import type { Context } from '../../context.ts'
import { relative } from '../../output/age.ts'
import { table } from '../../output/table.ts'

export type ListOptions = AuditPlace & AuditFilterOptions & { limit: number }

/** The newest entries, newest first. */
export async function run(context: Context, _args: string[], { limit, ...options }: ListOptions): Promise<void> {
  const { settings, print, say } = context
  const query = filterOf(options)
  const api = await context.api()
  const items: AuditEntry[] = []
  let cursor: string | undefined
  do {
    const page = { ...query, limit: Math.min(500, limit - items.length), cursor }
    const { body } = await api.call('GET', auditPath(settings, options), { query: page, schema: AuditList })
    items.push(...body.items)
    cursor = body.nextCursor
  } while (cursor !== undefined && items.length < limit)
  switch (settings.output) {
    case 'json':
      return print(JSON.stringify({ items }, null, 2))
    case 'ndjson':
      return items.forEach((entry) => print(JSON.stringify(entry)))
    case 'yaml':
      return print((await import('../../manifest/print-form.ts')).toYaml({ items }).trimEnd())
    case 'name':
      return items.forEach(({ id }) => print(`audit/${id}`))
    default:
      printTable(items, settings.output === 'wide', print)
      if (items.length === 0) say('no entries found')
      else if (cursor !== undefined) say(`only the newest ${items.length}; more with --limit, all with mcpg-ctl audit export`)
  }
}

function printTable(items: AuditEntry[], isWide: boolean, print: (line: string) => void): void {
  if (items.length === 0) return
  const header = [
    'at',
    'actor',
    'action',
    'target',
    ...(isWide ? ['workspace', 'source', 'gateway', 'outcome', 'request id', 'seq', 'id'] : []),
  ]
  const rows = items.map((entry) => [
    isWide ? entry.at : relative(entry.at),
    actorOf(entry),
    entry.action,
    targetOf(entry),
    ...(isWide
      ? [
          entry.workspace ?? '',
          entry.source ?? '',
          entry.gateway ?? '',
          String(entry.detail?.['outcome'] ?? ''),
          entry.requestId ?? '',
          entry.seq === undefined ? 'not sealed' : `${entry.seq}`,
          entry.id,
        ]
      : []),
  ])
  table(header, rows).forEach((line) => print(line))
}

/** Whom a gateway did not ask to prove who they are is shown as what the client says of itself. */
function actorOf({ actor, actorName, impersonator, verified, detail }: AuditEntry): string {
  if (actorName !== undefined) return `gateway/${actorName}`
  if (impersonator !== undefined) return `${actor} (by ${impersonator})`
  const client = detail?.['client']
  return verified === false && typeof client === 'string' ? `${actor} (says ${client})` : actor
}

/** What was called stands in the detail, as the names of tools are the server's own. */
function targetOf({ kind, name, gateway, detail }: AuditEntry): string {
  const target = [kind?.toLowerCase(), name].filter((word) => word !== undefined).join('/')
  const called = gateway === undefined ? undefined : detail?.['target']
  return [target, called].filter((word) => typeof word === 'string' && word !== '').join(' ')
}
