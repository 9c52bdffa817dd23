import type { McpFailure } from '../../mcp/connection.ts'
import { isObject, type Params } from '../../mcp/protocol.ts'

/** The legacy era's way to say that a page has to be visited before the call is repeated. */
const urlElicitationRequired = -32042

/** The same in the modern era: nothing is parked, the retry is a fresh call. Undefined when it is another error. */
export function inputRequiredByUrl({ code, data }: McpFailure): Params | undefined {
  const all = code === urlElicitationRequired && isObject(data) ? data['elicitations'] : undefined
  if (!Array.isArray(all)) return undefined
  const entries = (all as unknown[]).filter(isObject).map(({ elicitationId: _id, ...params }, index) => {
    return [`url_${index + 1}`, { method: 'elicitation/create', params: { mode: 'url', ...params } }] as const
  })
  return entries.length === 0 ? undefined : { resultType: 'input_required', inputRequests: Object.fromEntries(entries) }
}
