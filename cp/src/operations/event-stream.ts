import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '@mcpg/core/log'
import { McpgError } from '@mcpg/proto/errors'
import type { OperationEvent } from '@mcpg/proto/rest/operations'
import type { longAnswers } from '../http/long-answer.ts'
import type { Operations } from './service.ts'

/** Answers with the events of an operation as server-sent events, up to its last one; 204 where the reader has had that already. */
export function eventStream({
  long,
  operations,
  log,
  keepAliveMs,
}: {
  long: ReturnType<typeof longAnswers>
  operations: Pick<Operations, 'events' | 'isToldAll'>
  log: Log
  keepAliveMs: number
}) {
  return async function answer(request: FastifyRequest, reply: FastifyReply, operationId: string): Promise<void> {
    const after = lastEventId(request)
    if (await operations.isToldAll(operationId, after)) return void (await reply.code(204).send())
    const { gone, ended } = long.signalOf(request)
    reply.header('location', `/v1/operations/${operationId}`)
    const { write, mark, end } = long.begin(reply, 'text/event-stream; charset=utf-8', gone)
    const keepAlive = setInterval(() => mark(': keep-alive\n\n'), keepAliveMs)
    try {
      for await (const event of operations.events(operationId, after, ended)) await write(textOf(event))
    } catch (error) {
      if (!gone.aborted) log.warn({ err: error, requestId: request.id }, 'a stream of events of an operation broke')
    } finally {
      clearInterval(keepAlive)
    }
    end()
  }
}

const textOf = (event: OperationEvent): string => `event: ${event.phase}\nid: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`

function lastEventId({ headers }: FastifyRequest): number {
  const value = headers['last-event-id']
  if (value === undefined || value === '') return 0
  if (typeof value === 'string' && /^\d{1,9}$/.test(value)) return Number(value)
  throw new McpgError('invalid', 'last_event_id_malformed', 'Last-Event-ID must be the id of an event of this operation, a number.')
}
