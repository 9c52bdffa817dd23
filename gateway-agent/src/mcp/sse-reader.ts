export type SseEvent = { id: string | undefined; data: string }

/** Reads `text/event-stream`; events without data are passed on too, as they may carry an id. `retry` is told apart. */
export function sseReader({ onEvent, onRetry }: { onEvent: (event: SseEvent) => void; onRetry: (ms: number) => void }) {
  let rest = ''
  let id: string | undefined
  let data: string[] = []
  let touched = false
  return { push, held: () => rest.length }

  function push(chunk: string): void {
    const text = rest === '' ? chunk : rest + chunk
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      onLine(text.slice(start, text.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end))
      start = end + 1
    }
    rest = text.slice(start)
  }

  function onLine(line: string): void {
    if (line === '') return dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1)
    touched = true
    if (field === 'data') data.push(value)
    else if (field === 'id') id = value
    else if (field === 'retry' && /^\d{1,7}$/.test(value)) onRetry(Number(value))
  }

  function dispatch(): void {
    if (!touched) return
    const event = { id, data: data.join('\n') }
    data = []
    touched = false
    onEvent(event)
  }
}
