import { create } from '@bufbuild/protobuf'
import { timestampNow } from '@bufbuild/protobuf/wkt'
import { createClient, type Transport } from '@connectrpc/connect'
import { createHash, randomBytes } from 'node:crypto'
import { SignedHeader } from '@mcpg/proto/gateway-config'
import { ServerInventorySchema } from '@mcpg/proto/gen/delivery'
import {
  CommandResultSchema,
  CommandState,
  ConfigHashesSchema,
  ConnectRequestSchema,
  GatewayService,
  GoodbyeSchema,
  HeartbeatSchema,
  HelloSchema,
  ServerStatusReportSchema,
  type ConfigOffer,
  type ConnectRequest,
  type ConnectResponse,
} from '@mcpg/proto/gen/gateway'
import {
  ConfigFailureReason,
  ConfigState,
  ConfigStatusSchema,
  GatewayCapability,
  GatewayDescriptionSchema,
  InstanceState,
  InstanceStatusSchema,
  ServerState,
  ServerStatusSchema,
  type ConfigStatus,
  type ServerStatus,
} from '@mcpg/proto/gen/types'
import { channel } from './channel.ts'

export type Knobs = {
  /** Names of servers whose new revisions never become ready: the config is rolled back and names them. */
  failing?: ReadonlySet<string>
  /** Refuses every config for this reason and names nobody. */
  refuse?: ConfigFailureReason
  /** Stops after STAGED. */
  onlyStage?: boolean
  /** Runs and reports what works, and never comes to the end of a probation. */
  endlessProbation?: boolean
  /** Applies and says so, and reports no server. */
  untold?: boolean
  /** Answers no offer at all. */
  silent?: boolean
  /** What it says it can; logs and remote calls by default. */
  capabilities?: GatewayCapability[]
  description?: { minProtocolRevision: number; maxProtocolRevision: number }
}

type Frame = Exclude<ConnectRequest['frame'], { case: undefined }>
export type Answer = Exclude<ConnectResponse['frame'], { case: undefined }>
type Known = { hash: string; generation: number; servers: Map<string, string> }

export type FakeAgent = ReturnType<typeof fakeAgent>

/**
 * A gateway agent as the control plane sees one: it says hello, stages and applies what it is offered, reports servers, and remembers
 * over its streams what a state dir remembers. It starts nothing.
 */
export function fakeAgent({
  transport,
  bearer,
  instanceUid,
  knobs = {},
}: {
  transport: Transport
  bearer: string
  instanceUid: string
  knobs?: Knobs
}) {
  const client = createClient(GatewayService, transport)
  const memory = {
    bootId: new Uint8Array(randomBytes(16)),
    lkg: null as Known | null,
    /** In probation. */
    running: null as Known | null,
    highest: 0,
    lastOffered: '',
    quarantine: new Set<string>(),
  }
  const frames: Answer[] = []
  const offers: ConfigOffer[] = []
  const listeners = new Set<() => void>()
  let outgoing = channel<ConnectRequest>()
  let abort = new AbortController()
  let sequence = 0n
  let ended: unknown = 'not connected'
  return { knobs, memory, frames, offers, connect, send, heartbeat, reportServers, goodbye, disconnect, waitFor, restart, end: () => ended }

  /** Opens a stream and says hello; what comes back is handled until the stream ends. */
  function connect({ hello = true, reading = true }: { hello?: boolean; reading?: boolean } = {}): void {
    const mine = channel<ConnectRequest>()
    outgoing = mine
    abort = new AbortController()
    sequence = 0n
    ended = undefined
    const stream = client.connect(mine, { headers: { authorization: `Bearer ${bearer}` }, signal: abort.signal })
    if (hello) sayHello()
    const iterator = stream[Symbol.asyncIterator]()
    if (!reading) return void iterator.next().catch(() => {})
    const finish = (why: unknown) => {
      mine.end()
      if (outgoing === mine) ended = why
      for (const listener of listeners) listener()
    }
    void (async () => {
      for (;;) {
        const { value, done } = await iterator.next()
        if (done) break
        if (outgoing === mine) receive(value)
      }
    })().then(
      () => finish('closed'),
      (error: unknown) => finish(error),
    )
  }

  function send(frame: Frame, { skip = 0n }: { skip?: bigint } = {}): void {
    sequence += 1n + skip
    outgoing.push(create(ConnectRequestSchema, { sequenceNum: sequence, frame }))
  }

  function sayHello(): void {
    const description = create(GatewayDescriptionSchema, {
      softwareVersion: '0.1.0',
      platform: 'linux/amd64',
      hostname: 'test-host',
      minProtocolRevision: knobs.description?.minProtocolRevision ?? 1,
      maxProtocolRevision: knobs.description?.maxProtocolRevision ?? 1,
      endpoints: ['http://127.0.0.1:7845/mcp'],
      reportedLabels: { os: 'linux' },
      capabilities: knobs.capabilities ?? [GatewayCapability.LOGS, GatewayCapability.REMOTE_CALLS, GatewayCapability.CALLER_GRANTS],
    })
    send({
      case: 'hello',
      value: create(HelloSchema, { instanceUid, bootId: memory.bootId, gatewayTime: timestampNow(), description, configHashes: hashes() }),
    })
  }

  function hashes() {
    const bytes = (hash: string) => new Uint8Array(Buffer.from(hash, 'hex'))
    const running = memory.lkg?.hash ?? ''
    return create(ConfigHashesSchema, {
      appliedHash: bytes(running),
      lkgHash: bytes(running),
      lastOfferedHash: bytes(memory.lastOffered),
      highestGeneration: BigInt(memory.highest),
    })
  }

  function receive({ frame }: ConnectResponse): void {
    if (frame.case === undefined) return
    frames.push(frame)
    if (frame.case === 'configOffer') handleOffer(frame.value)
    if (frame.case === 'command')
      send({
        case: 'commandResult',
        value: create(CommandResultSchema, { commandId: frame.value.commandId, state: CommandState.SUCCEEDED }),
      })
    for (const listener of listeners) listener()
  }

  function handleOffer(offer: ConfigOffer): void {
    offers.push(offer)
    if (knobs.silent) return
    const header = SignedHeader.parse(JSON.parse(Buffer.from(offer.signedHeader).toString()))
    const verdict = (state: ConfigState, extra: Partial<Pick<ConfigStatus, 'failureReason' | 'message' | 'servers'>> = {}) =>
      send({
        case: 'configStatus',
        value: create(ConfigStatusSchema, {
          nonce: offer.nonce,
          generation: offer.generation,
          configHash: offer.configHash,
          state,
          ...extra,
        }),
      })
    if (header.generation < memory.highest) return verdict(ConfigState.REJECTED, { failureReason: ConfigFailureReason.STALE_GENERATION })
    if (header.generation === memory.highest && header.configHash !== memory.lastOffered)
      return verdict(ConfigState.REJECTED, { failureReason: ConfigFailureReason.CONFLICTING_GENERATION })
    const hash = createHash('sha256').update(offer.configBytes).digest('hex')
    if (hash !== header.configHash) return verdict(ConfigState.REJECTED, { failureReason: ConfigFailureReason.HASH_MISMATCH })
    if (memory.quarantine.has(hash) && !header.force)
      return verdict(ConfigState.REJECTED, { failureReason: ConfigFailureReason.QUARANTINED })
    if (knobs.refuse !== undefined) return verdict(ConfigState.REJECTED, { failureReason: knobs.refuse })
    memory.highest = header.generation
    memory.lastOffered = hash
    verdict(ConfigState.STAGED)
    if (knobs.onlyStage) return
    const servers = subHashes(offer.configBytes)
    const failed = [...servers].filter(
      ([name, subHash]) => knobs.failing?.has(name) && (memory.running ?? memory.lkg)?.servers.get(name) !== subHash,
    )
    if (failed.length > 0) {
      memory.quarantine.add(hash)
      return verdict(ConfigState.ROLLED_BACK, {
        failureReason: ConfigFailureReason.UNHEALTHY,
        message: `${failed.map(([name]) => name).join(', ')} did not become ready`,
        servers: failed.map(([name, subHash]) => failedServer(name, subHash)),
      })
    }
    memory.running = { hash, generation: header.generation, servers }
    if (knobs.endlessProbation && header.probationMs > 0) {
      verdict(ConfigState.PROBATION)
      return reportServers()
    }
    memory.lkg = memory.running
    verdict(ConfigState.APPLIED)
    if (!knobs.untold) reportServers()
  }

  /** Every server of what runs as ready, with one instance each. */
  function reportServers(full = true): void {
    const servers = [...((memory.running ?? memory.lkg)?.servers ?? [])].map(([name, subHash]) => readyServer(name, subHash))
    send({ case: 'serverStatus', value: create(ServerStatusReportSchema, { full, servers }) })
  }

  function heartbeat({ activeSessions = 0 } = {}): void {
    send({ case: 'heartbeat', value: create(HeartbeatSchema, { configHashes: hashes(), gatewayTime: timestampNow(), activeSessions }) })
  }

  function goodbye(): void {
    send({ case: 'goodbye', value: create(GoodbyeSchema, { reason: 1 }) })
  }

  /** The connection breaks without a word. */
  function disconnect(): void {
    abort.abort()
    outgoing.end()
  }

  /** A new process over the same state dir. */
  function restart(): void {
    disconnect()
    memory.bootId = new Uint8Array(randomBytes(16))
    connect()
  }

  /** Waits for something that the control plane does; rejects after `ms` with what came so far. */
  async function waitFor<T>(look: () => T | undefined | null | false, ms = 20_000): Promise<T> {
    const found = look()
    if (found) return found
    return await new Promise<T>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          settle(() =>
            reject(new Error(`waited ${ms} ms in vain; frames: ${frames.map((one) => one.case).join(' ')}; end: ${String(ended)}`)),
          ),
        ms,
      )
      const check = () => {
        const now = look()
        if (now) settle(() => resolve(now))
      }
      const settle = (how: () => void) => {
        clearTimeout(timer)
        listeners.delete(check)
        how()
      }
      listeners.add(check)
    })
  }
}

/** Names and sub-hashes of a document, as an agent computes them: over the canonical text as it stands there. */
export function subHashes(configBytes: Uint8Array): Map<string, string> {
  const { servers } = JSON.parse(Buffer.from(configBytes).toString()) as { servers: { name: string }[] }
  // Parsing and printing keeps the order of the keys, so the text is the canonical one again.
  return new Map(servers.map((server) => [server.name, createHash('sha256').update(JSON.stringify(server)).digest('hex')]))
}

export function readyServer(name: string, subHash: string): ServerStatus {
  return create(ServerStatusSchema, {
    name,
    subHash: new Uint8Array(Buffer.from(subHash, 'hex')),
    state: ServerState.READY,
    desired: 1,
    instances: [create(InstanceStatusSchema, { instanceId: `${name}-1`, state: InstanceState.READY, protocolVersion: '2025-11-25' })],
  })
}

export function failedServer(name: string, subHash: string): ServerStatus {
  return create(ServerStatusSchema, {
    name,
    subHash: new Uint8Array(Buffer.from(subHash, 'hex')),
    state: ServerState.FAILED,
    lastError: 'the process ended',
    desired: 1,
    instances: [
      create(InstanceStatusSchema, {
        instanceId: `${name}-2`,
        state: InstanceState.FAILED,
        reason: 'ExitedEarly',
        message: 'exit code 3',
        exitCode: 3,
        lastLogLines: ['boom'],
      }),
    ],
  })
}

/** An inventory frame with one tool; without its items when `withItems` is false. */
export function inventoryOf(server: string, tool: string, withItems: boolean) {
  const definition = new Uint8Array(Buffer.from(JSON.stringify({ inputSchema: { type: 'object' }, name: tool })))
  const definitionHash = new Uint8Array(createHash('sha256').update(definition).digest())
  const inventoryHash = new Uint8Array(createHash('sha256').update(definitionHash).digest())
  const items = withItems ? [{ kind: 1, name: tool, exposedName: `${server}__${tool}`, definition, definitionHash }] : []
  return create(ServerInventorySchema, { server, inventoryHash, serverInfoName: server, serverInfoVersion: '1', items })
}

type FrameOf<Case extends Answer['case']> = Extract<Answer, { case: Case }>['value']

/** The newest frame of a kind that came. */
export function last<Case extends Answer['case']>(agent: FakeAgent, name: Case): FrameOf<Case> | undefined {
  return agent.frames.findLast((frame) => frame.case === name)?.value as FrameOf<Case> | undefined
}
