import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { McpConnection } from '../../mcp/connection.ts'
import { connectHttp } from '../../mcp/http.ts'
import type { ResolvedServer } from '../../secrets/resolved.ts'
import { clientInfo } from '../client-info.ts'
import type { InstanceEnd, LaunchIo, Runtime } from './runtime.ts'

/** A first connection is tried so often before it counts as failed: one lost packet must not refuse a config. */
const attempts = 3

/** A server that runs elsewhere: nothing is started here, a lost conversation is opened again by the instance's own back-off. */
export function remoteRuntime(server: ResolvedServer, { clock }: { clock: Clock }): Runtime {
  const { url = '', headers = [] } = server.url ?? {}
  return { prepare: () => Promise.resolve({}), launch: (io) => Promise.resolve(launch(io)) }

  function launch({ client }: LaunchIo) {
    const ended = Promise.withResolvers<Partial<InstanceEnd>>()
    let connection: McpConnection | undefined
    let stopped = false
    return { connect, retry: () => false, ended: ended.promise, stop }

    async function connect(timeoutMs: number): Promise<McpConnection> {
      const until = clock.monotonic() + timeoutMs
      for (let attempt = 1; ; attempt++) {
        try {
          connection = await connectHttp({
            url,
            headers,
            era: server.era,
            timeoutMs: Math.max(1, until - clock.monotonic()),
            clientInfo,
            client,
            clock,
          })
          break
        } catch (error) {
          const passing = error instanceof McpgError && error.code === 'unavailable' && attempt < attempts && clock.monotonic() < until
          if (!passing || stopped) throw error
          await new Promise<void>((done) => clock.after(200 * attempt, done))
        }
      }
      if (stopped) await connection.close()
      void connection.closed.then((end) => ended.resolve({ reason: 'ConnectionLost', message: end.message }))
      return connection
    }

    async function stop(): Promise<void> {
      stopped = true
      await connection?.close().catch(() => {})
      ended.resolve({ reason: 'Stopped', message: 'closed by the gateway' })
    }
  }
}
