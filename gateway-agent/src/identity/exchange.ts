import { request, type Dispatcher } from 'undici'
import { McpgError } from '@mcpg/proto/errors'
import { errorOfProblem, Problem } from '@mcpg/proto/problem'
import type { EnrollmentUrl } from './enrollment-url.ts'

/** No connection, or an answer that says "later"; `retryAfterMs` is what the control plane asked for. */
export class TryAgain extends Error {
  override name = 'TryAgain'
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs = 0, cause?: unknown) {
    super(message, { cause })
    this.retryAfterMs = retryAfterMs
  }
}

const timeoutMs = 30_000
const maxAnswerBytes = 1024 * 1024

const hints: Record<string, string> = {
  token_unknown: 'check the URL for a missing piece, or get a new one: mcpg-ctl enroll create',
  token_expired: 'get a new URL: mcpg-ctl enroll create',
  token_revoked: 'get a new URL: mcpg-ctl enroll create',
  token_already_used: 'one URL enrolls one gateway; get another: mcpg-ctl enroll create',
  instance_uid_in_use: 'choose another with --instance-uid, or delete the other one: mcpg-ctl delete gateway/<name>',
  instance_uid_mismatch: 'pass the uid that the enrollment expects with --instance-uid',
  source_not_allowed: 'run the agent where the enrollment allows it, or get a URL without --cidr',
}

/**
 * GET or POST of an enrollment URL; the answer's JSON. Throws TryAgain for what passes by itself and McpgError for a refusal. The token
 * is part of the path, so no error of the HTTP client is passed on in words.
 */
export async function exchange(
  url: EnrollmentUrl,
  method: 'GET' | 'POST',
  body: string | undefined,
  signal: AbortSignal,
): Promise<unknown> {
  let answer: Dispatcher.ResponseData
  let text: string
  try {
    answer = await request(`${url.origin}/enroll/${url.token}`, {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal,
      // One connection per request: a kept one would hold up the end of the process.
      reset: true,
    })
    text = await limited(answer)
  } catch (error) {
    if (signal.aborted || error instanceof McpgError) throw error
    if (isOtherProtocol(error)) throw notAControlPlane(url, 'does not speak HTTP as a control plane does')
    throw new TryAgain(`the control plane at ${url.origin} ${unreachable(error)}`, 0, error)
  }
  return read(url, answer, text)
}

function read(url: EnrollmentUrl, answer: Dispatcher.ResponseData, text: string): unknown {
  const retryAfterMs = Number(answer.headers['retry-after'] ?? 0) * 1000 || 0
  if (answer.statusCode === 429) throw new TryAgain(`the control plane at ${url.origin} is busy`, retryAfterMs)
  if ([502, 503, 504].includes(answer.statusCode))
    throw new TryAgain(`the control plane at ${url.origin} is not ready (${answer.statusCode})`, retryAfterMs)
  const value = parse(text)
  if (answer.statusCode === 200 && value !== undefined) return value
  const problem = Problem.safeParse(value)
  if (!problem.success) throw notAControlPlane(url, `answered ${answer.statusCode}, but not as a control plane does`)
  throw errorOfProblem({ ...problem.data, hint: problem.data.hint ?? hints[problem.data.reason] })
}

async function limited(answer: Dispatcher.ResponseData): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of answer.body as AsyncIterable<Buffer>) {
    size += part.length
    if (size > maxAnswerBytes) throw new McpgError('invalid', 'not_a_control_plane', 'The answer to the enrollment is over 1 MiB')
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function notAControlPlane(url: EnrollmentUrl, what: string): McpgError {
  return new McpgError('invalid', 'not_a_control_plane', `${url.origin} ${what}`, {
    hint: 'check host and port of the enrollment URL; the port for enrollment is 7843 by default',
  })
}

/** E.g. the port of the stream, which speaks HTTP/2. */
const isOtherProtocol = (error: unknown) => error instanceof Error && error.name === 'HTTPParserError'

const known: Record<string, string> = {
  ECONNREFUSED: 'does not answer (connection refused)',
  ECONNRESET: 'closed the connection',
  UND_ERR_SOCKET: 'closed the connection',
  EPIPE: 'closed the connection',
  ENOTFOUND: 'cannot be found (no such host name)',
  EAI_AGAIN: 'cannot be found (the name service does not answer)',
  EHOSTUNREACH: 'cannot be reached (no route to the host)',
  ENETUNREACH: 'cannot be reached (no network)',
}

function unreachable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (/TIMEOUT|TIMEDOUT/.test(code)) return 'does not answer in time'
  return known[code] ?? `cannot be reached (${code || 'unknown error'})`
}
