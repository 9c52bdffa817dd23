import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Log } from '@mcpg/core/log'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import { WatchQuery } from '@mcpg/proto/rest/watch'
import { refuseStranger } from '../access/seen.ts'
import { callerOf } from '../http/access-rules.ts'
import { longAnswers } from '../http/long-answer.ts'
import { scopeOfKey, type Scope } from '../resources/scope.ts'
import { turn } from '../turns.ts'
import { watchedKinds, type Sent, type Watches } from './watch.ts'

/** `GET /v1/watch`, an SSE stream; its form is told in `@mcpg/proto/rest/watch`. */
export const watchRoutes =
  (
    watches: Watches,
    log: Log,
    { keepAliveMs, kinds, requireScope }: { keepAliveMs: number; kinds: KindDeclaration[]; requireScope: (scope: Scope) => Promise<void> },
  ): FastifyPluginAsyncZod =>
  async (app) => {
    const long = longAnswers(app)
    app.get(
      '/v1/watch',
      {
        config: { access: 'signed-in' },
        schema: {
          tags: ['resources'],
          operationId: 'watch',
          summary: 'Follow the objects of a workspace, a project or an organization as server-sent events',
          querystring: WatchQuery,
          produces: ['text/event-stream'],
          response: { 200: z.string().describe('text/event-stream of WatchEvent') },
        },
      },
      async (request, reply) => {
        const scope = scopeOfKey(request.query.scope)
        refuseStranger(callerOf(request), scope)
        await requireScope(scope)
        const lastId = request.headers['last-event-id']
        // A reconnect sends the newer of the two in the header.
        const since = typeof lastId === 'string' && lastId !== '' ? lastId : request.query.since
        const { gone, ended } = long.signalOf(request)
        const wanted = { scope, kinds: watchedKinds(request.query.kinds, scope, kinds), since }
        const events = await watches.open(callerOf(request), wanted, ended, keepAliveMs)
        // The client sees the stream open before the first listing is read.
        const { write, end } = long.begin(reply, 'text/event-stream; charset=utf-8', gone)
        try {
          for await (const event of events) {
            await write(textOf(event))
            await turn()
          }
        } catch (error) {
          // A reader that went away while its socket was full is no failure.
          if (!gone.aborted) log.warn({ err: error, requestId: request.id }, 'a watch broke')
        }
        end()
      },
    )
  }

function textOf({ type, id, object }: Sent): string {
  const data = JSON.stringify(object ? { type, object } : { type })
  return `event: ${type}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`
}
