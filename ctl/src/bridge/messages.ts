/** A JSON-RPC message, as far as the bridge looks at it. */
export type Message = {
  jsonrpc: '2.0'
  id?: string | number
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: unknown
}

const versionKey = 'io.modelcontextprotocol/protocolVersion'

/** Requests of 2026-07-28 and later say their version themselves; older ones agreed on it before. */
export const isModern = (message: Message): boolean => versionOf(message) !== undefined

/** Headers that repeat what the body says, so that what stands between need not read it. */
export function headersOf(message: Message): Record<string, string> {
  const { method = '', params } = message
  const name =
    method === 'resources/read' ? params?.['uri'] : method === 'tools/call' || method === 'prompts/get' ? params?.['name'] : undefined
  return {
    'mcp-protocol-version': versionOf(message) ?? '',
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': headerValue(name) } : {}),
  }
}

/** Text that is no plain header value travels in base64. */
export function headerValue(text: string): string {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?base64?')
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}

function versionOf({ params }: Message): string | undefined {
  const version = (params?.['_meta'] as Record<string, unknown> | undefined)?.[versionKey]
  return typeof version === 'string' ? version : undefined
}
