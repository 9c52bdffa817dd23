import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { McpgError } from '@mcpg/proto/errors'

const path = '/callback'

export type Loopback = { redirectUri: string; answer: Promise<URLSearchParams>; close(): void }

/** Listens on a free port of this machine until a browser brings the answer of the issuer that carries `state`; whatever else comes is ignored. */
export async function listenForAnswer(state: string): Promise<Loopback> {
  let arrived: (answer: URLSearchParams) => void
  const answer = new Promise<URLSearchParams>((resolve) => (arrived = resolve))
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const isOurs = request.method === 'GET' && url.pathname === path && url.searchParams.get('state') === state
    const text = isOurs
      ? 'mcpg-ctl has the answer: go back to the terminal. This page can be closed.\n'
      : 'mcpg-ctl waits for another answer.\n'
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', connection: 'close' }
    response.writeHead(isOurs ? 200 : 400, headers).end(text, () => isOurs && arrived(url.searchParams))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new McpgError(
          'failed_precondition',
          'no_loopback_port',
          `No port of 127.0.0.1 can be listened on (${error.code ?? error.message}).`,
          {
            hint: 'mcpg-ctl login --device',
          },
        ),
      ),
    )
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    redirectUri: `http://127.0.0.1:${port}${path}`,
    answer,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
