// MCP by hand, whatever comes back: refusals are answers here.
export type McpAnswer = { status: number; text: string; error: { code: number; message?: string } | undefined }

const legacyVersion = '2025-11-25'
const modernVersion = '2026-07-28'
const clientInfo = { name: 'probe', version: '1' }

type Message = { id?: number; method: string; params?: Record<string, unknown> }

/** One request. */
export async function askMcp(
  url: string,
  { method, params = {}, token }: { method: string; params?: Record<string, unknown>; token?: string },
): Promise<McpAnswer> {
  return answerOf(await post(url, token, headersOf(method, params), { id: 1, method, params: withMeta(params) }))
}

/** `subscriptions/listen`: what its stream says first. */
export async function firstOfStream(url: string, token: string | undefined, params: Record<string, unknown>): Promise<McpAnswer> {
  const method = 'subscriptions/listen'
  const response = await post(url, token, headersOf(method, params), { id: 1, method, params: withMeta(params) })
  if (!/event-stream/.test(response.headers.get('content-type') ?? '')) return answerOf(response)
  const reader = response.body!.getReader()
  let text = ''
  while (!text.includes('\n\n')) {
    const { value, done } = await reader.read()
    if (done) break
    text += Buffer.from(value).toString()
  }
  await reader.cancel()
  return { status: response.status, text, error: undefined }
}

/** A session, or what was said to the one who wanted it; then nothing in it is answered either. */
export async function openSession(url: string, token: string | undefined) {
  const params = { protocolVersion: legacyVersion, capabilities: {}, clientInfo }
  const response = await post(url, token, {}, { id: 1, method: 'initialize', params })
  const id = response.headers.get('mcp-session-id')
  const initialized = await answerOf(response)
  const headers = { 'mcp-protocol-version': legacyVersion, ...(id !== null && { 'mcp-session-id': id }) }
  if (id !== null) await (await post(url, token, headers, { method: 'notifications/initialized' })).text()
  return {
    initialized,
    ask: async (method: string, more: Record<string, unknown>) =>
      answerOf(await post(url, token, headers, { id: 2, method, params: more })),
    close: async () => {
      const closed = id !== null && (await fetch(url, { method: 'DELETE', headers: { ...headers, ...bearer(token) } }))
      if (closed) await closed.text()
    },
  }
}

function post(url: string, token: string | undefined, headers: Record<string, string>, message: Message): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers, ...bearer(token) },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  })
}

const bearer = (token: string | undefined): Record<string, string> => (token === undefined ? {} : { authorization: `Bearer ${token}` })

function headersOf(method: string, { name, uri }: Record<string, unknown>): Record<string, string> {
  const named = name ?? uri
  return { 'mcp-protocol-version': modernVersion, 'mcp-method': method, ...(typeof named === 'string' && { 'mcp-name': named }) }
}

const withMeta = (params: Record<string, unknown>) => ({
  ...params,
  _meta: {
    'io.modelcontextprotocol/protocolVersion': modernVersion,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': clientInfo,
  },
})

async function answerOf(response: Response): Promise<McpAnswer> {
  const text = await response.text()
  const data = text.startsWith('{') ? text : ([...text.matchAll(/^data: (.*)$/gm)].at(-1)?.[1] ?? '{}')
  return { status: response.status, text, error: errorIn(data) }
}

function errorIn(data: string): McpAnswer['error'] {
  try {
    const { error } = JSON.parse(data) as { error?: { code: number } }
    return error
  } catch {
    return undefined
  }
}
