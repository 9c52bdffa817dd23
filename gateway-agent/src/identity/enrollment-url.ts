import { createHash } from 'node:crypto'
import { isLoopbackHost } from '@mcpg/core/http-guard'
import { parsePins } from '@mcpg/core/pins'
import { McpgError } from '@mcpg/proto/errors'

/** What an enrollment URL says; `token` is a secret, the rest may be shown. */
export type EnrollmentUrl = {
  /** `http://127.0.0.1:7843` */
  origin: string
  token: string
  /** Lower-case hex; how an identity remembers which URL it came from. */
  tokenSha256: string
  /** Of the authority that `https://` is verified against; none: the roots of this machine. */
  pins: string[]
  /** True for `http://` to a host that is not this machine. */
  isExposed: boolean
}

const shape =
  'it looks like http://127.0.0.1:7843/enroll/mcpg_enr_… or https://<host>:7843/enroll/mcpg_enr_…#pin=sha256:…, in single quotes; get one with: mcpg-ctl enroll create'

/** Throws McpgError `invalid` that says what a right one looks like; the message never holds the token. */
export function parseEnrollmentUrl(text: string, { insecurePlaintext }: { insecurePlaintext: boolean }): EnrollmentUrl {
  let url: URL
  try {
    url = new URL(text.trim())
  } catch {
    throw invalid('The enrollment URL is not a URL')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalid(`The enrollment URL begins with ${url.protocol} instead of http: or https:`)
  if (url.username || url.password) throw invalid('The enrollment URL must not contain a user name or a password')
  const token = /^\/enroll\/([^/]+)\/*$/.exec(url.pathname)?.[1]
  if (!token) throw invalid(`The enrollment URL of ${url.origin} has no /enroll/<token> as its path`)
  if (url.search) throw invalid(`The enrollment URL of ${url.origin} must not have a query`)
  const isLoopback = isLoopbackHost(url.hostname)
  const pins = parsePins(url.hash)
  if (!pins)
    throw invalid(`The enrollment URL of ${url.origin} has a fragment that is not #pin=sha256:<43 characters>; it may have been cut`)
  if (url.protocol === 'http:' && !isLoopback && !insecurePlaintext)
    throw new McpgError('invalid', 'plaintext_refused', `${url.origin} would carry the enrollment token unencrypted over the network`, {
      hint: 'use the https:// URL, or --insecure-plaintext if the network is yours alone',
    })
  return {
    origin: url.origin,
    token,
    tokenSha256: createHash('sha256').update(token).digest('hex'),
    // Where nothing is encrypted there is no certificate to hold against it.
    pins: url.protocol === 'https:' ? pins : [],
    isExposed: url.protocol === 'http:' && !isLoopback,
  }
}

const invalid = (message: string) => new McpgError('invalid', 'malformed_enrollment_url', `${message}.`, { hint: shape })
