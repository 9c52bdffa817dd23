import { isLoopbackHost } from '@mcpg/core/http-guard'
import { McpgError } from '@mcpg/proto/errors'

export const defaultControlPlane = 'http://127.0.0.1:7844'

/** `isSecure`: host:port alone stands for TLS, on loopback too, since that is where a certificate is asked for. */
export type EndpointRules = { insecurePlaintext: boolean; isSecure?: boolean }

/**
 * Base URL of a control plane's gRPC listener from `--cp-grpc`: a URL or host:port. Throws McpgError `invalid` when it is malformed or
 * would send the credential in plain text over a network.
 */
export function parseControlPlane(text: string, { insecurePlaintext, isSecure = false }: EndpointRules): string {
  const isPlain = !isSecure && (isLoopbackAuthority(text) || insecurePlaintext)
  const url = parse(text.includes('://') ? text : `${isPlain ? 'http' : 'https'}://${text}`)
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.search || url.hash || url.pathname !== '/')
    throw new McpgError('invalid', 'invalid_cp_grpc', `${JSON.stringify(text)} is not the address of a control plane`, {
      hint: `it looks like ${defaultControlPlane}`,
    })
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname) && !insecurePlaintext)
    throw new McpgError(
      'invalid',
      'plaintext_refused',
      `${url.origin} would carry the credential of this gateway unencrypted over the network`,
      {
        hint: 'use https://, or --insecure-plaintext if the network is yours alone',
      },
    )
  return url.origin
}

/** Where to dial, in order of preference: explicit > stored or answered at enrollment > default. */
export function controlPlanes(explicit: string | undefined, enrolled: string[], options: EndpointRules): string[] {
  if (explicit !== undefined) return [explicit]
  const usable = enrolled.flatMap((address) => {
    try {
      return [parseControlPlane(address, options)]
    } catch {
      return []
    }
  })
  return usable.length > 0 ? usable : [defaultControlPlane]
}

function parse(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

const isLoopbackAuthority = (text: string) => isLoopbackHost(parse(`http://${text}`)?.hostname ?? '')
