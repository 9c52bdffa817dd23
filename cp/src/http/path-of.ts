import type { FastifyRequest } from 'fastify'

/** The path of a request for logs and answers: without its query, and without the token of an enrollment URL. */
export function pathOf(request: FastifyRequest): string {
  const path = request.url.split('?', 1)[0] ?? ''
  return path.startsWith('/enroll/') ? '/enroll/[redacted]' : path
}
