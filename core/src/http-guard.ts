/**
 * The rules that every HTTP listener of this project applies before authentication, to every method. Loopback is no boundary in a
 * browser: a page on another port of 127.0.0.1 sends cookies along and reaches us without a preflight, and a name that resolves to
 * 127.0.0.1 makes any page "same origin". So Host must be ours, a named Origin must be ours, and what a browser itself marks as coming
 * from elsewhere is refused. Requests without these headers (CLI, curl, MCP clients) pass.
 */
export type GuardedRequest = {
  method: string
  host: string | undefined
  origin: string | undefined
  secFetchSite: string | undefined
  secFetchMode: string | undefined
  secFetchDest: string | undefined
}

export type GuardRules = {
  scheme: 'http' | 'https'
  /** The port that is really listened on. */
  port: number
  /** Further names (`--allowed-host`), with a port or without, which then means any. */
  allowedHosts: readonly string[]
  /** Further origins (`--allowed-origin`), e.g. of a proxy that ends TLS. */
  allowedOrigins: readonly string[]
}

export type Refusal = { reason: 'host_not_allowed' | 'origin_not_allowed' | 'cross_site'; message: string; hint: string }

/** Null when the request may go on, else why it is answered 403. */
export function checkRequest(request: GuardedRequest, rules: GuardRules): Refusal | null {
  const { host, origin } = request
  if (!isOurHost(host, rules))
    return {
      reason: 'host_not_allowed',
      message: `The request names the host "${printable(host ?? '')}", which is not a name of this listener.`,
      hint: 'Use the address that was printed at the start, or name this one with --allowed-host.',
    }
  // An origin that the operator named passes Sec-Fetch-Site too: by definition it is another site or port than ours, so a browser
  // marks its requests cross-site or same-site, and --allowed-origin could never admit anybody.
  const namedByOperator = origin !== undefined && isAllowedOrigin(origin, rules)
  if (origin !== undefined && !namedByOperator && !isOwnOrigin(origin, rules))
    return {
      reason: 'origin_not_allowed',
      message: `Pages of the origin "${printable(origin)}" may not call this listener.`,
      hint: 'Name it with --allowed-origin if you trust it.',
    }
  if (!namedByOperator && !comesFromOurselves(request))
    return {
      reason: 'cross_site',
      message: `A browser sent this request for a page of another site or port (Sec-Fetch-Site: ${printable(request.secFetchSite ?? '')}).`,
      hint: 'Open the address directly instead of from another page.',
    }
  return null
}

/**
 * True when a body of this type may be read: JSON, and merge-patch for PATCH. A page of another origin can send neither without a
 * preflight. A request without a body passes.
 */
export function acceptsBody(method: string, contentType: string | undefined, hasBody: boolean): boolean {
  if (!hasBody) return true
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  return type === 'application/json' || (method === 'PATCH' && type === 'application/merge-patch+json')
}

/** True for 127.0.0.0/8, ::1 and localhost; brackets around an IPv6 address are allowed. */
export function isLoopbackHost(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || name === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
}

function isOurHost(host: string | undefined, { scheme, port, allowedHosts }: GuardRules): boolean {
  const asked = splitHost(host, scheme)
  if (!asked) return false
  if (isLoopbackHost(asked.name)) return asked.port === port
  return allowedHosts.some((allowed) => {
    const own = splitHost(allowed, scheme)
    return own !== null && own.name === asked.name && (!own.hasPort || own.port === asked.port)
  })
}

/** Scheme, host and port of this listener, all three. */
function isOwnOrigin(origin: string, rules: GuardRules): boolean {
  const prefix = `${rules.scheme}://`
  return origin.startsWith(prefix) && isOurHost(origin.slice(prefix.length), rules)
}

function isAllowedOrigin(origin: string, { allowedOrigins }: GuardRules): boolean {
  // Sandboxed frames and files send the word null; it names nobody and can never be allowed.
  return origin !== 'null' && allowedOrigins.some((allowed) => allowed.replace(/\/$/, '').toLowerCase() === origin.toLowerCase())
}

function comesFromOurselves({ method, secFetchSite, secFetchMode, secFetchDest }: GuardedRequest): boolean {
  if (secFetchSite === undefined || secFetchSite === 'same-origin' || secFetchSite === 'none') return true
  // A link on another page that is followed in the whole window reads nothing for that page.
  return method === 'GET' && secFetchMode === 'navigate' && secFetchDest === 'document'
}

function splitHost(host: string | undefined, scheme: 'http' | 'https'): { name: string; port: number; hasPort: boolean } | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i.exec(host ?? '')
  if (!match) return null
  const name = match[1]!.toLowerCase().replace(/\.$/, '')
  return { name, port: match[2] ? Number(match[2]) : scheme === 'https' ? 443 : 80, hasPort: match[2] !== undefined }
}

/** A header of a stranger, short and without control characters. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)
}
