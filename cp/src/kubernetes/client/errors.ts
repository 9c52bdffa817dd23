import { McpgError } from '@mcpg/proto/errors'

/** What was asked, for the sentence about why it was not done. */
export type Asked = { server: string; method: string; path: string }

/** Of an API server; `details.causes` name the fields it did not accept. */
type Status = { message?: string; reason?: string; details?: { causes?: { reason?: string; message?: string; field?: string }[] } }

/** Reasons that may be gone in a moment; the others are for a person. */
const passing = new Set(['InternalError', 'ServerTimeout', 'Timeout', 'TooManyRequests', 'ServiceUnavailable'])

export const isMissing = (error: unknown) => error instanceof McpgError && error.reason === 'cluster_object_not_found'

/** A connection that did not come about, in words that a person can act on. */
export function explainTransport({ server }: Asked, error: unknown, timeoutMs: number): McpgError {
  const { code, message } = rootOf(error)
  const of = `The API server ${server}`
  if (code && certificateCodes.has(code))
    return new McpgError(
      'failed_precondition',
      'cluster_certificate_not_trusted',
      `${of} shows a certificate that the given authority did not issue for it (${message}).`,
      { hint: 'give the certificate authority of this cluster: mcpg-ctl cluster register … --ca-file <file>', cause: error },
    )
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return unreachable(
      `${of} has a name that is not known here (${code}).`,
      'check the name and the name service of the control plane',
      error,
    )
  if (code === 'ECONNREFUSED')
    return unreachable(`${of} refuses connections: nothing listens there.`, 'is it running, and is the port right?', error)
  if (error instanceof Error && (error.name === 'TimeoutError' || code === 'UND_ERR_CONNECT_TIMEOUT'))
    return unreachable(
      `${of} did not answer within ${timeoutMs / 1000} s.`,
      'can the control plane reach it through the firewalls between them?',
      error,
    )
  return unreachable(`${of} could not be asked: ${message}.`, 'is it running, and can the control plane reach it?', error)
}

/** An answer other than success; `tokenEnds` is when the token that was shown ends by its own word, in milliseconds since 1970. */
export function explainStatus(asked: Asked, status: number, body: string, tokenEnds?: number): McpgError {
  const { message, reason, details } = statusOf(body)
  const what = `${asked.method} ${asked.path}`
  const said = message ?? `status ${status}`
  if (status === 401)
    return new McpgError(
      'failed_precondition',
      'cluster_credentials_refused',
      `The API server ${asked.server} does not accept the credentials: ${whyRefused(tokenEnds)}.`,
      { hint: 'make a new token and register the cluster again: kubectl create token mcpg-control-plane' },
    )
  if (status === 403 && details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating'))
    return new McpgError(
      'unavailable',
      'namespace_terminating',
      `The namespace is being deleted, and takes nothing new until it is gone (${said}).`,
      {
        hint: 'wait, or look at what keeps it: kubectl get namespace -o yaml',
      },
    )
  if (status === 403 && /exceeded quota/.test(said))
    return new McpgError('failed_precondition', 'cluster_quota_exceeded', `A ResourceQuota of the cluster does not allow it: ${said}.`, {
      hint: 'raise the quota of the namespace, or delete what uses it',
    })
  if (status === 403)
    return new McpgError('failed_precondition', 'cluster_forbidden', `The account of the control plane may not do this: ${said}.`, {
      hint: 'grant it the published role: mcpg-ctl install kubernetes --access-only -o yaml | kubectl apply -f -',
    })
  if (status === 404) return new McpgError('not_found', 'cluster_object_not_found', `The cluster has no such object (${what}).`)
  if (status === 409) return new McpgError('conflict', 'cluster_conflict', `Somebody else changed it at the same time: ${said}.`)
  if (status === 422 || status === 400)
    return new McpgError('failed_precondition', 'cluster_refused_object', `The API server refuses the object: ${said}.`)
  if (status === 429 || status >= 500 || passing.has(reason ?? ''))
    return new McpgError('unavailable', 'cluster_unavailable', `The API server ${asked.server} cannot answer now (${what}): ${said}.`)
  return new McpgError('failed_precondition', 'cluster_refused', `The API server ${asked.server} refuses ${what}: ${said}.`)
}

function whyRefused(tokenEnds: number | undefined): string {
  if (tokenEnds === undefined) return 'the token is expired, revoked or of another cluster'
  const ends = new Date(tokenEnds).toISOString()
  return tokenEnds < Date.now() ? `the token expired at ${ends}` : `the token, good until ${ends}, is revoked or of another cluster`
}

const certificateCodes = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

const unreachable = (message: string, hint: string, cause: unknown) =>
  new McpgError('unavailable', 'cluster_unreachable', message, { hint, cause })

/** fetch says "fetch failed"; why stands in its causes. */
function rootOf(error: unknown): { code?: string; message: string } {
  let found = error
  while (found instanceof Error && found.cause instanceof Error) found = found.cause
  if (!(found instanceof Error)) return { message: String(found) }
  const { code } = found as NodeJS.ErrnoException
  return { ...(typeof code === 'string' ? { code } : {}), message: found.message || (typeof code === 'string' ? code : found.name) }
}

function statusOf(body: string): Status {
  try {
    return JSON.parse(body) as Status
  } catch {
    return {}
  }
}
