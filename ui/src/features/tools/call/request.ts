import { recordOf } from '../../../lib/objects/reported.ts'

/** The era without sessions, in which one request says everything. */
const protocolVersion = '2026-07-28'
const prefix = 'io.modelcontextprotocol/'

export type ToolRequest = {
  id: number
  tool: string
  schema: Record<string, unknown> // its input schema: `x-mcp-header` repeats arguments in headers
  args: Record<string, unknown>
  /** Declares that a person is here to answer questions; without it a server cannot ask. */
  mayAsk: boolean
  inputResponses?: Record<string, unknown>
  requestState?: string
}

/** Headers and body of one `tools/call`. */
export function toolRequest({ id, tool, schema, args, mayAsk, inputResponses, requestState }: ToolRequest) {
  const headers: Record<string, string> = {
    'mcp-protocol-version': protocolVersion,
    'mcp-method': 'tools/call',
    'mcp-name': headerText(tool),
    ...Object.fromEntries(argumentHeaders(schema, args)),
  }
  const params = {
    name: tool,
    arguments: args,
    ...(inputResponses ? { inputResponses } : {}),
    ...(requestState === undefined ? {} : { requestState }),
    _meta: {
      [`${prefix}protocolVersion`]: protocolVersion,
      [`${prefix}clientInfo`]: { name: 'mcpg console', version: '1' },
      [`${prefix}clientCapabilities`]: mayAsk ? { elicitation: { form: {}, url: {} }, sampling: {} } : {},
      progressToken: id,
    },
  }
  return { headers, body: { jsonrpc: '2.0', id, method: 'tools/call', params } }
}

/** Plain visible ASCII as it is, anything else as `=?base64?…?=`. */
function headerText(text: string): string {
  const isPlain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !(text.startsWith('=?base64?') && text.endsWith('?='))
  return isPlain ? text : `=?base64?${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}?=`
}

function argumentHeaders(schema: Record<string, unknown>, args: Record<string, unknown>): [string, string][] {
  return Object.entries(recordOf(schema['properties'])).flatMap(([key, value]): [string, string][] => {
    const property = recordOf(value)
    const name = property['x-mcp-header']
    const given = Object.hasOwn(args, key) ? args[key] : undefined
    const isSent = typeof name === 'string' && /^[-!#$%&'*+.^_`|~\w]+$/.test(name) && ['string', 'number', 'boolean'].includes(typeof given)
    const own: [string, string][] = isSent ? [[`mcp-param-${name.toLowerCase()}`, headerText(String(given))]] : []
    return [...own, ...argumentHeaders(property, recordOf(given))]
  })
}
