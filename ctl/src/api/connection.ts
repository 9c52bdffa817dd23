import { isLoopbackHost } from '@mcpg/core/http-guard'
import { parsePins } from '@mcpg/core/pins'
import type { PinAdvice, TrustProblem } from '@mcpg/core/tls-trust'
import { McpgError } from '@mcpg/proto/errors'
import type { RunFile } from '@mcpg/proto/run-files'

/** A listener of ours as a command reaches it. `url` has no fragment; `fetch` throws McpgError where TLS is the reason. */
export type Connection = { url: string; fetch: typeof fetch }

/** Words for the place where a URL came from. */
export type UrlSource = {
  /** For a URL that is malformed or refused: how it is written and where it is given. */
  hint: string
  pin: PinAdvice
}

export const controlPlaneUrl: UrlSource = {
  hint: 'write it like http://127.0.0.1:7843 or https://<host>:7843#pin=sha256:… (--cp-url, MCPG_CP_URL)',
  pin: {
    carrier: 'the URL of the control plane',
    again: 'take the pin from an enrollment URL or from mcpg-ctl status on the machine of the control plane (--cp-url, MCPG_CP_URL)',
  },
}

/**
 * Opens nothing yet. Throws McpgError for a URL that is none, and for plain http to another machine unless it is allowed. A pin in the
 * fragment (`#pin=sha256:…`) is what an https listener is held against, else `ca` (PEM); without both the roots of this machine count
 * (NODE_EXTRA_CA_CERTS adds to them).
 */
export function connection(
  text: string,
  { insecurePlaintext, source, ca }: { insecurePlaintext: boolean; source: UrlSource; ca?: string | undefined },
): Connection {
  const url = checked(text, insecurePlaintext, source)
  const pins = parsePins(url.hash)
  if (!pins)
    throw new McpgError(
      'invalid',
      'malformed_url',
      `The fragment of ${url.origin} is not #pin=sha256:<43 characters>; it may have been cut.`,
      {
        hint: source.hint,
      },
    )
  url.hash = ''
  if (url.protocol === 'http:') return { url: url.href, fetch: (input, init) => fetch(input, init) }
  const isPrivate = pins.length > 0 || ca !== undefined
  let trusting: Promise<typeof fetch> | undefined
  return { url: url.href, fetch: secureFetch }

  async function secureFetch(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
    try {
      // A failed look is repeated by the next call: the host may not have been there yet.
      trusting ??= privateFetch().catch((error: unknown) => {
        trusting = undefined
        throw error
      })
      return await (
        await trusting
      )(input, init)
    } catch (error) {
      if (error instanceof McpgError) throw error
      const problem = await (await trust()).explainTls(error, { origin: url.origin, hasPin: isPrivate, advice: source.pin })
      throw problem ? trustError(problem) : error
    }
  }

  async function privateFetch(): Promise<typeof fetch> {
    if (!isPrivate) return fetch
    const roots = pins!.length > 0 ? await pinnedRoots() : (ca ?? [])
    return (await import('./pinned-fetch.ts')).fetchTrusting(roots)
  }

  async function pinnedRoots(): Promise<string[]> {
    const found = await (await trust()).rootsByPin(url.origin, pins!, source.pin, AbortSignal.timeout(15_000))
    if ('problem' in found) throw trustError(found.problem)
    return found.roots
  }
}

/** Only what speaks TLS waits for it. */
const trust = () => import('@mcpg/core/tls-trust')

/** The control plane that a run file is of: the file is its own word, so what it pins is believed. Null for a program without REST. */
export function localConnection(
  { endpoints, pins }: Pick<RunFile, 'endpoints' | 'pins'>,
  { insecurePlaintext = true } = {},
): Connection | null {
  const url = endpoints['http']
  return url === undefined ? null : connection(pinned(url, pins), { insecurePlaintext, source: controlPlaneUrl })
}

const pinned = (url: string, pins: string[] = []) => (pins.length > 0 ? `${url}#pin=${pins.join(',')}` : url)

/** Plain text to another machine. */
export function isExposed(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && !isLoopbackHost(hostname)
}

function checked(text: string, insecurePlaintext: boolean, { hint }: UrlSource): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || !/^https?:$/.test(url.protocol))
    throw new McpgError('invalid', 'malformed_url', `"${text}" is not a URL that begins with http:// or https://.`, { hint })
  if (isExposed(url.href) && !insecurePlaintext)
    throw new McpgError(
      'invalid',
      'plaintext_refused',
      `${url.origin} is plain http to another machine: everybody on the way could read and change it.`,
      {
        hint: 'use https, or --insecure-plaintext on a network you trust',
      },
    )
  return url
}

function trustError({ code, reason, message, hint }: TrustProblem): McpgError {
  return new McpgError(code, reason, `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`, { hint })
}
