import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod'
import type { Log } from '@mcpg/core/log'
import { McpgError, type ErrorCode, type Violation } from '@mcpg/proto/errors'
import { problemOf } from '@mcpg/proto/problem'
import { pathOf } from './path-of.ts'

/** The only place that turns an error into an answer: an RFC 9457 problem document. `answered` hears of each. */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { log, answered }: { log: Log; answered: (request: FastifyRequest, failure: McpgError) => void },
): FastifyReply {
  const failure = asMcpgError(error)
  answered(request, failure)
  if (failure.status >= 500 && failure.status !== 503)
    log.error({ err: error, requestId: request.id, path: pathOf(request) }, 'request failed')
  if (failure.retryAfterSeconds !== undefined) reply.header('retry-after', String(failure.retryAfterSeconds))
  if (failure.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="mcpg"')
  return (
    reply
      .code(failure.status)
      .type('application/problem+json')
      // Otherwise a response schema of the route would be applied to the problem and turn a 404 into a 500.
      .serializer(JSON.stringify)
      .send(problemOf(failure, { instance: pathOf(request), requestId: request.id }))
  )
}

function asMcpgError(error: unknown): McpgError {
  if (error instanceof McpgError) return error
  if (hasZodFastifySchemaValidationErrors(error)) {
    const violations = error.validation.flatMap((issue) => violationsOf(error.validationContext, issue))
    return invalid(violations)
  }
  if (isResponseSerializationError(error)) return internal(error)
  // A body nested a hundred thousand deep is the only thing here that recurses that far.
  if (error instanceof RangeError && error.message.includes('call stack'))
    return new McpgError('invalid', 'too_deep', 'The body is nested too deeply.', { cause: error })
  const { statusCode, message } = (error ?? {}) as { statusCode?: number; message?: string }
  const code = statusCode === undefined ? undefined : codeOfStatus[statusCode]
  if (!code) return internal(error)
  return new McpgError(code, reasonOfStatus[statusCode!] ?? 'bad_request', message ?? 'The request was refused.', {
    status: statusCode,
    cause: error,
  })
}

/** All violations of one request in one error. */
export function invalid(violations: Violation[], status?: number): McpgError {
  const [first] = violations
  const detail =
    violations.length === 1 && first
      ? `${first.pointer || 'The request'} ${first.detail.replace(/\.$/, '')}.`
      : `${violations.length} things are wrong with the request${first ? `, the first: ${first.pointer || 'it'} ${first.detail}` : ''}.`
  return new McpgError('invalid', 'invalid_request', detail, { violations, status })
}

// Texts of unknown errors carry SQL, parameters and paths.
function internal(error: unknown): McpgError {
  return new McpgError('internal', 'internal', 'Something went wrong inside the control plane; its log has the details.', { cause: error })
}

type Issue = { instancePath: string; keyword: string; message?: string; params: Record<string, unknown> }

/** Of the body by plain pointer; of query, path and headers below their own word. */
function violationsOf(context: string | undefined, { instancePath, keyword, message, params }: Issue): Violation[] {
  const path = `${context === 'body' || context === undefined ? '' : `/${context}`}${instancePath === '/' ? '' : instancePath}`
  if (keyword === 'unrecognized_keys' && Array.isArray(params.keys))
    return params.keys.map((key) => ({ pointer: `${path}/${String(key)}`, detail: 'is not known here' }))
  return [{ pointer: path, detail: message ?? 'is not valid' }]
}

const codeOfStatus: Record<number, ErrorCode> = {
  400: 'invalid',
  404: 'not_found',
  405: 'unsupported',
  406: 'unsupported',
  413: 'too_large',
  414: 'too_large',
  415: 'unsupported',
  429: 'rate_limited',
  503: 'unavailable',
}
const reasonOfStatus: Record<number, string> = { 413: 'body_too_large', 415: 'media_type_not_supported' }
