import type { FastifyInstance } from 'fastify'
import { acceptsBody, checkRequest, type GuardRules } from '@mcpg/core/http-guard'
import { McpgError } from '@mcpg/proto/errors'
import { pathOf } from './path-of.ts'

/** Probes name whatever host they were given. */
const anyHost = new Set(['/healthz', '/readyz'])

/** Host, Origin, Sec-Fetch-Site and content type, before anything else and for every method and path. */
export function guard(app: FastifyInstance, rules: () => GuardRules): void {
  app.addHook('onRequest', async (request) => {
    const { headers, method } = request
    if (!(anyHost.has(pathOf(request)) && (method === 'GET' || method === 'HEAD'))) {
      const refusal = checkRequest(
        {
          method,
          host: headers.host,
          origin: headers.origin,
          secFetchSite: one(headers['sec-fetch-site']),
          secFetchMode: one(headers['sec-fetch-mode']),
          secFetchDest: one(headers['sec-fetch-dest']),
        },
        rules(),
      )
      if (refusal) throw new McpgError('forbidden', refusal.reason, refusal.message, { hint: refusal.hint })
    }
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    if (!acceptsBody(method, headers['content-type'], hasBody))
      throw new McpgError(
        'unsupported',
        'media_type_not_supported',
        'Bodies are accepted as application/json only, of a PATCH as application/merge-patch+json too.',
        {
          status: 415,
        },
      )
  })
}

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value.join(', ') : value)
