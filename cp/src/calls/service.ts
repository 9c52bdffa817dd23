import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { GatewayCapability } from '@mcpg/proto/gen/types'
import { gatewayKind } from '@mcpg/proto/kinds/gateway'
import { projectKind, type ProjectSpec } from '@mcpg/proto/kinds/project'
import { serverKind } from '@mcpg/proto/kinds/server'
import type { Caller } from '../access/caller.ts'
import { allowedOn } from '../access/seen.ts'
import { unknownObject } from '../access/unknown-object.ts'
import type { Audit } from '../audit/audit.ts'
import type { Configs } from '../config/service.ts'
import { isConnected, type Live } from '../gateways/live.ts'
import type { Registry } from '../gateways/registry.ts'
import { unknownGateway, type Gateways } from '../gateways/service.ts'
import type { Line, Link } from '../link/service.ts'
import type { Resources } from '../resources/resources.ts'
import { callFailure, cutOff } from './failures.ts'
import type { Ledger } from '../audit/ledger.ts'
import type { Failure, McpLines } from './lines.ts'
import { namesIn } from './message.ts'
import { callRights, mayCall, type CallPath, type CallRights } from './rights.ts'
import { callStandings, type Standing } from './standing.ts'
import { whoRuns, type Wanted } from './who-runs.ts'

type Gateway = ReturnType<Gateways['get']>
type Scope = CallPath['scope']

/** Neither server nor project: everything the gateway offers. `gateway` by name, instance uid or id; none: one that is there. */
export type Call = CallPath & {
  gateway: string | undefined
  headers: Record<string, string>
  body: Uint8Array
}

/** Where the answer goes; `head` comes before everything else, and says which gateway answers. */
export type Client = {
  head(gateway: { id: string; name: string }, status: number, headers: Record<string, string>): void
  data(bytes: Uint8Array, taken: () => void): void
  end(): void
}

export type Calls = ReturnType<typeof callService>

type Chosen = { gateway: Gateway; line: Line; rights: CallRights }

/** Gateways that an error names. */
const maxNamed = 10

/** MCP requests to gateways over their own streams: chooses the gateway, carries the request, and says in the audit trail that it did. */
export function callService({
  lines,
  link,
  registry,
  live,
  configs,
  gateways,
  resources,
  requireWorkspace,
  audit,
  ledger,
  clock,
  deadlineMs,
}: {
  lines: McpLines
  link: Pick<Link, 'line'>
  registry: Pick<Registry, 'list' | 'get'>
  live: Live
  configs: Pick<Configs, 'desired' | 'served'>
  gateways: Pick<Gateways, 'get'>
  resources: Pick<Resources, 'get'>
  requireWorkspace: (scope: Scope) => Promise<void>
  audit: Pick<Audit, 'row'>
  ledger: Ledger
  clock: Clock
  deadlineMs: number
}) {
  /** By gateway, the key of the states it hands out, as its answers tell; forgotten with this process, which costs a repeat. */
  const stateKeys = new Map<string, string>()
  const { runs, isToRun, shortcomings } = whoRuns({ configs, live })
  const standings = callStandings({ clock })
  return { send }

  /**
   * Resolves once the answer has ended; rejects with what was in the way, before or after `head`. `gone` cancels the call at the gateway,
   * and so does the end of what let the caller in.
   */
  async function send(
    { caller, standing }: { caller: Caller; standing: Standing },
    call: Call,
    client: Client,
    gone: AbortSignal,
  ): Promise<void> {
    const { method, target, stateKey } = namesIn(call.body)
    if (ledger.isFull())
      throw new McpgError('unavailable', 'audit_unavailable', 'Calls cannot be written to the audit trail now, so none is taken.', {
        retryAfterSeconds: 5,
        hint: 'mcpg-ctl status',
      })
    const { gateway, line, rights } = await choose(caller, call, stateKey)
    const startedAt = clock.monotonic()
    let status = 0
    let answerBytes = 0
    let release = () => {}
    let lapse: McpgError | null = null
    const failure = await new Promise<Failure | null>((resolve) => {
      const path = pathOf(call)
      const { headers, body } = call
      const grants = typeof rights === 'string' ? [] : rights.grants.map((grant) => JSON.stringify(grant))
      const restricted = rights !== 'all'
      const { subject, tokenId = '', impersonator = '', requestId } = caller
      const onBehalf = { subject, tokenId, impersonator, grants, restricted, requestId }
      const cancel = lines.send(
        line,
        { path, headers, body, caller: onBehalf },
        {
          head: (code, { 'mcpg-state-key': key, ...answered }) => {
            if (key !== undefined) stateKeys.set(gateway.id, key)
            client.head(gateway, (status = code), answered)
          },
          data: (bytes, taken) => {
            answerBytes += bytes.length
            client.data(bytes, taken)
          },
          end: () => resolve(null),
          failed: resolve,
        },
      )
      const rightsOf = (now: Caller) => callRights(now, call)(gateway.environment)
      const cut = (why: McpgError) => {
        lapse = why
        cancel('access_ended')
      }
      release = standings.hold({ ...standing, rights, rightsOf, cut })
      if (gone.aborted) cancel('cancelled')
      else gone.addEventListener('abort', () => cancel('cancelled'), { once: true })
    })
    release()
    ledger.note(
      audit.row(caller, 'mcp.call', {
        ...call.scope,
        ...objectOf(call, gateway.name),
        detail: {
          gateway: gateway.name,
          method,
          ...(target !== undefined && { target }),
          outcome: failure?.reason ?? (status < 400 ? 'answered' : 'error'),
          ...(status > 0 && { status }),
          durationMs: Math.round(clock.monotonic() - startedAt),
          requestBytes: call.body.length,
          answerBytes,
        },
      }),
    )
    if (failure) throw lapse ? cutOff(lapse, gateway.name) : callFailure(failure, gateway.name, deadlineMs)
    client.end()
  }

  async function choose(caller: Caller, call: Call, stateKey: string | undefined): Promise<Chosen> {
    const { scope } = call
    const wanted: Wanted = { servers: await serversOf(caller, call), project: call.project }
    const rightsAt = callRights(caller, call)
    const chosen = (gateway: Gateway) => {
      const rights = rightsAt(gateway.environment)
      if (rights === 'none') throw refusedAt(caller, gateway)
      return { gateway, rights, line: lineTo(gateway, rights) }
    }
    if (call.gateway !== undefined) return chosen(gateways.get(scope, call.gateway))
    const open = registry.list(scope).filter(({ revokedAt, environment }) => revokedAt === null && rightsAt(environment) !== 'none')
    const running = open.filter(({ id }) => runs(id, wanted))
    const parkedAt = stateKey === undefined ? undefined : running.find(({ id }) => stateKeys.get(id) === stateKey)
    if (parkedAt) return chosen(parkedAt)
    const able = running.flatMap((gateway) => {
      const line = link.line(gateway.id)
      const rights = rightsAt(gateway.environment)
      return line && takes(line, rights)
        ? [{ gateway, line, rights, rank: shortcomings(gateway.id, wanted), load: lines.openOn(line) }]
        : []
    })
    able.sort((a, b) => a.rank - b.rank || a.load - b.load || (a.gateway.name < b.gateway.name ? -1 : 1))
    if (able[0]) return able[0]
    await requireWorkspace(scope)
    // Whether there is such a server at all.
    if (call.server !== undefined) await resources.get(seeing(caller), serverKind, scope, call.server)
    const isShown = allowedOn(caller, 'view', gatewayKind.plural)
    const coming = open.filter(({ id }) => live.isConnected(id) && !runs(id, wanted) && isToRun(id, wanted))
    throw coming.length > 0 ? notYet(call, coming.filter(isShown)) : nobody(call, running.filter(isShown))
  }

  /** Whose gateways can answer; null: every gateway can. */
  async function serversOf(caller: Caller, { scope, server, project }: Call): Promise<readonly string[] | null> {
    if (project === undefined) return server === undefined ? null : [server]
    const { spec } = await resources.get(seeing(caller), projectKind, scope, project)
    const { servers = [] } = spec as ProjectSpec
    const isOpen = servers.length === 0 || servers.some((one) => mayCall(caller, { scope, project, server: one }))
    // Of a project that shows them nothing is said what is said of one that is not there.
    if (!isOpen) throw unknownObject(projectKind, project)
    return servers
  }

  function lineTo({ id, name }: Gateway, rights: CallRights): Line {
    const line = link.line(id)
    if (!line)
      throw new McpgError('unavailable', 'gateway_not_connected', `${name} is ${connectionOf(id)}: no call reaches it.`, {
        hint: `mcpg-ctl describe gateway/${name}`,
      })
    if (takes(line, rights)) return line
    throw new McpgError('failed_precondition', 'gateway_too_old', `The agent of ${name} is too old to take calls from here.`, {
      hint: `update it; mcpg-ctl describe gateway/${name} shows its version`,
    })
  }

  function nobody(call: Call, running: Gateway[]): McpgError {
    const object = nameOf(call)
    const what = object === undefined ? 'No gateway is online' : `No gateway that runs ${object} is online`
    const text = naming(what, running, ({ id, name }) => `${name} is ${stateOf(id)}`)
    return new McpgError('unavailable', 'no_gateway_online', text, { hint: describing(call) })
  }

  function notYet(call: Call, coming: Gateway[]): McpgError {
    const text = naming(`No gateway runs ${nameOf(call)} yet`, coming, ({ id, name }) => {
      const { generation, state } = configs.desired(id)!
      return `generation ${generation} is ${state.replaceAll('_', ' ')} at ${name}`
    })
    return new McpgError('unavailable', 'not_applied_yet', text, { retryAfterSeconds: 1, hint: describing(call) })
  }

  function stateOf(id: string): string {
    return isConnected(live.presence.stateOf(id)) ? 'online with an agent that is too old' : connectionOf(id)
  }

  function connectionOf(id: string): string {
    return live.presence.stateOf(id).replaceAll('_', ' ')
  }
}

function naming(what: string, gateways: Gateway[], about: (gateway: Gateway) => string): string {
  const named = gateways.slice(0, maxNamed).map(about)
  if (gateways.length > maxNamed) named.push(`and ${gateways.length - maxNamed} more`)
  return named.length === 0 ? `${what}.` : `${what}: ${named.join(', ')}.`
}

const nameOf = ({ server, project }: Call) => (project === undefined ? server : `a server of ${project}`)

function describing({ server, project }: Call): string {
  if (project !== undefined) return `mcpg-ctl describe project ${project}`
  return server === undefined ? 'mcpg-ctl get gateways' : `mcpg-ctl describe server ${server}`
}

/** Of a gateway that they may not see is said what is said of one that is not there. */
function refusedAt(caller: Caller, gateway: Gateway): McpgError {
  if (!allowedOn(caller, 'view', gatewayKind.plural)(gateway)) return unknownGateway(gateway.name)
  return new McpgError('forbidden', 'not_allowed', `${caller.subject} may call nothing of this at ${gateway.name}.`, {
    hint: 'mcpg-ctl can-i --list',
  })
}

/** An agent that does not know of grants would show everything. */
const takes = (line: Line, rights: CallRights): boolean =>
  line.has(GatewayCapability.REMOTE_CALLS) && (rights === 'all' || line.has(GatewayCapability.CALLER_GRANTS))

/** The route has asked for the right to run it; the right to look at it is another one, and nothing of it is shown. */
const seeing = (caller: Caller): Caller => ({ ...caller, visible: () => 'all' })

function pathOf({ server, project }: Call): string {
  if (project !== undefined) return `/mcp/projects/${project}`
  return server === undefined ? '/mcp' : `/mcp/servers/${server}`
}

/** What the audit trail says was called. */
function objectOf({ server, project }: Call, gateway: string): { kind: string; name: string } {
  if (project !== undefined) return { kind: projectKind.kind, name: project }
  return server === undefined ? { kind: 'Gateway', name: gateway } : { kind: serverKind.kind, name: server }
}
