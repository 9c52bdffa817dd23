import type { ServerResponse } from 'node:http'
import type { Clock } from '@mcpg/core/clock'
import type { Streams } from './reply.ts'

/** All open event streams of the endpoint; one timer for however many there are. */
export function eventStreams({ clock, keepAliveMs }: { clock: Clock; keepAliveMs: number }): Streams {
  const open = new Set<ServerResponse>()
  let cancel: (() => void) | undefined
  return { add, end }

  function add(response: ServerResponse): void {
    open.add(response)
    response.once('close', () => open.delete(response))
    cancel ??= clock.after(keepAliveMs, tick)
  }

  function tick(): void {
    cancel = undefined
    for (const response of open) if (!response.writableEnded) response.write(': keep-alive\n\n')
    if (open.size > 0) cancel = clock.after(keepAliveMs, tick)
  }

  function end(): void {
    cancel?.()
    for (const response of open) response.end()
    open.clear()
  }
}
