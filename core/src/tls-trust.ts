/*
 * Whom a program of ours believes over TLS, the same for an agent that enrolls and for a person's command line.
 *
 * With a pin: the roots are fetched from `/v1/ca-cert.pem` over a connection that is not verified, on which nothing else is said; those
 * whose key has the pin are kept, and every later connection is verified against them and nothing else. Without a pin the roots of the system
 * count. Either way a failure is told in words, with both clocks where a certificate fails by its dates.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { certificatesOf, pinOf } from './pins.ts'

export type TrustProblem = {
  /** How it counts in the one table of errors. */
  code: 'invalid' | 'unauthenticated' | 'failed_precondition'
  reason:
    | 'pin_mismatch'
    | 'pin_lost'
    | 'certificate_untrusted'
    | 'certificate_name_mismatch'
    | 'certificate_expired'
    | 'clock_skew'
    | 'tls_expected'
  message: string
  hint: string
}

const timeoutMs = 15_000
const maxPemBytes = 256 * 1024
/** Certificates are dated back by this much, so a clock may be wrong by it. */
export const toleratedSkewMs = 5 * 60_000

/** What to do about a URL whose pin is wrong or missing. */
export type PinAdvice = {
  /** What carries the pin, e.g. "the enrollment URL". */
  carrier: string
  /** How to come by it again, e.g. a command. */
  again: string
  /** False for URLs that never had one, so that none can be lost. */
  isUsual?: boolean
}

/**
 * PEM of the roots of `origin` whose keys have one of the pins. A host that cannot be reached throws as node:https does; what it answers
 * never does.
 */
export async function rootsByPin(
  origin: string,
  pins: readonly string[],
  { carrier, again }: PinAdvice,
  signal: AbortSignal,
): Promise<{ roots: string[] } | { problem: TrustProblem }> {
  const { status, text } = await unverifiedGet(`${origin}/v1/ca-cert.pem`, signal)
  const offered = status === 200 ? certificatesOf(text) : []
  // The others of the answer may be anybody's: only what the pin names is believed.
  const roots = offered.filter((root) => pins.includes(pinOf(root)))
  if (roots.length > 0) return { roots: roots.map((root) => root.toString()) }
  const found = offered.length > 0 ? `is ${offered.map(pinOf).join(' or ')}` : `cannot be read (GET /v1/ca-cert.pem: ${status})`
  return {
    problem: {
      code: 'unauthenticated',
      reason: 'pin_mismatch',
      message: `${carrier} pins the certificate authority of ${origin} to ${pins.join(' or ')}, but it ${found}. Nothing secret was sent`,
      hint: `somebody may stand between this machine and the control plane, or its certificate authority was replaced; compare the pins, then ${again}`,
    },
  }
}

/** What a failed connection to `origin` means, as far as TLS is the reason; null when it is something else. `hasPin`: roots were pinned. */
export async function explainTls(
  error: unknown,
  { origin, hasPin, advice: { carrier, again, isUsual = true } }: { origin: string; hasPin: boolean; advice: PinAdvice },
): Promise<TrustProblem | null> {
  const kind = kindOf(error)
  switch (kind) {
    case 'dates':
      return datesProblem(error, origin)
    case 'name':
      return {
        code: 'failed_precondition',
        reason: 'certificate_name_mismatch',
        message: `The certificate of ${origin} is for other names: ${namesOf(error)}`,
        hint: 'use one of these names, or let the control plane know this one: mcpg-ctl serve --external-url',
      }
    case 'plain':
      return {
        code: 'invalid',
        reason: 'tls_expected',
        message: `${origin} does not speak TLS`,
        hint: 'check host and port; a control plane on this machine alone speaks http://',
      }
    case 'authority':
      if (hasPin)
        return {
          code: 'unauthenticated',
          reason: 'certificate_untrusted',
          message: `The certificate of ${origin} was not issued by the authority that ${carrier} pins. Nothing secret was sent`,
          hint: `somebody may stand between this machine and the control plane; ${again}`,
        }
      if (!isUsual)
        return {
          code: 'unauthenticated',
          reason: 'certificate_untrusted',
          message: `The certificate of ${origin} comes from an authority that this machine does not trust`,
          hint: again,
        }
      return {
        code: 'invalid',
        reason: 'pin_lost',
        message: `The certificate of ${origin} comes from a private authority, and ${carrier} has no #pin=sha256:… at its end. It was probably lost: shells and chat programs cut at the #. Nothing secret was sent`,
        hint: `put the whole URL in single quotes ('${origin}/…#pin=sha256:…'), or ${again}; for an authority of your own set NODE_EXTRA_CA_CERTS=<its PEM file>`,
      }
    case null:
      return null
  }
}

async function datesProblem(error: unknown, origin: string): Promise<TrustProblem> {
  const here = Date.now()
  const there = await serverTime(origin)
  if (there !== null && Math.abs(here - there) > toleratedSkewMs)
    return {
      code: 'failed_precondition',
      reason: 'clock_skew',
      message: `The clocks differ: it is ${iso(here)} on this machine and ${iso(there)} at ${origin}, so its certificate ${codeOf(error) === 'CERT_NOT_YET_VALID' ? 'is not valid yet' : 'seems to have expired'}`,
      hint: 'set the clock right, e.g. timedatectl set-ntp true',
    }
  return {
    code: 'failed_precondition',
    reason: 'certificate_expired',
    message: `The certificate of ${origin} ${codeOf(error) === 'CERT_NOT_YET_VALID' ? 'is not valid yet' : 'has expired'}`,
    hint: 'see why it was not renewed: mcpg-ctl logs control-plane, there',
  }
}

/** The clock of a listener by the Date of an answer; not verified, so fit for an explanation and nothing more. */
export async function serverTime(origin: string, signal: AbortSignal = AbortSignal.timeout(timeoutMs)): Promise<number | null> {
  try {
    const { date } = await unverifiedGet(`${origin}/healthz`, signal)
    return Number.isNaN(date) ? null : date
  } catch {
    return null
  }
}

/** Codes of node:tls and OpenSSL, wherever a client has wrapped them. */
function kindOf(error: unknown): 'authority' | 'dates' | 'name' | 'plain' | null {
  const code = codeOf(error)
  if (authorityCodes.has(code)) return 'authority'
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return 'dates'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'name'
  return code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' ? 'plain' : null
}

const authorityCodes = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
])

/** The code of the innermost error that has one. */
function codeOf(error: unknown): string {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const { code } = inner as NodeJS.ErrnoException
    if (typeof code === 'string' && !code.startsWith('UND_ERR')) return code
  }
  return ''
}

function namesOf(error: unknown): string {
  for (let inner = error; inner instanceof Error; inner = inner.cause)
    if ('cert' in inner) {
      const { subjectaltname } = inner.cert as { subjectaltname?: string }
      return (subjectaltname ?? 'none').replaceAll(/(DNS|IP Address):/g, '')
    }
  return 'none that could be read'
}

const iso = (ms: number) => new Date(ms).toISOString()

/** GET without a look at the certificate. Never for anything secret, and what comes back is checked by other means. */
function unverifiedGet(url: string, signal: AbortSignal): Promise<{ status: number; text: string; date: number }> {
  return new Promise((resolve, reject) => {
    const read = (answer: IncomingMessage) => {
      const chunks: Buffer[] = []
      let size = 0
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxPemBytes) answer.destroy(new Error('the answer is too long'))
        else chunks.push(chunk)
      })
      answer.on('error', reject)
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          text: Buffer.concat(chunks).toString(),
          date: Date.parse(answer.headers.date ?? ''),
        }),
      )
    }
    const options = { agent: false as const, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) }
    const request = url.startsWith('https:')
      ? httpsRequest(url, { ...options, rejectUnauthorized: false }, read)
      : httpRequest(url, options, read)
    request.on('error', reject).end()
  })
}
