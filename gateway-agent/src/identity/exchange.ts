import { Agent, request, type Dispatcher } from 'undici'
import { httpsOnlyText } from '@mcpg/core/only-tls'
import { explainTls, rootsByPin } from '@mcpg/core/tls-trust'
import { McpgError } from '@mcpg/proto/errors'
import { errorOfProblem, Problem } from '@mcpg/proto/problem'
import type { EnrollmentUrl } from './enrollment-url.ts'
import { trustError, urlAdvice } from './trust.ts'

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
 * The roots to hold the control plane against: those that the URL pins, undefined for those of this machine. No request of it has the token.
 * Throws TryAgain while nobody answers and McpgError `pin_mismatch` when it is not the one that was pinned.
 */
export async function pinnedRoots(url: EnrollmentUrl, signal: AbortSignal): Promise<string[] | undefined> {
  if (url.pins.length === 0) return undefined
  try {
    const found = await rootsByPin(url.origin, url.pins, urlAdvice, signal)
    if ('problem' in found) throw trustError(found.problem)
    return found.roots
  } catch (error) {
    throw await failure(url, error, signal)
  }
}

/**
 * GET or POST of an enrollment URL; the answer's JSON. `roots` are those of `pinnedRoots`: the token is part of the path, so it is sent only
 * once the other side has proven itself, and no error of the HTTP client is passed on in words. Throws TryAgain for what passes by
 * itself and McpgError for a refusal.
 */
export async function exchange(
  url: EnrollmentUrl,
  method: 'GET' | 'POST',
  body: string | undefined,
  { roots, signal }: { roots: string[] | undefined; signal: AbortSignal },
): Promise<unknown> {
  const dispatcher = new Agent({ connect: roots ? { ca: roots } : {} })
  try {
    const answer = await request(`${url.origin}/enroll/${url.token}`, {
      dispatcher,
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal,
    })
    return read(url, answer, await limited(answer))
  } catch (error) {
    throw await failure(url, error, signal)
  } finally {
    // A kept connection would hold up the end of the process.
    await dispatcher.destroy()
  }
}

async function failure(url: EnrollmentUrl, error: unknown, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted || error instanceof McpgError || error instanceof TryAgain) return error
  const problem = await explainTls(error, { origin: url.origin, hasPin: url.pins.length > 0, advice: urlAdvice })
  if (problem) return trustError(problem)
  if (isOtherProtocol(error)) return notAControlPlane(url, 'does not speak HTTP as a control plane does')
  return new TryAgain(`the control plane at ${url.origin} ${unreachable(error)}`, 0, error)
}

function read(url: EnrollmentUrl, answer: Dispatcher.ResponseData, text: string): unknown {
  const retryAfterMs = Number(answer.headers['retry-after'] ?? 0) * 1000 || 0
  if (answer.statusCode === 429) throw new TryAgain(`the control plane at ${url.origin} is busy`, retryAfterMs)
  if ([502, 503, 504].includes(answer.statusCode))
    throw new TryAgain(`the control plane at ${url.origin} is not ready (${answer.statusCode})`, retryAfterMs)
  const value = parse(text)
  if (answer.statusCode === 200 && value !== undefined) return value
  if (text === httpsOnlyText)
    throw new McpgError('invalid', 'tls_required', `${url.origin} speaks HTTPS and nothing else.`, {
      hint: 'use the https:// URL with its #pin=sha256:…, in single quotes; get one with: mcpg-ctl enroll create',
    })
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
