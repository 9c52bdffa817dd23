import { setTimeout as delay } from 'node:timers/promises'
import { McpgError } from '@mcpg/proto/errors'
import { findKind } from '@mcpg/proto/kinds'
import { WatchEvent } from '@mcpg/proto/rest/watch'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { Api } from './client.ts'

/**
 * Events of kinds of the workspace or the organization, for ever: a cut stream is resumed by Last-Event-ID, an expired cursor begins again (the event
 * EXPIRED tells the caller to forget what it knows). Ends when `signal` aborts; throws what the control plane refuses.
 */
export async function* watch(
  api: Api,
  { kinds, signal, say }: { kinds: string[]; signal: AbortSignal; say: (line: string) => void },
): AsyncGenerator<WatchEvent> {
  let cursor: string | undefined
  let isCut = false
  while (!signal.aborted) {
    try {
      for await (const { event, id } of connect(api, kinds, cursor, signal)) {
        if (isCut) say('connected again')
        isCut = false
        if (event.type === 'EXPIRED') {
          cursor = undefined
          yield event
          break
        }
        cursor = id ?? cursor
        yield event
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof McpgError && error.status === 410) {
        cursor = undefined
        yield { type: 'EXPIRED' }
        continue
      }
      if (error instanceof McpgError && error.code !== 'unavailable') throw error
      // The first connection is the caller's to fail: nobody waits for a control plane that was never there.
      if (error instanceof McpgError && cursor === undefined && !isCut) throw error
    }
    if (!isCut && !signal.aborted) say('the connection is cut, connecting again')
    isCut = true
    await delay(250 + Math.random() * 750, undefined, { signal }).catch(() => {})
  }
}

/** The smallest scope in which all the kinds are told of. */
function scopeOf({ settings: { org, workspace, project } }: Api, kinds: string[]): string {
  const levels = new Set(kinds.map((kind) => findKind(kind)?.scope))
  const isOnly = (level: string) => levels.size === 1 && levels.has(level as 'org')
  if (isOnly('org')) return org
  return isOnly('project') && project !== undefined ? `${org}/${workspace}/proj/${project}` : `${org}/${workspace}`
}

async function* connect(
  api: Api,
  kinds: string[],
  cursor: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<{ event: WatchEvent; id: string | undefined }> {
  const response = await api.open('/v1/watch', {
    query: { scope: scopeOf(api, kinds), kinds: kinds.join(',') },
    ...(cursor ? { headers: { 'last-event-id': cursor } } : {}),
    signal,
  })
  const messages: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (message) => messages.push(message) })
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    for (const message of messages.splice(0)) {
      const event = WatchEvent.safeParse({ type: message.event, ...parseData(message.data) })
      // A type of a newer control plane is none of ours.
      if (event.success) yield { event: event.data, id: message.id || undefined }
    }
  }
}

function parseData(data: string): object {
  const json: unknown = data === '' ? {} : JSON.parse(data)
  return typeof json === 'object' && json !== null ? json : {}
}
