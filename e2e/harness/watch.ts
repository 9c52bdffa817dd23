import { createParser } from 'eventsource-parser'
import { closeLater } from './cleanup.ts'

/**
 * Follows `GET /v1/watch`. `seen` grows by `TYPE name` of every event, in order; `cursor` is the last id, with which the next watch goes
 * on where this one ended; `heard` is told each at once, those without an object (BOOKMARK) too. The end of the stream, whoever ends it, is no error.
 */
export async function watchFrom(
  http: string,
  { kinds, since, heard = () => {} }: { kinds: string; since?: string | undefined; heard?: (event: string) => void },
) {
  const seen: string[] = []
  let cursor = since
  const abort = new AbortController()
  closeLater(() => abort.abort())
  const response = await fetch(`${http}/v1/watch?scope=default/default&kinds=${kinds}`, {
    headers: { accept: 'text/event-stream', ...(since === undefined ? {} : { 'last-event-id': since }) },
    signal: abort.signal,
  })
  if (!response.ok) throw new Error(`watch: ${response.status} ${await response.text()}`)
  const parser = createParser({
    onEvent: ({ event, id, data }) => {
      if (id !== undefined) cursor = id
      const { object } = JSON.parse(data) as { object?: { metadata: { name: string } } }
      const told = object ? `${event} ${object.metadata.name}` : event
      if (object) seen.push(told!)
      heard(told ?? '')
    },
  })
  void follow().catch(() => {})
  return { seen, cursor: () => cursor, close: () => abort.abort() }

  async function follow(): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }))
  }
}
