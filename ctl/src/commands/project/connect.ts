import { projectKind } from '@mcpg/proto/kinds/project'
import { resolve } from 'node:path'
import { McpgError } from '@mcpg/proto/errors'
import { Resource } from '@mcpg/proto/kinds/kind'
import type { ProjectStatus } from '@mcpg/proto/kinds/project'
import { EndpointAccess } from '@mcpg/proto/rest/tokens'
import { isLoopbackHost } from '@mcpg/core/http-guard'
import type { Api } from '../../api/client.ts'
import { environmentPath, objectPath } from '../../api/paths.ts'
import { writeClientFile } from '../../clients/client-file.ts'
import { clientOf, throughBridge, type Client } from '../../clients/clients.ts'
import { tomlTable } from '../../clients/toml-file.ts'
import type { Wanted } from '../../clients/wanted.ts'
import type { Context } from '../../context.ts'

export type ConnectOptions = { write?: boolean; file?: string; name?: string; gateway?: string; url?: string; tokenEnv?: string }

/** What `mcpg-ctl mcp` reads too, for clients that start a program. */
const defaultVariable = 'MCPG_TOKEN'

/** Shows what stands in the file of a client, or puts it there. */
export async function run(context: Context, [word = '']: string[], options: ConnectOptions): Promise<void> {
  const { env, settings, print, say } = context
  const client = clientOf(word)
  const project = settings.project ?? 'default'
  const { url, wantsToken } = await endpointOf(context, project, options)
  const name = nameOf(options.name ?? project)
  const tokenVariable = variableOf(options.tokenEnv) ?? (wantsToken && client.putsVariables ? defaultVariable : undefined)
  // What has no place for a token starts a program that reads it.
  const entry = wantsToken && !client.putsVariables ? throughBridge(url) : client.entry({ url, tokenVariable })
  if (wantsToken)
    say(
      `this endpoint wants a token: mcpg-ctl create mcptoken ${word} -p ${project} makes one; ${client.title} finds it in the variable ${tokenVariable ?? defaultVariable}`,
    )
  const file = options.file === undefined ? client.file(env) : resolve(env.cwd, options.file)
  if (!options.write) {
    print(snippet(client, name, entry))
    return say(`belongs into ${file}; --write puts it there`)
  }
  const written = await writeClientFile(client, file, { name, entry, isOurs: isOurs(project) })
  if (settings.output === 'json') return print(JSON.stringify({ client: word, name, ...written }, null, 2))
  print(`${client.title}: ${name} ${written.result} in ${file}`)
  if (written.backup) say(`what was there is kept as ${written.backup}`)
}

type Endpoint = { url: string; wantsToken: boolean }

/** Of a gateway that serves the project. Beyond loopback an endpoint wants a token, on loopback where its environment says so. */
async function endpointOf(
  { settings, api: connect }: Context,
  project: string,
  { url, gateway: wanted }: ConnectOptions,
): Promise<Endpoint> {
  if (url !== undefined) return { url, wantsToken: isBeyondLoopback(url) }
  const api = await connect()
  const { body } = await api.call('GET', objectPath(settings, projectKind, project), { schema: Resource })
  const { gateways = [] } = body.status as Partial<ProjectStatus>
  const gateway = wanted?.replace(/^gateways?\//, '')
  const found = gateways.find((one) => one.url !== undefined && (gateway === undefined || one.gateway === gateway))
  if (found?.url !== undefined) {
    const environment = environmentPath({ ...settings, environment: found.environment })
    const wantsToken = isBeyondLoopback(found.url) || (await isRequired(api, environment))
    return { url: found.url, wantsToken }
  }
  const where = gateway === undefined ? 'No gateway serves' : `The gateway ${gateway} does not serve`
  throw new McpgError('failed_precondition', 'project_unserved', `${where} the project ${project} now.`, {
    hint: `mcpg-ctl describe project ${project}; give it a server that runs, or name an endpoint with --url`,
  })
}

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

/** An entry for the same project, at whatever gateway. */
function isOurs(project: string): Wanted['isOurs'] {
  const path = `/mcp/projects/${project}`
  return ({ url, httpUrl, serverUrl, args }) => {
    const last = Array.isArray(args) ? (args as unknown[]).at(-1) : undefined
    return [url, httpUrl, serverUrl, last].some((one) => typeof one === 'string' && one.endsWith(path))
  }
}

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
