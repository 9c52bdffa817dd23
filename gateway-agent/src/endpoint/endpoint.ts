import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { aggregate } from './aggregate.ts'
import { askingWays } from './asking/asking.ts'
import { parking } from './asking/parking/parking.ts'
import { stateSeal } from './asking/parking/state-seal.ts'
import { sessionAsks } from './asking/session-asks.ts'
import { sessionChildren } from './asking/session-children.ts'
import type { Catalog } from './catalog.ts'
import { forwarder } from './forward.ts'
import { innerDoor, type InnerDoor } from './inner-door.ts'
import type { Health } from './health.ts'
import { legacyFront } from './legacy-front.ts'
import { listener } from './listener.ts'
import { listens } from './listens.ts'
import { logWishes } from './log-wishes.ts'
import { modernFront } from './modern-front.ts'
import { performer } from './perform.ts'
import { listenOn } from './port.ts'
import { resourceWatch } from './resource-watch.ts'
import { sessions } from './sessions.ts'
import { singleServer } from './single-server.ts'
import { eventStreams } from './streams.ts'
import type { Target } from './target.ts'

export type EndpointOptions = {
  bind: string
  /** None: the first free port from 7845 to 7864, `preferredPort` before them. */
  port: number | undefined
  /** What was listened on the last time, so that clients find it again. */
  preferredPort?: number
  allowedHosts: readonly string[]
  allowedOrigins: readonly string[]
  catalog: Catalog
  /** 32 bytes that outlive this process: what clients carry of parked calls is sealed with them. */
  stateKey: Uint8Array
  health: Health
  gatewayName: string
  version: string
  maxSessions?: number
  timers: Timers
  clock: Clock
  log: Log
}

export type Endpoint = Part & { address(): { host: string; port: number }; activeSessions(): number; door: Pick<InnerDoor, 'open'> }

/** The MCP endpoint of a gateway. `start` throws McpgError `conflict` when its port is taken; `stop` ends sessions, streams and sockets. */
export function endpoint(options: EndpointOptions): Endpoint {
  const {
    bind,
    port,
    preferredPort,
    allowedHosts,
    allowedOrigins,
    catalog,
    stateKey,
    health,
    gatewayName,
    version,
    maxSessions = 1_000,
    timers,
    clock,
    log,
  } = options
  const streams = eventStreams({ clock, keepAliveMs: timers.sseKeepAlive })
  const performing = performer({ log })
  const asks = sessionAsks({ clock, timers })
  const children = sessionChildren({ asks, timers })
  const seal = stateSeal(stateKey)
  const parked = parking({ performer: performing, seal, clock, timers })
  const asking = askingWays({ performer: performing, asks, children, parked, seal })
  const forward = forwarder({ performer: performing, asking })
  const watch = resourceWatch({ catalog, request: performing.request })
  const levels = logWishes({ catalog, request: performing.request })
  const open = sessions({ catalog, watch, asks, timers, clock, maxSessions })
  const listening = listens({ catalog, watch, streams, maxListens: maxSessions })
  const everything = aggregate({ catalog, timers, gatewayName, serverInfo: { name: 'mcpg', title: gatewayName, version } })
  const single = new Map<string, Target>()
  let actualPort = 0
  const serve = listener({
    rules: () => ({ scheme: 'http', port: actualPort, allowedHosts, allowedOrigins }),
    health,
    targetOf,
    modern: modernFront({ forward, listens: listening, streams, levels }),
    legacy: legacyFront({ forward, children, asks, sessions: open, watch, streams, levels }),
    log,
  })
  const door = innerDoor(serve, () => `localhost:${actualPort}`)
  const http = createServer({ keepAliveTimeout: 65_000 }, serve)
  return { name: 'endpoint', start, stop, address: () => ({ host: bind, port: actualPort }), activeSessions: open.count, door }

  async function start(fail: (error: unknown) => void): Promise<void> {
    actualPort = await listenOn(http, bind, port, preferredPort)
    actualPort = (http.address() as AddressInfo).port
    http.on('error', fail)
  }

  async function stop(): Promise<void> {
    listening.stop()
    open.stop()
    parked.stop()
    watch.stop()
    levels.stop()
    streams.end()
    door.close()
    if (!http.listening) return
    const closed = new Promise<void>((resolve) => http.close(() => resolve()))
    http.closeAllConnections()
    await closed
  }

  function targetOf(path: string): Target | null {
    if (path === '/mcp' || path === '/mcp/') return everything
    const name = /^\/mcp\/servers\/([^/]+)\/?$/.exec(path)?.[1]
    if (name === undefined || !catalog.book(name)) return null
    let target = single.get(name)
    if (!target) single.set(name, (target = singleServer(name, { catalog, timers })))
    return target
  }
}
