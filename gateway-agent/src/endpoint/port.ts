import type { Server } from 'node:http'
import { takenBy } from '@mcpg/core/port-holder'
import { McpgError } from '@mcpg/proto/errors'

export const defaultPort = 7845
const lastPort = 7864

/** Listens on the given port, or without one on the first free of 7845-7864. Throws McpgError `conflict` (`port_taken`). */
export async function listenOn(http: Server, host: string, port: number | undefined, preferred = defaultPort): Promise<number> {
  if (port !== undefined) {
    if (await tryListen(http, host, port)) return port
    throw taken(host, port, 'Stop it, or choose another address with --bind.')
  }
  const candidates = [
    preferred,
    ...Array.from({ length: lastPort - defaultPort + 1 }, (_, index) => defaultPort + index).filter((one) => one !== preferred),
  ]
  for (const candidate of candidates) if (await tryListen(http, host, candidate)) return candidate
  throw taken(host, preferred, `All ports up to ${lastPort} are taken; choose one with --bind.`)
}

/** False when somebody else has the port. */
function tryListen(http: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      http.off('listening', onListening)
      if (error.code === 'EADDRINUSE') resolve(false)
      else
        reject(
          new McpgError('failed_precondition', 'cannot_listen', `Cannot listen on ${host}:${port}: ${error.message}.`, { cause: error }),
        )
    }
    const onListening = () => {
      http.off('error', onError)
      resolve(true)
    }
    http.once('error', onError).once('listening', onListening).listen(port, host)
  })
}

function taken(host: string, port: number, hint: string): McpgError {
  return new McpgError('conflict', 'port_taken', `${host}:${port} is taken${takenBy(port)}.`, { hint })
}
