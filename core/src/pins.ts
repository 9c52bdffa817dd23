import { createHash, X509Certificate } from 'node:crypto'

/**
 * The pin of a certificate: `sha256:` and base64url of SHA-256 over its SubjectPublicKeyInfo. It stays the same when the certificate is made
 * anew for the same key.
 */
export function pinOf({ publicKey }: X509Certificate): string {
  return `sha256:${createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')}`
}

/**
 * Reads the fragment of a URL, `#pin=sha256:<43 characters>[,sha256:…]`. None for an empty fragment; null for one that is something else or
 * was cut in the middle of a pin.
 */
export function parsePins(fragment: string): string[] | null {
  if (fragment === '' || fragment === '#') return []
  const list = /^#pin=(.+)$/.exec(fragment)?.[1]
  const pins = list?.split(',').map((pin) => pin.replace(/=+$/, ''))
  return pins?.every((pin) => /^sha256:[A-Za-z0-9_-]{43}$/.test(pin)) ? pins : null
}

/** The certificates of a PEM text in their order; what is no certificate is left out. */
export function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)]
    } catch {
      return []
    }
  })
}
