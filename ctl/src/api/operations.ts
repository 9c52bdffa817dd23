import { setTimeout as delay } from 'node:timers/promises'
import { McpgError } from '@mcpg/proto/errors'
import { isLastPhase, Operation, OperationEvent } from '@mcpg/proto/rest/operations'
import { createParser } from 'eventsource-parser'
import type { Api } from './client.ts'

export const operationPath = (id: string): string => `/v1/operations/${encodeURIComponent(id)}`

export async function getOperation(api: Api, id: string): Promise<Operation> {
  return (await api.call('GET', operationPath(id), { schema: Operation })).body
}

/**
 * Every event of an operation once and in order, up to the last; a cut stream is resumed by Last-Event-ID. Ends early when `signal` aborts;
 * throws what the control plane refuses.
 */
export async function* followOperation(
  api: Api,
  id: string,
  { signal, say }: { signal: AbortSignal; say: (line: string) => void },
): AsyncGenerator<OperationEvent> {
  let last = 0
  for (let isCut = false; !signal.aborted;) {
    try {
      const headers: Record<string, string> = last > 0 ? { 'last-event-id': String(last) } : {}
      const response = await api.open(`${operationPath(id)}/events`, { headers, signal })
      if (isCut) say('connected again')
      isCut = false
      if (response.status === 204) return
      for await (const event of eventsOf(response)) {
        if (event.seq <= last) continue
        last = event.seq
        yield event
        if (isLastPhase(event.phase)) return
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof McpgError && (error.code !== 'unavailable' || (last === 0 && !isCut))) throw error
    }
    if (signal.aborted) return
    if (!isCut) say('the connection is cut, connecting again')
    isCut = true
    await delay(250 + Math.random() * 750, undefined, { signal }).catch(() => {})
  }
}

async function* eventsOf({ body }: Response): AsyncGenerator<OperationEvent> {
  const events: OperationEvent[] = []
  const parser = createParser({
    onEvent({ data }) {
      const parsed = OperationEvent.safeParse(JSON.parse(data))
      // What a newer control plane adds is none of ours.
      if (parsed.success) events.push(parsed.data)
    },
  })
  const decoder = new TextDecoder()
  for await (const chunk of body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    yield* events.splice(0)
  }
}
