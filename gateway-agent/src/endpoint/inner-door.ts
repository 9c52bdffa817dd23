import { createServer, request as httpRequest, type ClientRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { duplexPair, type Duplex } from 'node:stream'
import type { Admitted } from '../access/gate.ts'

/** A request from inside the program, by somebody the control plane vouches for. */
export type InnerRequest = { path: string; headers: Record<string, string>; admitted: Admitted }

export type InnerDoor = {
  /** The request before its body, which the caller writes and ends; destroying it is what closing the connection is outside. */
  open(request: InnerRequest): ClientRequest
  /** Who makes a request that came in here; undefined for every other one. */
  admittedOf(request: IncomingMessage): Admitted | undefined
  close(): void
}

/**
 * A way to the endpoint without a socket: the same HTTP server code over a pair of streams in memory, whatever the listener outside
 * speaks. So a request that the control plane carries and one of a client on the network run through the very same code.
 */
export function innerDoor(serve: RequestListener, host: () => string): InnerDoor {
  const server = createServer(serve)
  const admissions = new WeakMap<Duplex, Admitted>()
  const open = new Set<Duplex>()
  return { open: openRequest, admittedOf: ({ socket }) => admissions.get(socket), close }

  function openRequest({ path, headers, admitted }: InnerRequest): ClientRequest {
    const [near, far] = duplexPair()
    // An end that is destroyed does not tell the other by itself.
    near.once('close', () => far.destroy())
    far.once('close', () => near.destroy())
    near.on('error', ignore)
    far.on('error', ignore)
    admissions.set(far, admitted)
    open.add(near)
    near.once('close', () => open.delete(near))
    server.emit('connection', far)
    return httpRequest({
      method: 'POST',
      path,
      headers: { ...headers, host: host(), connection: 'close' },
      createConnection: () => near,
    })
  }

  function close(): void {
    for (const end of open) end.destroy()
  }
}

/** Whoever holds the request hears of it there. */
function ignore(): void {}
