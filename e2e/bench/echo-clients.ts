// Clients as thin as they can be, so that what is measured is the path and not the client: raw undici, raw JSON lines.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Client } from 'undici'

export type Target = { transport: 'stdio'; command: string[] } | { transport: 'http'; url: string; era: 'legacy' | 'modern' }

/** `echo` resolves when the answer arrived and was the right one, and throws otherwise. */
export type EchoClient = { tools(): Promise<string[]>; echo(text: string): Promise<void>; close(): Promise<void> }

/** `count` clients of one target: over stdio they share the one pipe there is, over HTTP each has its own connection and session. */
export async function openClients(target: Target, count: number): Promise<EchoClient[]> {
  if (target.transport === 'stdio') {
    const client = await stdioClient(target.command)
    return Array.from({ length: count }, () => client)
  }
  return Promise.all(Array.from({ length: count }, () => httpClient(target.url, target.era)))
}

type Answer = { id?: unknown; result?: Record<string, unknown>; error?: unknown }

const legacyVersion = '2025-11-25'
const modernVersion = '2026-07-28'
const clientInfo = { name: 'bench', version: '1' }
const initialize = { protocolVersion: legacyVersion, capabilities: {}, clientInfo }
const modernMeta = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': modernVersion,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': clientInfo,
  },
}

async function stdioClient([program = '', ...args]: string[]): Promise<EchoClient> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const open = new Map<number, (answer: Answer) => void>()
  let last = 0
  let rest = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (chunk: string) => {
    const text = rest + chunk
    let from = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      const answer = JSON.parse(text.slice(from, end)) as Answer
      open.get(answer.id as number)?.(answer)
      open.delete(answer.id as number)
      from = end + 1
    }
    rest = text.slice(from)
  })
  const request = (method: string, params: object) =>
    new Promise<Answer>((resolve) => {
      open.set(++last, resolve)
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: last, method, params })}\n`)
    })
  await request('initialize', initialize)
  child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
  return {
    tools: async () => toolNames(await request('tools/list', {})),
    echo: async (text) => expectEcho(await request('tools/call', { name: 'echo', arguments: { text } }), text),
    async close() {
      child.stdin.end()
      await exited
    },
  }
}

async function httpClient(url: string, era: 'legacy' | 'modern'): Promise<EchoClient> {
  const { origin, pathname } = new URL(url)
  const client = new Client(origin, { pipelining: 1, keepAliveTimeout: 600_000, keepAliveMaxTimeout: 600_000 })
  const base = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  let session: Record<string, string> = {}
  let last = 0
  if (era === 'legacy') {
    const { headers } = await send({ id: ++last, method: 'initialize', params: initialize })
    const id = headers['mcp-session-id']
    session = { ...(typeof id === 'string' ? { 'mcp-session-id': id } : {}), 'mcp-protocol-version': legacyVersion }
    await send({ method: 'notifications/initialized' })
  }
  return {
    tools: async () => toolNames(await request('tools/list', {})),
    echo: async (text) => expectEcho(await request('tools/call', { name: 'echo', arguments: { text } }), text),
    close: () => client.close(),
  }

  async function request(method: string, params: { name?: string; arguments?: object }): Promise<Answer> {
    const id = ++last
    const modern =
      era === 'modern'
        ? { 'mcp-protocol-version': modernVersion, 'mcp-method': method, ...(params.name ? { 'mcp-name': params.name } : {}) }
        : session
    const { text } = await send({ id, method, params: era === 'modern' ? { ...params, ...modernMeta } : params }, modern)
    const answer = JSON.parse(text.startsWith('{') ? text : lastData(text)) as Answer
    if (answer.id !== id) throw new Error(`${method} ${id} was answered with ${text.slice(0, 300)}`)
    return answer
  }

  async function send(message: object, more: Record<string, string> = session) {
    const { statusCode, headers, body } = await client.request({
      method: 'POST',
      path: pathname,
      headers: { ...base, ...more },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    })
    const text = await body.text()
    if (statusCode >= 300) throw new Error(`${url} answered ${statusCode}: ${text.slice(0, 300)}`)
    return { headers, text }
  }
}

const lastData = (text: string) => [...text.matchAll(/^data: ?(.+)$/gm)].at(-1)?.[1] ?? 'null'

function toolNames({ result, error }: Answer): string[] {
  if (!Array.isArray(result?.['tools'])) throw new Error(`tools/list failed: ${JSON.stringify(error ?? result)}`)
  return (result['tools'] as { name: string }[]).map((tool) => tool.name)
}

function expectEcho({ result, error }: Answer, text: string): void {
  const content = result?.['content'] as { text?: string }[] | undefined
  if (content?.[0]?.text !== text) throw new Error(`echo of ${text} answered ${JSON.stringify(error ?? result)}`)
}
