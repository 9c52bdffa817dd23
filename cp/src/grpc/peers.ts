import type { TLSSocket } from 'node:tls'

/** A client certificate as it came with a connection. */
export type PeerCertificate = {
  /** Lower-case hex. */
  serial: string
  /** From the SPIFFE name; null when it has none. */
  gatewayId: string | null
  /** Milliseconds since 1970. */
  notAfter: number
  /** OpenSSL's word for what is wrong with the chain; null when it leads to one of our roots and is valid now. */
  untrusted: string | null
}

/** What a caller shows: on plaintext a bearer, on TLS a certificate. */
export type Presented = { bearer: string | null; certificate: PeerCertificate | null }

/**
 * Certificates of the open connections by `address:port` of their peer, read once per connection: grpc-js tells of a call only where it
 * came from, and would read the certificate, but not whether its chain was verified, for each call again.
 */
export function peerBook() {
  const peers = new Map<string, PeerCertificate>()
  return { remember, of: (peer: string) => peers.get(peer) ?? null }

  function remember(socket: TLSSocket): void {
    const certificate = certificateOf(socket)
    if (!certificate) return
    const peer = `${socket.remoteAddress}:${socket.remotePort}`
    peers.set(peer, certificate)
    socket.once('close', () => peers.delete(peer))
  }
}

/** Null without a certificate, whatever `authorized` says: OpenSSL calls a resumed session verified although nobody showed one. */
function certificateOf(socket: TLSSocket): PeerCertificate | null {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return null
  return {
    serial: certificate.serialNumber.toLowerCase(),
    gatewayId:
      /URI:spiffe:\/\/mcpg-[0-9a-f]{8}\/org\/[^/,]+\/ws\/[^/,]+\/gateway\/([\w-]+)(?:,|$)/.exec(certificate.subjectAltName ?? '')?.[1] ??
      null,
    notAfter: certificate.validToDate.getTime(),
    untrusted: socket.authorized ? null : String(socket.authorizationError),
  }
}
