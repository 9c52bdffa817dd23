/** A legacy client in thirty lines: one session, plain JSON or SSE answers. */
export async function legacySession(url: string, capabilities: Record<string, unknown> = {}) {
  let id = 0
  let session: string | null = null
  async function post(message: Record<string, unknown>): Promise<Record<string, unknown>> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session ? { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' } : {}),
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    })
    session ??= response.headers.get('mcp-session-id')
    const text = await response.text()
    if (!response.ok) throw new Error(`${response.status} ${text}`)
    if (text === '') return {}
    const data = text.startsWith('{') ? [text] : [...text.matchAll(/^data: (.*)$/gm)].map((match) => match[1] ?? '')
    const messages = data.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>)
    return messages.find((one) => one['id'] === message['id']) ?? {}
  }
  async function request(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const answer = await post({ id: ++id, method, params })
    if (answer['error']) throw new Error(`${method}: ${JSON.stringify(answer['error'])}`)
    return answer['result'] as Record<string, unknown>
  }
  const initialized = await request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities,
    clientInfo: { name: 'story', version: '1' },
  })
  await post({ method: 'notifications/initialized' })
  return {
    initialized,
    request,
    tools: async () => ((await request('tools/list'))['tools'] as { name: string }[]).map((tool) => tool.name),
    call: (name: string, args: Record<string, unknown> = {}) => request('tools/call', { name, arguments: args }),
    close: () => fetch(url, { method: 'DELETE', headers: session ? { 'mcp-session-id': session } : {} }),
  }
}

/** One request of the modern era; every one stands alone. Throws with the JSON-RPC error. */
export async function modernRequest(url: string, method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const name = params['name'] ?? params['uri']
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
          'io.modelcontextprotocol/clientInfo': { name: 'story', version: '1' },
        },
      },
    }),
  })
  const text = await response.text()
  const body = JSON.parse(text.startsWith('{') ? text : ([...text.matchAll(/^data: (.*)$/gm)].at(-1)?.[1] ?? '{}')) as Record<
    string,
    unknown
  >
  if (body['error']) throw new Error(`${method}: ${response.status} ${JSON.stringify(body['error'])}`)
  return body['result'] as Record<string, unknown>
}
