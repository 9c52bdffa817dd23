import type { Clock } from '@mcpg/core/clock'
import type { LineLog } from '@mcpg/core/line-log'
import { mergeByTime } from '@mcpg/core/merge-by-time'
import { durationMs } from '@mcpg/proto/durations'
import { McpgError } from '@mcpg/proto/errors'
import { GatewayCapability } from '@mcpg/proto/gen/types'
import { instanceKind } from '@mcpg/proto/kinds/instance'
import { serverKind } from '@mcpg/proto/kinds/server'
import type { LogEntry, LogQuery } from '@mcpg/proto/rest/logs'
import type { Caller } from '../access/caller.ts'
import type { Configs } from '../config/service.ts'
import type { Live } from '../gateways/live.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Gateways, GatewayScope } from '../gateways/service.ts'
import type { Line, Link } from '../link/service.ts'
import type { Resources } from '../resources/resources.ts'
import type { WorkspaceScope } from '../resources/scope.ts'
import { arrivals } from './arrivals.ts'
import { controlLog } from './control-log.ts'
import { gatewayLog, refusal, type HeldBack, type Source, type Wanted } from './gateway-log.ts'
import type { LogStreams } from './log-streams.ts'

/** Gateways that one request may read from: each is a stream, and nobody reads more at once. */
const maxGateways = 100

type Row = ReturnType<Gateways['get']>

export type Logs = ReturnType<typeof logService>
export type Entries = AsyncGenerator<LogEntry[]>

/** Logs of instances, servers, gateways and of this control plane. Each throws what is wrong before the first entry; `signal` ends it. */
export function logService({
  link,
  streams,
  registry,
  live,
  configs,
  gateways,
  resources,
  ownLog,
  clock,
}: {
  link: Pick<Link, 'line' | 'join'>
  streams: LogStreams
  registry: Pick<Registry, 'get' | 'list'>
  live: Pick<Live, 'serversOf' | 'reporterOf'>
  configs: Pick<Configs, 'standing'>
  gateways: Pick<Gateways, 'get'>
  resources: Pick<Resources, 'get'>
  ownLog: LineLog
  clock: Clock
}) {
  const waiting = new Map<string, Set<(line: Line) => void>>() // by gateway, for its next stream
  link.join(streams.talk)
  link.join({
    frames: [],
    heard() {},
    opened: (line) => {
      const tell = waiting.get(line.gatewayId)
      waiting.delete(line.gatewayId)
      for (const resolve of tell ?? []) resolve(line)
    },
    closed() {},
  })
  return { ofInstance, ofServer, ofGateway, ofControl }

  async function ofInstance(caller: Caller, scope: WorkspaceScope, id: string, query: LogQuery, signal: AbortSignal): Promise<Entries> {
    const { spec } = await resources.get(caller, instanceKind, scope, id)
    const row = registry.get(live.reporterOf(id)?.gatewayId ?? '')
    if (!row) throw new McpgError('not_found', 'instance_unknown', `There is no instance ${id}.`, { hint: 'mcpg-ctl get instances' })
    return readAll([sourceOf(row, String(spec['server']), id)], query, signal)
  }

  async function ofServer(caller: Caller, scope: WorkspaceScope, server: string, query: LogQuery, signal: AbortSignal): Promise<Entries> {
    await resources.get(caller, serverKind, scope, server)
    // Where it never became ready the gateway took it back, and may still have what it wrote.
    const all = registry.list(scope).map((row) => ({ row, source: sourceOf(row, server), heldBack: heldBackAt(row, server) }))
    const found = all.filter(({ row, heldBack }) => heldBack || live.serversOf(row.id).has(server))
    const rows = found.map(({ row }) => row)
    if (rows.length === 0)
      throw new McpgError('failed_precondition', 'server_runs_nowhere', `No gateway has run ${server} so far, so there is no log of it.`, {
        hint: `mcpg-ctl describe server/${server} says where it should run and what it waits for`,
      })
    if (query.instance !== undefined) return readAll([oneOf(rows, server, query.instance)], query, signal)
    if (rows.length > maxGateways)
      throw new McpgError(
        'failed_precondition',
        'too_many_gateways',
        `${server} runs on ${rows.length} gateways; at most ${maxGateways} are read at once.`,
        {
          hint: `name one instance: mcpg-ctl logs instance/<id>; mcpg-ctl get instances lists them`,
        },
      )
    return readAll(
      found.map(({ source, heldBack }) => (heldBack ? { ...source, heldBack } : source)),
      query,
      signal,
    )
  }

  function heldBackAt({ id }: Row, server: string): HeldBack | undefined {
    return live.serversOf(id).has(server) ? undefined : configs.standing(id).heldBack.find((one) => one.server === server)
  }

  async function ofGateway(scope: GatewayScope, word: string, query: LogQuery, signal: AbortSignal): Promise<Entries> {
    return readAll([sourceOf(gateways.get(scope, word), '')], query, signal)
  }

  async function ofControl(query: LogQuery, signal: AbortSignal): Promise<Entries> {
    return controlLog(ownLog, wantedBy(query), signal)
  }

  function oneOf(rows: Row[], server: string, word: string): Source {
    const all = rows
      .flatMap((row) => (live.serversOf(row.id).get(server)?.instances ?? []).map(({ id }) => ({ row, id })))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
    const found = /^\d+$/.test(word) ? all[Number(word)] : all.find(({ id }) => id === word)
    if (found) return sourceOf(found.row, server, found.id)
    const known = all.length === 0 ? 'none' : `0 to ${all.length - 1}`
    throw new McpgError('not_found', 'instance_unknown', `${server} has no instance ${word}; there are ${known}.`, {
      hint: 'mcpg-ctl get instances',
    })
  }

  /** Those that are away only count while others are there, or when it is waited for them. */
  function readAll(sources: Source[], query: LogQuery, signal: AbortSignal): Entries {
    const lines = sources.map((source) => ({ source, line: link.line(source.gatewayId) }))
    const away = lines.filter(({ line }) => !line).map(({ source }) => source.gateway)
    const areRefusals = sources.some(({ heldBack }) => heldBack)
    if (away.length === sources.length && !areRefusals) throw notConnected(away)
    const unable = lines.find(({ line }) => line && !line.has(GatewayCapability.LOGS))
    if (unable)
      throw new McpgError(
        'failed_precondition',
        'logs_unsupported',
        `The agent of the gateway ${unable.source.gateway} is too old to send logs.`,
        {
          hint: 'update it, or read its log where it runs',
        },
      )
    return entries(sources, wantedBy(query), signal)
  }

  async function* entries(sources: Source[], wanted: Wanted, outer: AbortSignal): Entries {
    // The sources end with their reader, whichever way that stops.
    const left = new AbortController()
    const signal = AbortSignal.any([outer, left.signal])
    try {
      const refusals = sources.flatMap((source) => refusal(source, wanted, link.line(source.gatewayId) !== null))
      const logs = sources.map((source) => gatewayLog(source, wanted, { streams, lines: { now: link.line, next: nextLine }, signal }))
      if (wanted.follow) yield* arrivals([...refusals, ...logs])
      // What is no line comes at once.
      else yield* mergeByTime([...refusals, ...logs], (entry) => (entry.type === 'log' ? entry.time : ''))
    } finally {
      left.abort()
    }
  }

  /** The stream of a gateway, waited for; null when `signal` aborts. */
  function nextLine(gatewayId: string, signal: AbortSignal): Promise<Line | null> {
    const line = link.line(gatewayId)
    if (line || signal.aborted) return Promise.resolve(line)
    return new Promise((resolve) => {
      const tell = waiting.get(gatewayId) ?? new Set()
      waiting.set(gatewayId, tell.add(resolve))
      signal.addEventListener('abort', () => (tell.delete(resolve), resolve(null)), { once: true })
    })
  }

  function wantedBy({ tail, since, previous, follow }: LogQuery): Wanted {
    if (previous && follow)
      throw new McpgError('invalid', 'previous_ended', 'A life that is over cannot be followed.', {
        violations: [{ pointer: '/querystring/previous', detail: 'does not go together with follow' }],
      })
    return { tail, since: since === undefined ? undefined : timeOf(since), previous, follow }
  }

  function timeOf(since: string): number {
    return /^\d+[a-z]+$/.test(since) ? Math.max(0, clock.now() - durationMs(since)) : Date.parse(since)
  }
}

const sourceOf = ({ id, name }: Row, server: string, instanceId = ''): Source => ({
  gatewayId: id,
  gateway: name,
  server,
  instanceId,
})

function notConnected(names: string[]): McpgError {
  const [first = ''] = names
  const which = names.length === 1 ? `The gateway ${first} is` : `None of the gateways ${names.join(', ')} is`
  return new McpgError('unavailable', 'gateway_not_connected', `${which} not connected, and its logs are on its machine.`, {
    hint: `mcpg-ctl describe gateway/${first} says since when; on its machine the logs lie in <state>/gateways/<name>/logs`,
  })
}
