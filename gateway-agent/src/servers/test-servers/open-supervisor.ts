import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { defaultTimers, type Timers } from '@mcpg/core/timers'
import { ConfigServer, type ConfigServerInput } from '@mcpg/proto/gateway-config'
import { logBook } from '../../logs/log-book.ts'
import type { McpOutcome } from '../../mcp/connection.ts'
import type { DesiredServer, Servers } from '../supervision.ts'
import { superviseServers, type SupervisorDeps } from '../supervisor.ts'

const quick: Partial<Timers> = { stdinGrace: 100, restartBase: 5, restartMax: 20, crashLoopRetry: 150, probe: 60_000 }

/** A supervisor in a folder of its own; `close` stops it and removes the folder. */
export function openSupervisor(timers: Partial<Timers> = {}, more: Partial<SupervisorDeps> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mcpg-servers-'))
  const log = createLog({ level: 'silent', json: true })
  const logs = logBook({ folder: join(folder, 'logs'), clock: systemClock, log })
  const servers = superviseServers({
    stateDir: folder,
    cacheDir: join(folder, 'cache'),
    timers: { ...defaultTimers, ...quick, ...timers },
    clock: systemClock,
    log,
    logs,
    tell: () => {},
    gatewayId: 'gw-test',
    openSecrets: async () => new Map(),
    ...more,
  })
  return { servers, folder, logs, close }

  async function close(): Promise<void> {
    await servers.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

export function desired(input: ConfigServerInput): DesiredServer {
  return { config: ConfigServer.parse(input), subHash: createHash('sha256').update(JSON.stringify(input)).digest('hex') }
}

/** A server fixture as `node <file> <args>`. */
export function fixture(name: string, ...args: string[]): string[] {
  return [process.execPath, fileURLToPath(new URL(`../../../../e2e/fixtures/servers/${name}.ts`, import.meta.url)), ...args]
}

/** Changes to exactly these servers, all of them gating, and commits when they are proven. */
export async function apply(servers: Servers, ...next: ConfigServerInput[]) {
  const change = servers.change(next.map(desired), new Set(next.map(({ name }) => name)))
  const { failures } = await change.proven
  if (failures.length > 0) throw new Error(JSON.stringify(failures))
  change.commit()
  return change
}

/** Calls a tool of a routed server and answers its text; throws when there is none, or the call fails. */
export async function call(servers: Servers, server: string, name: string, args: Record<string, unknown> = {}): Promise<string> {
  const acquired = servers.routed().get(server)?.acquire() ?? { unavailable: `no server ${server}` }
  if ('unavailable' in acquired) throw new Error(acquired.unavailable)
  try {
    return textOf(await acquired.connection.request({ method: 'tools/call', params: { name, arguments: args } }))
  } finally {
    acquired.release()
  }
}

function textOf(outcome: McpOutcome): string {
  if ('error' in outcome) throw new Error(outcome.error.message)
  const [content] = outcome.result['content'] as { text: string }[]
  return content?.text ?? ''
}
