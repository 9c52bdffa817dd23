import type { ServerResponse } from 'node:http'
import type { LogEntry } from '@mcpg/proto/rest/logs'
import type { FakeControlPlane } from './fake-control-plane.ts'

export const line = (text: string, more: Partial<Extract<LogEntry, { type: 'log' }>> = {}): LogEntry => ({
  type: 'log',
  time: new Date().toISOString(),
  source: 'stderr',
  text,
  ...more,
})

/** Answers every log that is asked for, and keeps the streams open to be written to; `asked` are their paths with queries. */
export function logStreams(cp: FakeControlPlane, first: LogEntry[] = []) {
  const asked: string[] = []
  let open: ServerResponse[] = []
  cp.knobs.onLog = ({ path, search }, response) => {
    asked.push(`${path}?${search}`)
    const isFollowed = search.get('follow') === 'true'
    response.writeHead(200, { 'content-type': isFollowed ? 'text/event-stream' : 'application/x-ndjson' })
    response.flushHeaders()
    if (!isFollowed) return void response.end(first.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
    for (const entry of first) write(response, entry)
    open.push(response)
    response.on('close', () => (open = open.filter((one) => one !== response)))
  }
  return { asked, send, cut, openCount: () => open.length }

  function send(...entries: LogEntry[]): void {
    for (const response of open) for (const entry of entries) write(response, entry)
  }

  function cut(): void {
    for (const response of open) response.destroy()
  }
}

const write = (response: ServerResponse, entry: LogEntry) => response.write(`event: ${entry.type}\ndata: ${JSON.stringify(entry)}\n\n`)
