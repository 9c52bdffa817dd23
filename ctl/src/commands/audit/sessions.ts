import { AuditSessionList, type AuditSession } from '@mcpg/proto/rest/audit'
import { auditPath, timeOf } from '../../api/audit.ts'
import type { Context } from '../../context.ts'
import { relative } from '../../output/age.ts'
import { table } from '../../output/table.ts'

export type SessionsOptions = { actor?: string; since?: string; until?: string; limit: number }

/** What clients did, by session. */
export async function run(context: Context, _args: string[], { actor, since, until, limit }: SessionsOptions): Promise<void> {
  const { settings, print, say } = context
  const query = { actor, since: since && timeOf('--since', since), until: until && timeOf('--until', until), limit }
  const api = await context.api()
  const { body } = await api.call('GET', `${auditPath(settings, {})}/sessions`, { query, schema: AuditSessionList })
  switch (settings.output) {
    case 'json':
      return print(JSON.stringify(body, null, 2))
    case 'ndjson':
      return body.items.forEach((session) => print(JSON.stringify(session)))
    case 'yaml':
      return print((await import('../../manifest/print-form.ts')).toYaml(body).trimEnd())
    case 'name':
      return body.items.forEach(({ session }) => session !== undefined && print(session))
    default:
      printTable(body.items, print)
      if (body.items.length === 0) say('no sessions found')
  }
}

function printTable(items: AuditSession[], print: (line: string) => void): void {
  if (items.length === 0) return
  const header = ['last', 'actor', 'client', 'gateway', 'calls', 'failed', 'denied', 'session']
  const rows = items.map(({ lastAt, actor, client = '', gateway, calls, failed, denied, session = '' }) => [
    relative(lastAt),
    actor,
    client,
    gateway,
    ...[calls, failed, denied].map(String),
    session,
  ])
  table(header, rows).forEach((line) => print(line))
}
