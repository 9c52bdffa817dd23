import type { FastifyInstance } from 'fastify'
import type { Log } from '@mcpg/core/log'
import { pathOf } from './path-of.ts'

/** Probes and scrapers come every few seconds and say nothing. */
const quiet = new Set(['/healthz', '/readyz', '/metrics'])

/** One line per answered request, with its id, which also goes back as `x-request-id`. */
export function logRequests(app: FastifyInstance, log: Log): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.addHook('onResponse', async (request, reply) => {
    const path = pathOf(request)
    const level = quiet.has(path) ? 'trace' : 'debug'
    log[level](
      { method: request.method, path, status: reply.statusCode, ms: Math.round(reply.elapsedTime), requestId: request.id },
      'request',
    )
  })
}
