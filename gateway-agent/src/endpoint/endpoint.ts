import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { advertisedHost, certificateNames } from '@mcpg/core/machine-names'
import { httpsOnly, onlyTls } from '@mcpg/core/only-tls'
import type { ServerCertificate } from '@mcpg/core/server-certificate'
import type { Timers } from '@mcpg/core/timers'
import type { Shown } from '../access/access.ts'
import { endWatch } from '../access/end-watch.ts'
import type { Admitted, Turned } from '../access/gate.ts'
import { firstEndOf, heldAnswers } from '../access/held-answers.ts'
import { pathRights, type PathRights } from '@mcpg/proto/path-rights'
import type { AuditQueue } from '../audit/queue.ts'
import { callWitness } from '../audit/witness.ts'
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
import type { Projects } from './project-targets.ts'
import { eventStreams } from './streams.ts'
import { endpointTargets } from './targets.ts'

export type EndpointOptions = {
  bind: string
  /** None: the first free port from 7845 to 7864, `preferredPort` before them. */
  port: number | undefined
  /** What was listened on the last time, so that clients find it again. */
  preferredPort?: number
  allowedHosts: readonly string[]
  allowedOrigins: readonly string[]
  /** Speaks TLS with this and nothing else; null: plain HTTP, on loopback. */
  certificate: ServerCertificate | null
  catalog: Catalog
  projects: Projects
  /** 32 bytes that outlive this process: what clients carry of parked calls is sealed with them. */
  stateKey: Uint8Array
  access: EndpointAccess
  health: Health
  /** What is told of calls. */
  audit: Pick<AuditQueue, 'record'>
  gatewayName: string
  version: string
  maxSessions?: number
  timers: Timers
  clock: Clock
  log: Log
}

/** Who may come in; what they may use is in what they are admitted as. */
export type EndpointAccess = {
  admit: (request: IncomingMessage) => Admitted | Turned | Promise<Admitted | Turned>
  environment: string
  /** Whether what let somebody in would do so again, with the same rights at least. */
  stillHolds: (shown: Shown) => boolean
  onChange: (listener: () => void) => void
}

export type Endpoint = Part & { url(): string; port(): number; activeSessions(): number; door: Pick<InnerDoor, 'open'> }

/** The MCP endpoint of a gateway. `start` throws McpgError `conflict` when its port is taken; `stop` ends sessions, streams and sockets. */
export function endpoint(options: EndpointOptions): Endpoint {
  const {
    bind,
    port,
    preferredPort,
    allowedHosts,
    allowedOrigins,
    certificate,
    catalog,
    projects,
    stateKey,
    access,
    health,
    audit,
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
  const witness = callWitness({ queue: audit, clock })
  const forward = forwarder({ performer: performing, asking, witness })
  const watch = resourceWatch({ catalog, request: performing.request })
  const levels = logWishes({ catalog, request: performing.request })
  const open = sessions({ catalog, watch, asks, timers, clock, maxSessions, witness })
  const listening = listens({ catalog, watch, streams, maxListens: maxSessions })
  const serverInfo = { name: 'mcpg', title: gatewayName, version }
  const targetOf = endpointTargets({ catalog, timers, serverInfo, gatewayName, projects, request: performing.request })
  const held = heldAnswers()
  const ends = endWatch({ clock, look: endVoid })
  access.onChange(() => void endVoid())
  let actualPort = 0
  const scheme = certificate ? 'https' : 'http'
  const serve = listener({
    rules: () => ({ scheme, port: actualPort, allowedHosts: [...allowedHosts, ...ownHosts()], allowedOrigins }),
    health,
    targetOf: (path, { grants }) => targetOf(path, (project) => grants && narrow(pathRights(grants, access.environment, project))),
    admit: (request) => door.admittedOf(request) ?? access.admit(request),
    hold(shown, response) {
      held.hold(shown, response)
      ends.note(shown.until)
    },
    refusedToken: witness.refusedToken,
    modern: modernFront({ forward, listens: listening, streams, levels }),
    legacy: legacyFront({ forward, children, asks, sessions: open, watch, streams, levels }),
    log,
  })
  const door = innerDoor(serve, () => `localhost:${actualPort}`)
  let dropSilent = () => {}
  const http = certificate ? secureServer(certificate) : createServer({ keepAliveTimeout }, serve)
  return { name: 'endpoint', start, stop, url, port: () => actualPort, activeSessions: open.count, door }

  function url(): string {
    return `${scheme}://${bracketed(advertisedHost(bind))}:${actualPort}/mcp`
  }

  async function start(fail: (error: unknown) => void): Promise<void> {
    actualPort = await listenOn(http, bind, port, preferredPort)
    actualPort = (http.address() as AddressInfo).port
    http.on('error', fail)
  }

  async function stop(): Promise<void> {
    ends.stop()
    listening.stop()
    open.stop()
    parked.stop()
    watch.stop()
    levels.stop()
    witness.stop()
    streams.end()
    door.close()
    if (!http.listening) return
    dropSilent()
    const closed = new Promise<void>((resolve) => http.close(() => resolve()))
    http.closeAllConnections()
    await closed
  }

  function secureServer(own: ServerCertificate): HttpsServer {
    const context = () => ({ ...own.pair(), minVersion: 'TLSv1.2' as const })
    const server = createHttpsServer({ ...context(), keepAliveTimeout }, serve)
    own.onChange(() => server.setSecureContext(context()))
    dropSilent = onlyTls(server, httpsOnly, (source) => log.info({ source }, 'a plaintext request to the HTTPS endpoint was refused'))
    return server
  }

  /** Addresses and the name of this machine, as Host with our port: no page of somebody else's can come by an address. */
  function ownHosts(): string[] {
    return certificate ? certificateNames({ hosts: [bind], named: [] }).map((name) => `${bracketed(name)}:${actualPort}`) : []
  }

  /** Who would not be let in again is not served further. Says when the next of them is over by itself. */
  function endVoid(): number {
    held.cutUnless(access.stillHolds)
    open.closeUnless(access.stillHolds)
    return Math.min(held.firstEnd(), firstEndOf(open.shown()))
  }
}

/** Whoever may use everything sees what everybody sees who is not asked for a token. */
const narrow = (rights: PathRights): PathRights | undefined => (rights.all ? undefined : rights)

// Node closes idle connections after 5 s by default; proxies keep them for 60 s.
const keepAliveTimeout = 65_000

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)
