import { McpgError } from '@mcpg/proto/errors'
import { ControlStatus } from '@mcpg/proto/rest/control'
import type { Context } from '../context.ts'
import { databaseLine, failedInspection, inspectDatabase, inspectionLine } from '../local/database.ts'
import { findControlPlane, listGateways } from '../local/run-files.ts'
import { relative, span } from '../output/age.ts'
import { pairs, table } from '../output/table.ts'

type StatusOptions = { databaseUrl?: string; databaseUrlFile?: string }

/** Answers with the control plane down, too: then only what this machine knows, and the database that is named. */
export async function run(context: Context, _args: string[], options: StatusOptions): Promise<void> {
  const { settings, print } = context
  const local = { controlPlane: await findControlPlane(settings.stateDir), gateways: await listGateways(settings.stateDir) }
  const { status, error, url } = await remoteStatus(context)
  const database = status ? null : await inspectDatabase(context, options).catch((failure: unknown) => failedInspection(failure))
  const all = {
    stateDir: settings.stateDir,
    ...local,
    url,
    status,
    ...(error ? { error: error.message } : {}),
    ...(database ? { database } : {}),
  }
  if (settings.output === 'json') return print(JSON.stringify(all, null, 2))
  if (settings.output === 'yaml') return print((await import('../manifest/print-form.ts')).toYaml(all).trimEnd())
  print(`state dir: ${settings.stateDir}\n`)
  const processes = [
    ...(local.controlPlane ? [{ name: 'control plane', ...local.controlPlane }] : []),
    ...local.gateways.map((gateway) => ({ ...gateway, name: `gateway ${gateway.name}` })),
  ]
  const rows = processes.map(({ name, pid, version, startedAt, endpoints }) => [
    name,
    'running',
    String(pid),
    version,
    relative(startedAt),
    labeled(endpoints),
  ])
  if (!local.controlPlane) rows.unshift(['control plane', 'not running', '', '', '', ''])
  table(['program', 'state', 'pid', 'version', 'started', 'endpoints'], rows).forEach((line) => print(line))
  print('')
  if (status) statusLines(status, url).forEach((line) => print(line))
  else print(`control plane at ${url}: ${error?.message ?? 'no answer'}`)
  if (database) print(`database: ${'error' in database ? database.error : inspectionLine(database)}`)
}

const endpointNames: Record<string, string> = { http: 'REST', grpc: 'gateways', mcp: 'MCP' }

/** REST and console are one address nearly always, and then stand there once. */
function labeled({ console: page, ...others }: Record<string, string>): string {
  const isOne = page !== undefined && page === others['http']
  const all = Object.entries(others).map(
    ([name, url]) => `${isOne && name === 'http' ? 'REST+console' : (endpointNames[name] ?? name)} ${url}`,
  )
  return [...(page && !isOne ? [`console ${page}`] : []), ...all].join('  ')
}

function statusLines({ version, uptimeSeconds, authMode, database, gateways, servers }: ControlStatus, url: string): string[] {
  return pairs([
    ['control plane', `${version} at ${url}, up ${span(Math.round(uptimeSeconds))}`],
    ['sign-in', authMode],
    ['gateways', `${gateways.online} online of ${gateways.total}`],
    ['servers', String(servers)],
    ['database', databaseLine(database)],
    [
      'rows',
      Object.entries(database.rows)
        .map(([name, count]) => `${name} ${count}`)
        .join(', '),
    ],
  ])
}

async function remoteStatus(context: Context): Promise<{ url: string; status: ControlStatus | null; error?: McpgError }> {
  const api = await context.api()
  try {
    const { body } = await api.call('GET', '/v1/control/status', { schema: ControlStatus, timeoutMs: 5000 })
    return { url: api.url, status: body }
  } catch (error) {
    if (error instanceof McpgError) return { url: api.url, status: null, error }
    throw error
  }
}
