import type { Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'

/** First byte of a TLS record that holds a ClientHello. */
const handshakeRecord = 0x16
/** A connection that says nothing for this long is closed. */
const silenceMs = 10_000

/**
 * Looks at the first byte of every connection of a TLS server before the handshake. Whoever speaks plain text is told so and closed;
 * `refused` hears of it. The answer drops connections that have said nothing yet, so that the server can close.
 */
export function onlyTls(server: TlsServer, answer: string, refused: (source: string) => void): () => void {
  const silent = new Set<Socket>()
  const accept = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    silent.add(socket)
    socket.setTimeout(silenceMs, () => socket.destroy())
    socket.once('error', ignore)
    socket.once('close', () => silent.delete(socket))
    socket.once('readable', () => look(socket))
  })
  return () => {
    for (const socket of silent) socket.destroy()
  }

  function look(socket: Socket): void {
    const first = socket.read() as Buffer | null
    if (first === null) return void socket.destroy()
    if (first[0] !== handshakeRecord) {
      refused(socket.remoteAddress ?? '')
      return void socket.end(answer, () => socket.destroySoon())
    }
    silent.delete(socket)
    socket.removeAllListeners('timeout')
    socket.setTimeout(0)
    socket.off('error', ignore)
    socket.unshift(first)
    for (const listener of accept) listener.call(server, socket)
  }
}

function ignore(): void {}

/** Body of the answer to plain HTTP, by which our own clients know it. */
export const httpsOnlyText = 'This port speaks HTTPS: write https:// instead of http://\n'

/** What an HTTP/1 client understands, in one line. */
export const httpsOnly = `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${httpsOnlyText.length}\r\nConnection: close\r\n\r\n${httpsOnlyText}`
