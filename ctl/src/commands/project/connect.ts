import { projectKind } from '@mcpg/proto/kinds/project'
import { resolve } from 'node:path'
import { McpgError } from '@mcpg/proto/errors'
import { Resource } from '@mcpg/proto/kinds/kind'
import { gatewayKind } from '@mcpg/proto/kinds/gateway'
import type { ProjectStatus } from '@mcpg/proto/kinds/project'
import { EndpointAccess } from '@mcpg/proto/rest/tokens'
import { isLoopbackHost } from '@mcpg/core/http-guard'
import type { Api } from '../../api/client.ts'
import { listObjects } from '../../api/objects.ts'
import { environmentPath, objectPath } from '../../api/paths.ts'
import { readEntry, writeClientFile } from '../../clients/client-file.ts'
import { clientOf, throughBridge, type Client } from '../../clients/clients.ts'
import { tomlTable } from '../../clients/toml-file.ts'
import type { Wanted } from '../../clients/wanted.ts'
import type { Context } from '../../context.ts'
import { ownProgram } from '../../local/own-program.ts'
import { listGateways } from '../../local/run-files.ts'

export type ConnectOptions = { write?: boolean; file?: string; name?: string; gateway?: string; url?: string; tokenEnv?: string }

/** What `mcpg-ctl mcp` reads too, for clients that start a program. */
const defaultVariable = 'MCPG_TOKEN'

/** Shows what stands in the file of a client, or puts it there. */
export async function run(context: Context, [word = '']: string[], options: ConnectOptions): Promise<void> {
  const { env, settings, print, say } = context
  const client = clientOf(word)
  const project = settings.project ?? 'default'
  const name = nameOf(options.name ?? project)
  const file = options.file === undefined ? client.file(env) : resolve(env.cwd, options.file)
  const known = urlsOf((await readEntry(client, file, name)) ?? {}).find(isOf(project))
  const { url, wantsToken, gateway, others } = await endpointOf(context, project, options, known)
  const tokenVariable = variableOf(options.tokenEnv) ?? (wantsToken && client.putsVariables ? defaultVariable : undefined)
  const program = ownProgram(env)
  // What has no place for a token starts a program that reads it.
  const entry = wantsToken && !client.putsVariables ? throughBridge(url, program) : client.entry({ url, tokenVariable, program })
  if (gateway !== undefined) say(`gateway: ${gateway}${others.length > 0 ? `; others: ${others.join(', ')}; --gateway chooses` : ''}`)
  if ('command' in entry && program.length > 1)
    say(`no mcpg-ctl is on PATH, so ${client.title} starts the one that runs now: ${program.join(' ')}`)
  if (wantsToken)
    say(
      `this endpoint wants a token: mcpg-ctl create mcptoken ${word} -p ${project} makes one; ${client.title} finds it in the variable ${tokenVariable ?? defaultVariable}`,
    )
  if (!options.write) {
    print(snippet(client, name, entry))
    return say(`belongs into ${file}; --write puts it there`)
  }
  const isOurs: Wanted['isOurs'] = (one) => urlsOf(one).some(isOf(project))
  const written = await writeClientFile(client, file, { name, entry, isOurs })
  if (settings.output === 'json') return print(JSON.stringify({ client: word, name, ...(gateway && { gateway }), ...written }, null, 2))
  print(`${client.title}: ${name} ${written.result} in ${file}`)
  if (written.backup) say(`what was there is kept as ${written.backup}`)
}

/** `others`: more gateways that serve the project. */
type Endpoint = { url: string; wantsToken: boolean; gateway?: string; others: string[] }

/**
 * Of a gateway that serves the project: the one that `known` leads to, else one of this machine that a person started, else one that is
 * online, the first by name. Beyond loopback an endpoint wants a token, on loopback where its environment says so.
 */
async function endpointOf(
  { settings, api: connect }: Context,
  project: string,
  { url, gateway: wanted }: ConnectOptions,
  known: string | undefined,
): Promise<Endpoint> {
  if (url !== undefined) return { url, wantsToken: isBeyondLoopback(url), others: [] }
  const api = await connect()
  const { body } = await api.call('GET', objectPath(settings, projectKind, project), { schema: Resource })
  const serving = ((body.status as Partial<ProjectStatus>).gateways ?? []).flatMap((one) =>
    one.url === undefined ? [] : [{ ...one, url: one.url }],
  )
  const gateway = wanted?.replace(/^gateways?\//, '')
  const own = (await listGateways(settings.stateDir)).filter(({ isManaged }) => !isManaged)
  const isOwn = (one: Serving) =>
    own.some(({ name, endpoints }) => name === one.gateway && originOf(endpoints['mcp']) === originOf(one.url))
  const online = serving.length > 1 ? await onlineGateways(api) : []
  const rank = (one: Serving) => (one.url === known ? 0 : isOwn(one) ? 1 : online.includes(pathOf(one)) ? 2 : 3)
  const ranked = serving.toSorted((a, b) => rank(a) - rank(b) || (a.gateway < b.gateway ? -1 : 1))
  const found = ranked.find((one) => gateway === undefined || one.gateway === gateway)
  if (found) {
    const environment = environmentPath({ ...settings, environment: found.environment })
    const wantsToken = isBeyondLoopback(found.url) || (await isRequired(api, environment))
    const others = ranked.flatMap((one) => (one === found ? [] : [one.gateway]))
    return { url: found.url, wantsToken, gateway: found.gateway, others }
  }
  const names = serving.map((one) => one.gateway)
  const where = gateway === undefined ? 'No gateway serves' : `The gateway ${gateway} does not serve`
  throw new McpgError('failed_precondition', 'project_unserved', `${where} the project ${project} now.`, {
    hint:
      names.length > 0
        ? `it is served by ${names.join(', ')}`
        : `mcpg-ctl describe project ${project}; give it a server that runs, or name an endpoint with --url`,
  })
}

type Serving = { gateway: string; environment: string; url: string }
const pathOf = ({ environment, gateway }: Pick<Serving, 'environment' | 'gateway'>): string => `${environment}/${gateway}`

/** Who may not look at gateways is told nothing. */
async function onlineGateways(api: Api): Promise<string[]> {
  const all = await listObjects(api, gatewayKind, { lenient: true }).catch((error: unknown) => {
    if (error instanceof McpgError && (error.code === 'forbidden' || error.code === 'not_found')) return []
    throw error
  })
  return all
    .filter(({ status }) => status['connection'] === 'online')
    .map(({ metadata: { environment = '', name } }) => pathOf({ environment, gateway: name }))
}

const originOf = (url: string | undefined): string | undefined => (url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined)

/** Who may not look at the environment is told nothing. */
async function isRequired(api: Api, environment: string): Promise<boolean> {
  const asked = api.call('GET', `${environment}/endpoint-access`, { schema: EndpointAccess })
  return await asked.then(
    ({ body }) => body.endpointAuth === 'required',
    (error: unknown) => {
      if (error instanceof McpgError && (error.code === 'forbidden' || error.code === 'not_found')) return false
      throw error
    },
  )
}

const isBeyondLoopback = (url: string): boolean => URL.canParse(url) && !isLoopbackHost(new URL(url).hostname)

function snippet({ format, key }: Client, name: string, entry: Record<string, unknown>): string {
  return format === 'toml' ? tomlTable(key, name, entry) : JSON.stringify({ [key]: { [name]: entry } }, null, 2)
}

/** The addresses that an entry may lead to; what starts a program has it in the last argument. */
function urlsOf({ url, httpUrl, serverUrl, args }: Record<string, unknown>): string[] {
  const last = Array.isArray(args) ? (args as unknown[]).at(-1) : undefined
  return [url, httpUrl, serverUrl, last].filter((one) => typeof one === 'string')
}

/** Of the same project, at whatever gateway. */
const isOf = (project: string) => (url: string) => url.endsWith(`/mcp/projects/${project}`)

function nameOf(name: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(name)) return name
  throw new McpgError('invalid', 'usage', `--name ${JSON.stringify(name)} is not a name that every client takes.`, {
    hint: 'write 1-64 of A-Z, a-z, 0-9, _ and -',
  })
}

function variableOf(name: string | undefined): string | undefined {
  if (name === undefined || /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name
  throw new McpgError('invalid', 'usage', '--token-env wants the name of a variable, not a token.', {
    hint: 'write it like --token-env MCPG_TOKEN',
  })
}
