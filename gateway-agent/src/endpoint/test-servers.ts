import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ConfigServer, type ConfigServerInput } from '@mcpg/proto/gateway-config'
import { connectHttp } from '../mcp/http.ts'
import { connectStdio } from '../mcp/stdio.ts'
import type { McpConnection } from '../mcp/connection.ts'
import type { RoutedServer, Servers } from '../servers/supervision.ts'

const fixtures = new URL('../../../e2e/fixtures/', import.meta.url)

/** Path of a fixture server, such as `servers/echo.ts`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(name, fixtures))
}

type Slot = { process?: ChildProcess; connection: McpConnection }

/** A stand-in for the supervisor: one real process or remote URL per server, no restarts, and knobs to take servers away. */
export function testServers() {
  const routed = new Map<string, RoutedServer>()
  const slots = new Map<string, Slot | { unavailable: string }>()
  const connectionListeners = new Map<string, Set<() => void>>()
  const routingListeners = new Set<() => void>()
  const acquired = new Map<string, number>()
  const servers: Pick<Servers, 'routed' | 'onRouting'> = { routed: () => new Map(routed), onRouting }
  return {
    servers: servers as Servers,
    add,
    addUrl,
    addUnavailable,
    connect,
    disconnect,
    remove,
    stop,
    acquired: (name: string) => acquired.get(name) ?? 0,
    connection,
    kill,
  }

  async function add(name: string, command: string[], more: Partial<ConfigServerInput> = {}): Promise<void> {
    route(ConfigServer.parse({ name, command, ...more }))
    await connect(name)
  }

  async function addUrl(name: string, url: string, more: Partial<ConfigServerInput> = {}): Promise<void> {
    route(ConfigServer.parse({ name, url: { url }, ...more }))
    await connect(name)
  }

  function addUnavailable(name: string, reason: string): void {
    slots.set(name, { unavailable: reason })
    route(ConfigServer.parse({ name, command: ['nothing'] }))
  }

  function route(config: ConfigServer): void {
    const { name } = config
    connectionListeners.set(name, new Set())
    routed.set(name, {
      name,
      config,
      acquire: () => acquire(name),
      own: { reserve: () => false, acquire: async () => ({ unavailable: 'no processes of their own here', isFull: true }), end: () => {} },
      onConnection: (listener) => listen(connectionListeners.get(name)!, listener),
    })
    for (const listener of routingListeners) listener()
  }

  async function connect(name: string): Promise<void> {
    const { config } = routed.get(name)!
    const common = { era: config.era, timeoutMs: 15_000, clientInfo: { name: 'mcpg-gateway', version: '0.0.0-test' } }
    if (config.url) slots.set(name, { connection: await connectHttp({ url: config.url.url, ...common }) })
    else {
      const [program = '', ...args] = config.command ?? []
      const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
      slots.set(name, { process: child, connection: await connectStdio({ stdin: child.stdin, stdout: child.stdout, ...common }) })
    }
    changed(name)
  }

  function acquire(name: string) {
    const slot = slots.get(name) ?? { unavailable: 'it is starting' }
    if ('unavailable' in slot) return slot
    acquired.set(name, (acquired.get(name) ?? 0) + 1)
    return { instanceId: `${name}-1`, connection: slot.connection, release: () => void acquired.set(name, (acquired.get(name) ?? 0) - 1) }
  }

  async function disconnect(name: string, unavailable: string): Promise<void> {
    const slot = slots.get(name)
    slots.set(name, { unavailable })
    changed(name)
    if (slot && 'connection' in slot) await end(slot)
  }

  /** The process dies and nobody has noticed yet. */
  function kill(name: string): void {
    const slot = slots.get(name)
    if (slot && 'connection' in slot) slot.process?.kill('SIGKILL')
  }

  async function remove(name: string): Promise<void> {
    routed.delete(name)
    for (const listener of routingListeners) listener()
    const slot = slots.get(name)
    slots.delete(name)
    if (slot && 'connection' in slot) await end(slot)
  }

  async function end({ process: child, connection: of }: Slot): Promise<void> {
    await of.close()
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  function connection(name: string): McpConnection {
    const slot = slots.get(name)
    if (!slot || !('connection' in slot)) throw new Error(`${name} is not connected`)
    return slot.connection
  }

  function changed(name: string): void {
    for (const listener of connectionListeners.get(name) ?? []) listener()
  }

  function onRouting(listener: () => void): () => void {
    return listen(routingListeners, listener)
  }

  async function stop(): Promise<void> {
    await Promise.all([...slots.values()].filter((slot) => 'connection' in slot).map(end))
  }
}

function listen(listeners: Set<() => void>, listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
