import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { certificatesOf } from '@mcpg/core/pins'
import { McpgError } from '@mcpg/proto/errors'
import { controlPlaneConnection } from '../api/client.ts'
import { connection, type Connection, type UrlSource } from '../api/connection.ts'
import { workspacePath } from '../api/paths.ts'
import { bridge, parseMessage } from '../bridge/bridge.ts'
import type { Context } from '../context.ts'
import { listGateways } from '../local/run-files.ts'
import { signedInAt } from '../sign-in/at-endpoint.ts'
import { shownCredential } from '../sign-in/shown.ts'

export type McpOptions = {
  url?: string
  server?: string
  name?: string
  caFile?: string
  viaControlPlane?: boolean
  gateway?: string
}

/** Standard output belongs to the protocol; everything else goes to standard error. */
export async function run(context: Context, _args: string[], options: McpOptions): Promise<void> {
  const { env, settings, stopping } = context
  const { url, fetch } = await (options.viaControlPlane ? throughControlPlane(context, options) : endpointOf(context, options))
  const { receive, close } = bridge({
    url,
    fetch,
    token: settings.token,
    signal: stopping,
    write: (message) => env.stdout.write(`${JSON.stringify(message)}\n`),
  })
  const lines = createInterface({ input: env.stdin })
  stopping.addEventListener('abort', () => lines.close(), { once: true })
  for await (const line of lines) {
    if (line.trim() === '') continue
    const message = parseMessage(line)
    if (message) await receive(message)
    else env.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'not a JSON-RPC message' } })}\n`)
  }
  await close()
}

/** The same messages, carried over the stream of a gateway: nothing of it needs to be reachable from here. */
async function throughControlPlane({ settings }: Context, { url, server, name, caFile, gateway }: McpOptions): Promise<Connection> {
  if (url !== undefined || name !== undefined || caFile !== undefined)
    throw new McpgError('invalid', 'usage', '--url, --name and --ca-file name an endpoint; --via-control-plane goes to none.', {
      hint: 'name the gateway with --gateway, or leave --via-control-plane out',
    })
  const { url: base, fetch: connected } = await controlPlaneConnection(settings)
  const target = new URL(`${workspacePath(settings)}/mcp${pathBelow(settings, server)}`, base)
  if (gateway !== undefined) target.searchParams.set('gateway', gateway.replace(/^gateways?\//, ''))
  return { url: target.href, fetch }

  async function fetch(input: Parameters<typeof connected>[0], init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    for (const [name, value] of Object.entries(await shownCredential(settings, base))) headers.set(name, value)
    return connected(input, { ...init, headers })
  }
}

async function endpointOf(context: Context, { url, server, name, caFile, gateway }: McpOptions): Promise<Connection> {
  if (gateway !== undefined)
    throw new McpgError('invalid', 'usage', '--gateway names a gateway of the control plane.', {
      hint: 'add --via-control-plane; a gateway of this machine is named with --name',
    })
  const { insecurePlaintext } = context.settings
  const local = url === undefined ? await localEndpoint(context, name) : undefined
  const roots = caFile ?? local?.ca
  const ca = roots && (await readRoots(roots, caFile !== undefined))
  const { url: found, fetch } = connection(url ?? local?.url ?? '', { insecurePlaintext, source: endpointUrl, ca })
  const base = new URL(found)
  if (base.pathname === '/') base.pathname = '/mcp'
  const below = pathBelow(context.settings, server)
  if (below !== '') base.pathname = `${base.pathname.replace(/\/((servers|projects)\/.*)?$/, '')}${below}`
  const endpoint = { url: base.href, fetch }
  return context.settings.token ? endpoint : signedInAt(context, endpoint, { isLocal: local !== undefined })
}

/** What follows `/mcp`. */
function pathBelow({ project }: Context['settings'], server: string | undefined): string {
  if (project !== undefined && server !== undefined)
    throw new McpgError('invalid', 'usage', '--server and --project lead to different paths.', { hint: 'leave one of them out' })
  if (project !== undefined) return `/projects/${encodeURIComponent(project)}`
  return server === undefined ? '' : `/servers/${encodeURIComponent(server)}`
}

/** One that was named must be there; one that was looked for may not. */
async function readRoots(path: string, isNamed: boolean): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  if (certificatesOf(text).length > 0) return text
  if (!isNamed) return undefined
  throw new McpgError('invalid', 'ca_file_unreadable', `${path} cannot be read or holds no certificate in PEM.`, {
    hint: 'name the ca.pem in the folder of a gateway, <state>/gateways/<name>/ca.pem (--ca-file, MCPG_CA_FILE)',
  })
}

const endpointUrl: UrlSource = {
  hint: 'write it like http://127.0.0.1:7845/mcp or https://<host>:7845/mcp (--url, MCPG_URL)',
  pin: {
    carrier: 'the URL of the endpoint',
    again: 'name its roots: --ca-file <ca.pem of the gateway> (MCPG_CA_FILE)',
    isUsual: false,
  },
}

async function localEndpoint({ settings }: Context, name: string | undefined): Promise<{ url: string; ca: string | undefined }> {
  const gateways = await listGateways(settings.stateDir)
  const preferred = [name, ...(name ? [] : ['default', 'quickstart', gateways[0]?.name])]
  const found = preferred.map((wanted) => gateways.find((one) => one.name === wanted)).find((one) => one?.endpoints['mcp'])
  if (found?.endpoints['mcp']) return { url: found.endpoints['mcp'], ca: found.ca }
  throw new McpgError(
    'unavailable',
    'no_local_gateway',
    name ? `No gateway ${name} runs on ${settings.stateDir}.` : `No gateway runs on ${settings.stateDir}.`,
    {
      hint: 'start one (mcpg-ctl quickstart, mcpg-ctl gateway), or name an endpoint with --url (MCPG_URL) or another --state-dir',
    },
  )
}
