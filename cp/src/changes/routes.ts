import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Log } from '@mcpg/core/log'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import { WatchQuery } from '@mcpg/proto/rest/watch'
import { callerOf } from '../http/access-rules.ts'
import { scopeOfKey, type WorkspaceScope } from '../resources/scope.ts'
import { turn } from '../turns.ts'
import { watchedKinds, type Sent, type Watches } from './watch.ts'

/** `GET /v1/watch`, an SSE stream; its form is told in `@mcpg/proto/rest/watch`. */
export const watchRoutes =
  (
    watches: Watches,
    log: Log,
    {
      keepAliveMs,
      kinds,
      requireWorkspace,
    }: { keepAliveMs: number; kinds: KindDeclaration[]; requireWorkspace: (scope: WorkspaceScope) => Promise<void> },
  ): FastifyPluginAsyncZod =>
  async (app) => {
    const closing = new AbortController()
    // Streams never end by themselves and would hold up the close of the listener.
    app.addHook('preClose', async () => closing.abort())

    app.get(
      '/v1/watch',
      {
        config: { access: 'signed-in' },
        schema: {
          tags: ['resources'],
          operationId: 'watch',
          summary: 'Follow the objects of a workspace as server-sent events',
          querystring: WatchQuery,
          produces: ['text/event-stream'],
          response: { 200: z.string().describe('text/event-stream of WatchEvent') },
        },
      },
      async (request, reply) => {
        const scope = scopeOfKey(request.query.scope)
        await requireWorkspace(scope)
        const lastId = request.headers['last-event-id']
        // A reconnect sends the newer of the two in the header.
        const since = typeof lastId === 'string' && lastId !== '' ? lastId : request.query.since
        const gone = new AbortController()
        request.raw.socket.once('close', () => gone.abort())
        const wanted = { scope, kinds: watchedKinds(request.query.kinds, kinds), since }
        const events = await watches.open(callerOf(request), wanted, AbortSignal.any([closing.signal, gone.signal]), keepAliveMs)
        reply.hijack()
        const response = reply.raw
        for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) response.setHeader(name, value)
        response.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'x-accel-buffering': 'no',
          // Its end is the end of the connection, so that a stopping listener has nothing left to wait for.
          connection: 'close',
        })
        // The client sees the stream open before the first listing is read.
        response.flushHeaders()
        try {
          for await (const event of events) {
            await send(response, event, gone.signal)
            await turn()
          }
        } catch (error) {
          // A reader that went away while its socket was full is no failure.
          if (!gone.signal.aborted) log.warn({ err: error, requestId: request.id }, 'a watch broke')
        }
        response.end()
      },
    )
  }

async function send(response: ServerResponse, { type, id, object }: Sent, gone: AbortSignal): Promise<void> {
  const data = JSON.stringify(object ? { type, object } : { type })
  const flowing = response.write(`event: ${type}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`)
  if (!flowing) await once(response, 'drain', { signal: gone })
}
