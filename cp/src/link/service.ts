import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { randomUUID } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { McpgError } from '@mcpg/proto/errors'
import {
  BackoffReason,
  CommandSchema,
  CommandState,
  TerminateReason,
  type Command,
  type ConnectRequest,
  type ConnectResponse,
  type Hello,
} from '@mcpg/proto/gen/gateway'
import type { Configs } from '../config/service.ts'
import type { Live } from '../gateways/live.ts'
import type { Registry } from '../gateways/registry.ts'
import { hex } from '../gateways/reports.ts'
import type { Gateways } from '../gateways/service.ts'
import type { Writes } from '../gateways/writes.ts'
import type { StreamHandler } from '../grpc/stream.ts'
import { turn } from '../turns.ts'
import { cloneWatch } from './clones.ts'
import { endings } from './endings.ts'
import { openSession, type GatewayFrame, type Session, type SessionHost } from './session.ts'

/** Epochs of streams that come together are written together. */
const epochWindowMs = 20
/** A gateway is let in without its epoch on disk when the database does not answer: the number goes up in memory all the same. */
const epochPatienceMs = 2_000
const commandTimeoutMs = 15_000

export type Link = ReturnType<typeof linkService>

/** The stream of a connected gateway, as long as it lasts. */
export type Line = Pick<Session, 'gatewayId' | 'push' | 'pushStream' | 'has' | 'accessVersion' | 'isOpen'>

/** A feature that talks over the streams: which frames are for it, and what it hears. */
export type Talk = {
  frames: readonly GatewayFrame['case'][]
  heard(line: Line, frame: GatewayFrame): void
  /** A gateway is there, from the turn of its welcome on. */
  opened?(line: Line): void
  /** Nothing is heard of this stream any more; a newer one of the gateway may be open already. */
  closed(line: Line): void
}

/** Every stream there is: one per gateway, the newest. */
export function linkService({
  live,
  registry,
  writes,
  configs,
  gateways,
  clock,
  timers,
  log,
}: {
  live: Live
  registry: Registry
  writes: Pick<Writes, 'put' | 'committed'>
  configs: Configs
  gateways: Pick<Gateways, 'onEnding'>
  clock: Clock
  timers: Timers
  log: Log
}) {
  const sessions = new Map<string, Session>()
  const all = new Set<Session>() // those that have not said hello too
  const clones = cloneWatch({ clock, holdMs: timers.duplicateHold })
  const talks: Talk[] = []
  const commands = new Map<string, { settle: (state: CommandState, message: string) => void }>()
  let draining = false
  const host: SessionHost = {
    replicaId: randomUUID().slice(0, 8),
    isDraining: () => draining,
    admit,
    nextEpoch,
    // The first hello on the credential: from now on nobody gets it again by a replay.
    confirmed: (gatewayId) => writes.put(`confirmed/${gatewayId}`, { op: 'confirmed', gatewayId, at: new Date(clock.now()).toISOString() }),
    commandResult: (id, state, message) => commands.get(id)?.settle(state, message),
    opened: (session) => talks.forEach((talk) => talk.opened?.(session)),
    // What nobody takes is a frame of a newer gateway.
    heard: (session, frame) => talks.find(({ frames }) => frames.includes(frame.case))?.heard(session, frame),
    left,
  }
  configs.onAssigned((ids) => void offerTo(ids))
  gateways.onEnding((id, why) => {
    clones.forget(id)
    const { reason, message } = endings[why]
    sessions.get(id)?.terminate(reason, message)
  })
  live.onSilence((id) => {
    // One that is being welcomed is there: it was the stream before it that broke.
    const session = sessions.get(id)
    if (session?.isOpen()) session.end(new McpgError('timeout', 'silent', 'The gateway was silent for too long.'))
  })
  return { handler, command, drain, line, join: (talk: Talk) => void talks.push(talk) }

  function handler(): StreamHandler<ConnectRequest, ConnectResponse> {
    return (stream) => {
      const session = openSession(stream, { host, live, configs, registry, clock, timers, log })
      all.add(session)
      return session.events()
    }
  }

  function admit(session: Session, hello: Hello): { reason: TerminateReason; message: string } | null {
    const { gatewayId } = session
    const row = registry.get(gatewayId)
    if (!row) return { reason: TerminateReason.DECOMMISSIONED, message: 'this gateway was deleted' }
    if (hello.instanceUid !== row.instanceUid) {
      log.warn(
        { gateway: row.name, source: session.source, instanceUid: hello.instanceUid },
        'a credential was presented by another installation',
      )
      return { reason: TerminateReason.DUPLICATE, message: `this credential belongs to the installation ${row.instanceUid}` }
    }
    const before = sessions.get(gatewayId)
    if (clones.isHeld(gatewayId)) return duplicate()
    live.setDuplicate(gatewayId, undefined)
    if (clones.hello(gatewayId, hex(hello.bootId))) {
      log.error({ gateway: row.name }, 'two processes present the same identity; neither gets in for a while')
      live.setDuplicate(gatewayId, new Date(clock.now()).toISOString())
      sessions.delete(gatewayId)
      before?.terminate(TerminateReason.DUPLICATE, duplicate().message)
      live.presence.broken(gatewayId)
      return duplicate()
    }
    // The newcomer counts before the old one ends, so that its end is not taken for the end of the gateway.
    sessions.set(gatewayId, session)
    before?.terminate(TerminateReason.SUPERSEDED, 'a newer stream of this gateway took over')
    return null
  }

  async function nextEpoch(gatewayId: string): Promise<number> {
    const epoch = (registry.get(gatewayId)?.sessionEpoch ?? 0) + 1
    live.patch(gatewayId, { sessionEpoch: epoch })
    let cancel = () => {}
    const impatient = new Promise<void>((resolve) => (cancel = clock.after(epochPatienceMs, resolve)))
    await Promise.race([writes.committed(epochWindowMs), impatient])
    cancel()
    return epoch
  }

  function left(session: Session, said: 'goodbye' | 'nothing'): void {
    all.delete(session)
    for (const talk of talks) talk.closed(session)
    if (sessions.get(session.gatewayId) !== session) return
    sessions.delete(session.gatewayId)
    if (said === 'goodbye') live.presence.goodbye(session.gatewayId)
    // A stream that this end closes says nothing of the gateway.
    else if (!draining) live.presence.broken(session.gatewayId)
  }

  /** A fleet is offered its configs in slices, so that heartbeats are answered in between. */
  async function offerTo(ids: string[]): Promise<void> {
    for (const id of ids) {
      sessions.get(id)?.offer()
      await turn()
    }
  }

  /** The open stream of a gateway; null while it has none. */
  function line(gatewayId: string): Line | null {
    const session = sessions.get(gatewayId)
    return session?.isOpen() ? session : null
  }

  /** Asks a connected gateway for one action and waits for its answer. Throws failed_precondition when it refuses, unavailable when it is away. */
  async function command(gatewayId: string, action: Command['action']): Promise<void> {
    const session = sessions.get(gatewayId)
    const name = registry.get(gatewayId)?.name ?? gatewayId
    if (!session?.isOpen())
      throw new McpgError('failed_precondition', 'gateway_not_connected', `The gateway ${name} is not connected.`, {
        hint: `mcpg-ctl describe gateway/${name}`,
      })
    const commandId = randomUUID()
    const answer = new Promise<{ state: CommandState; message: string }>((resolve, reject) => {
      const cancel = clock.after(commandTimeoutMs, () =>
        reject(new McpgError('timeout', 'command_timeout', `The gateway ${name} did not answer.`)),
      )
      commands.set(commandId, {
        settle: (state, message) => {
          if (state === CommandState.ACCEPTED || state === CommandState.RUNNING) return
          cancel()
          resolve({ state, message })
        },
      })
    }).finally(() => commands.delete(commandId))
    session.push({
      case: 'command',
      value: create(CommandSchema, { commandId, expireTime: timestampFromMs(clock.now() + commandTimeoutMs), action }),
    })
    const { state, message } = await answer
    if (state !== CommandState.SUCCEEDED)
      throw new McpgError('failed_precondition', 'command_refused', `The gateway ${name} refused: ${message || 'no reason given'}.`)
  }

  /** Tells every gateway to come back a little later, each at another moment, and ends the streams. */
  async function drain(): Promise<void> {
    draining = true
    for (const session of Array.from(all)) session.backoff(BackoffReason.DRAINING, timers.drainJitter)
  }
}

function duplicate() {
  return {
    reason: TerminateReason.DUPLICATE,
    message: 'two processes present the same identity: a state dir was copied; enroll one of them anew (--re-enroll)',
  }
}
