import { createInterface } from 'node:readline'
import { McpgError } from '@mcpg/proto/errors'
import { bridge, parseMessage } from '../bridge/bridge.ts'
import type { Context } from '../context.ts'
import { listGateways } from '../local/run-files.ts'

export type McpOptions = { url?: string; server?: string; name?: string }

/** Standard output belongs to the protocol; everything else goes to standard error. */
export async function run(context: Context, _args: string[], options: McpOptions): Promise<void> {
  const { env, settings, stopping } = context
  const url = await endpointOf(context, options)
  const { receive, close } = bridge({
    url,
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

async function endpointOf(context: Context, { url, server, name }: McpOptions): Promise<string> {
  const base = new URL(url === undefined ? await localEndpoint(context, name) : checked(url, context))
  if (server !== undefined) base.pathname = `${base.pathname.replace(/\/(servers\/.*)?$/, '')}/servers/${encodeURIComponent(server)}`
  return base.href
}

function checked(text: string, { settings }: Context): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || !/^https?:$/.test(url.protocol))
    throw new McpgError('invalid', 'malformed_url', `"${text}" is not the URL of an endpoint.`, {
      hint: 'write it like http://127.0.0.1:7845/mcp (--url, MCPG_URL)',
    })
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url.protocol === 'http:' && !isLoopback && !settings.insecurePlaintext)
    throw new McpgError('invalid', 'plaintext_refused', `${url.origin} is plain http to another machine.`, {
      hint: 'use https, or --insecure-plaintext on a network you trust',
    })
  if (url.pathname === '/') url.pathname = '/mcp'
  return url.href
}

async function localEndpoint({ settings }: Context, name: string | undefined): Promise<string> {
  const gateways = await listGateways(settings.stateDir)
  const preferred = [name, ...(name ? [] : ['default', 'quickstart', gateways[0]?.name])]
  const found = preferred.map((wanted) => gateways.find((one) => one.name === wanted)).find((one) => one?.endpoints['mcp'])
  if (found?.endpoints['mcp']) return found.endpoints['mcp']
  throw new McpgError(
    'unavailable',
    'no_local_gateway',
    name ? `No gateway ${name} runs on ${settings.stateDir}.` : `No gateway runs on ${settings.stateDir}.`,
    {
      hint: 'start one (mcpg-ctl quickstart, mcpg-ctl gateway), or name an endpoint with --url (MCPG_URL) or another --state-dir',
    },
  )
}
