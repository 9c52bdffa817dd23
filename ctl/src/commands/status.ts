import { McpgError } from '@mcpg/proto/errors'
import { AuthStatus, type AuthMode, type License } from '@mcpg/proto/rest/auth'
import { ControlStatus } from '@mcpg/proto/rest/control'
import type { Api } from '../api/client.ts'
import type { Context } from '../context.ts'
import { databaseLine, failedInspection, inspectDatabase, inspectionLine } from '../local/database.ts'
import { findControlPlane, listGateways } from '../local/run-files.ts'
import { relative, span } from '../output/age.ts'
import { pairs, table } from '../output/table.ts'
import { personOf, readCredential, type Credential } from '../sign-in/credentials.ts'
import { licenseText } from '../sign-in/license-text.ts'
import { whoAmI } from '../sign-in/who-am-i.ts'

type StatusOptions = { databaseUrl?: string; databaseUrlFile?: string }

/** Answers with the control plane down, too: then only what this machine knows, and the database that is named. */
export async function run(context: Context, _args: string[], options: StatusOptions): Promise<void> {
  const { settings, print } = context
  const local = { controlPlane: await findControlPlane(settings.stateDir), gateways: await listGateways(settings.stateDir) }
  const { status, error, url, signIn } = await remoteStatus(context)
  const database = status ? null : await inspectDatabase(context, options).catch((failure: unknown) => failedInspection(failure))
  const all = {
    stateDir: settings.stateDir,
    ...local,
    url,
    status,
    ...(signIn ? { signIn } : {}),
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
  const pins = local.controlPlane?.pins ?? []
  if (pins.length > 0) print(`\npin for --cp-url on other machines: #pin=${pins.join(',')}`)
  print('')
  if (status) statusLines(status, url, signIn).forEach((line) => print(line))
  else print(error?.message ?? `The control plane at ${url} does not answer.`)
  if (!status && error?.hint && !signIn?.mode) print(`next: ${error.hint}`)
  if (!status && signIn) signInLines(signIn, error).forEach((line) => print(line))
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

function statusLines(
  { version, uptimeSeconds, authMode, database, gateways, servers }: ControlStatus,
  url: string,
  signIn: SignIn | undefined,
): string[] {
  return pairs([
    ['control plane', `${version} at ${url}, up ${span(Math.round(uptimeSeconds))}`],
    ['sign-in', signIn ? signInText(signIn) : authMode],
    ...(signIn?.license ? [['license', licenseText(signIn.license)] as [string, string]] : []),
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

/** Where there is no status to stand in. */
function signInLines(signIn: SignIn, error: McpgError | undefined): string[] {
  const hint = signIn.mode !== null && error?.hint ? `; ${error.hint}` : ''
  return [`sign-in: ${signInText(signIn)}${hint}`, ...(signIn.license ? [`license: ${licenseText(signIn.license)}`] : [])]
}

type Remote = { url: string; status: ControlStatus | null; signIn: SignIn | undefined; error?: McpgError }

async function remoteStatus(context: Context): Promise<Remote> {
  const api = await context.api()
  const kept = await readCredential(context.settings.stateDir, api.url)
  const answer = { url: api.url, signIn: (await signInAt(api, kept).catch(() => undefined)) ?? signInKept(kept) }
  try {
    const { body } = await api.call('GET', '/v1/control/status', { schema: ControlStatus, timeoutMs: 5000 })
    return { ...answer, status: body }
  } catch (error) {
    if (error instanceof McpgError) return { ...answer, status: null, error }
    throw error
  }
}

/**
 * How people sign in there (null: it does not answer), who this command is (null: nobody), who really is if they act for somebody else,
 * and what is said of the license that is kept with the sign-in.
 */
type SignIn = { mode: AuthMode | null; as: string | null; by?: string; license?: License }

function signInText({ mode, as, by }: SignIn): string {
  if (mode === 'none') return mode
  if (mode === null) return `kept for ${as}`
  if (by !== undefined) return `${mode}, signed in as ${by}, acting for ${as}`
  return `${mode}, ${as ? `signed in as ${as}` : 'not signed in'}`
}

async function signInAt(api: Api, kept: Credential | null): Promise<SignIn> {
  const options = { timeoutMs: 5000, retries: 0 }
  const { body } = await api.call('GET', '/v1/auth/status', { schema: AuthStatus, anonymous: true, ...options })
  const me = await whoAmI(api, licenseOf(kept), options).catch(() => null)
  const by = me?.impersonator
  return { mode: body.mode, as: me?.subject ?? null, ...(by !== undefined && { by }), ...licensed(kept, me?.license) }
}

function signInKept(kept: Credential | null): SignIn | undefined {
  return kept ? { mode: null, as: personOf(kept), ...licensed(kept) } : undefined
}

const licenseOf = (kept: Credential | null): string | null => (kept?.kind === 'tokens' ? kept.license : null)

const licensed = (kept: Credential | null, told?: License): { license?: License } =>
  licenseOf(kept) === null ? {} : { license: told ?? { state: 'not_checked' } }
