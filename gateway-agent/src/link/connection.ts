import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import type { Timers } from '@mcpg/core/timers'
import { pemOf, type Identity } from '../identity/identity-file.ts'

/** What of an identity opens a connection. Without a credential only recovery is answered. */
export type Peer = Pick<Identity, 'identityKey' | 'trustBundle'> & { credential: Identity['credential'] | null }

const maxFrameBytes = 4 * 1024 * 1024

/**
 * One HTTP/2 connection of its own to a control plane, with the credential of this gateway: a certificate in the handshake, or a bearer in
 * `headers`. Over TLS the other side is held against the roots of the enrollment and no others.
 */
export function connectionTo(endpoint: string, peer: Peer, timers: Pick<Timers, 'keepAlive' | 'keepAliveTimeout'>) {
  // The connection is ended through its socket: the manager's own abort() takes away the listeners of a session that is just being
  // destroyed, and its error would then end the process.
  let socket: Socket | undefined
  const sessionManager = new Http2SessionManager(
    endpoint,
    { pingIntervalMs: timers.keepAlive, pingTimeoutMs: timers.keepAliveTimeout },
    { createConnection: (authority) => (socket = dial(authority, peer)) },
  )
  const transport = createGrpcTransport({ baseUrl: endpoint, sessionManager, readMaxBytes: maxFrameBytes })
  const headers: Record<string, string> =
    peer.credential?.kind === 'bearer' ? { authorization: `Bearer ${peer.credential.bearerToken}` } : {}
  return { transport, headers, hangUp }

  function hangUp(): void {
    if (socket && !socket.destroyed) socket.destroy(new Error('the stream has ended'))
  }
}

function dial(authority: URL, { identityKey, trustBundle, credential }: Peer): Socket {
  const host = authority.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(authority.port) || (authority.protocol === 'https:' ? 443 : 80)
  if (authority.protocol !== 'https:') return connectPlain({ host, port })
  return connectTls({
    host,
    port,
    ALPNProtocols: ['h2'],
    ...(isIP(host) === 0 && { servername: host }),
    ...(trustBundle.length > 0 && { ca: pemOf(trustBundle) }),
    ...(credential?.kind === 'x509' && { cert: pemOf(credential.certificates), key: identityKey }),
  })
}
