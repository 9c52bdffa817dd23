import { shellWord } from '../../../lib/format.ts'
import { mcpPath, type CallTarget } from './call-tool.ts'
import { toolRequest, type ToolRequest } from './request.ts'

/** The same call from a terminal. Credentials are not in it: the page has none to give. */
export function curlOf(origin: string, target: CallTarget, request: ToolRequest): string {
  const { headers, body } = toolRequest(request)
  const all = { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers }
  return [
    `curl ${shellWord(origin + mcpPath(target))}`,
    ...Object.entries(all).map((pair) => `-H ${shellWord(pair.join(': '))}`),
    `-d ${shellWord(JSON.stringify(body))}`,
  ].join(' \\\n  ')
}
