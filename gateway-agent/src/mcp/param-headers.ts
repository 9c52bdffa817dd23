import { isObject, type Params } from './protocol.ts'

/** One `x-mcp-header` of a tool: which argument is repeated in which header. */
export type ParamHeader = { header: string; path: string[]; numeric: boolean }

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The header arguments of a tool, found along `properties` only, as the modern era allows them. */
export function paramHeaders(inputSchema: unknown, path: string[] = []): ParamHeader[] {
  const properties = isObject(inputSchema) ? inputSchema['properties'] : undefined
  if (!isObject(properties)) return []
  return Object.entries(properties).flatMap(([key, child]) => {
    if (!isObject(child)) return []
    const name = child['x-mcp-header']
    const own =
      typeof name === 'string' && token.test(name)
        ? [
            {
              header: `mcp-param-${name.toLowerCase()}`,
              path: [...path, key],
              numeric: child['type'] === 'integer' || child['type'] === 'number',
            },
          ]
        : []
    return [...own, ...paramHeaders(child, [...path, key])]
  })
}

/** The text of an argument as a header has it; undefined when there is none to send. */
export function argumentText(args: unknown, path: string[]): string | undefined {
  let value = args
  for (const key of path) value = isObject(value) ? value[key] : undefined
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
    ? String(value)
    : undefined
}

/** A header value with anything but plain visible ASCII wrapped as `=?base64?…?=`. */
export function encodeHeader(text: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !(text.startsWith('=?base64?') && text.endsWith('?='))
  return plain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}

/** Undefined when it is wrapped, but not well. */
export function decodeHeader(value: string): string | undefined {
  const text = value.trim()
  if (!text.startsWith('=?base64?') || !text.endsWith('?=') || text.length < 11) return text
  const payload = text.slice(9, -2)
  if (!base64.test(payload)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(payload, 'base64'))
  } catch {
    return undefined
  }
}

/** The field of the params that `Mcp-Name` repeats for this method. */
export function nameField(method: string): 'name' | 'uri' | undefined {
  if (method === 'tools/call' || method === 'prompts/get') return 'name'
  return method === 'resources/read' ? 'uri' : undefined
}

/** Headers a modern client repeats the body in; `tool` are the header arguments of the called tool. */
export function requestHeaders(method: string, params: Params | undefined, tool: readonly ParamHeader[]): Record<string, string> {
  const headers: Record<string, string> = { 'mcp-method': method }
  const field = nameField(method)
  const name = field && params?.[field]
  if (typeof name === 'string') headers['mcp-name'] = encodeHeader(name)
  for (const { header, path } of tool) {
    const text = argumentText(params?.['arguments'], path)
    if (text !== undefined) headers[header] = encodeHeader(text)
  }
  return headers
}
