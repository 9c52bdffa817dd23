import { afterEach, describe, expect, it } from 'vitest'
import { createHash } from 'node:crypto'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { fakeClock } from '@mcpg/core/clock'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { BackoffReason, CommandSchema, CommandState, GoodbyeReason, TerminateReason } from '@mcpg/proto/gen/gateway'
import { ConfigFailureReason, ConfigState, ServerState } from '@mcpg/proto/gen/types'
import { linkedAgent } from '../../test/agent-bench.ts'
import { framesOf, lastConfigStatus, type Session } from '../../test/fake-control-plane.ts'
import { until } from '../../test/until.ts'

type Agent = Awaited<ReturnType<typeof linkedAgent>>
const agents: Agent[] = []
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop()
})

async function start(options: Parameters<typeof linkedAgent>[0] = {}): Promise<Agent> {
  const agent = await linkedAgent(options)
  agents.push(agent)
  return agent
}

const server = (name: string) => ({ name, command: ['run', name] })
const applied = (session: Session, generation: number) =>
  until(`generation ${generation} applied`, () => {
    const status = lastConfigStatus(session)
    return status?.state === ConfigState.APPLIED && Number(status.generation) === generation ? status : undefined
  })

/** A TCP proxy that can stop passing bytes on in both directions while every connection stays up. */
async function stallingProxy(target: () => string) {
  const sockets = new Set<Socket>()
  let isStalled = false
  const server = createServer((down) => {
    if (isStalled || target() === '') return void down.destroy()
    const up = connect(Number(new URL(target()).port), '127.0.0.1')
    for (const [from, to] of [
      [down, up],
      [up, down],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {}).on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    stall() {
      isStalled = true
      for (const socket of sockets) socket.unpipe().pause()
    },
    flow: () => void (isStalled = false),
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

describe('a stream', () => {
  it('begins with hello, numbers its frames, and proves life', async () => {
    const { plane, identity } = await start({ knobs: { heartbeatMs: 20 } })
    const session = await plane.session()
    await until('three heartbeats', () => framesOf(session, 'heartbeat').length >= 3)
    expect(session.frames[0]?.frame.case).toBe('hello')
    expect(session.hello).toMatchObject({ instanceUid: identity.instanceUid, previousSessionEpoch: 0n })
    expect(session.hello?.bootId).toHaveLength(16)
    expect(session.hello?.description?.endpoints).toEqual(['http://127.0.0.1:1/mcp'])
    expect(session.frames.map((frame) => Number(frame.sequenceNum))).toEqual(session.frames.map((_, index) => index + 1))
    expect(framesOf(session, 'heartbeat')[0]).toMatchObject({ activeSessions: 3 })
    expect(framesOf(session, 'serverStatus')[0]).toMatchObject({ full: true, servers: [] })
  })

  it('carries a config up and down: staged, applied, and who serves', async () => {
    const { plane, fake, machine } = await start()
    const session = await plane.session()
    plane.offer({ servers: [server('a')] })
    const status = await applied(session, 1)
    expect(status.nonce).toBe(1n)
    expect(fake.routedNames()).toEqual(['a'])
    await until('the status of a', () =>
      framesOf(session, 'serverStatus').some((report) => report.servers.some((one) => one.name === 'a' && one.state === ServerState.READY)),
    )
    const heartbeat = await until('a heartbeat with the hash', () =>
      framesOf(session, 'heartbeat').find((one) => one.configHashes?.lkgHash.length === 32),
    )
    expect(Buffer.from(heartbeat.configHashes?.lkgHash ?? []).toString('hex')).toBe(machine.hashes().lkg)
  })

  it('says what a config came to between its hello and the welcome', async () => {
    const { plane, fake, machine } = await start()
    const first = await plane.session()
    plane.offer({ servers: [server('hangs-a')] })
    await until('it is applying', () => lastConfigStatus(first)?.state === ConfigState.APPLYING)
    plane.knobs.isSilent = true
    plane.drop()
    const second = await until('the next hello', () => {
      const newest = plane.sessions.at(-1)
      return newest !== first && newest?.frames[0]?.frame.case === 'hello' ? newest : undefined
    })
    fake.release()
    await until('the config is applied', () => machine.report()?.state === 'applied')
    plane.knobs.isSilent = false
    second.send({
      case: 'welcome',
      value: { $typeName: 'mcpg.fleet.v1.Welcome', sessionEpoch: 2n, protocolRevision: 1, replicaId: 'fake', capabilities: [] },
    })
    expect(await applied(second, 1)).toMatchObject({ nonce: 0n })
  })

  it('names the server that failed, with its exit code, its last lines and its revision', async () => {
    const { plane, fake } = await start()
    const session = await plane.session()
    plane.offer({ servers: [server('a')] })
    await applied(session, 1)
    plane.offer({ servers: [server('a'), server('fails')] })
    const status = await until('the rollback', () => {
      const last = lastConfigStatus(session)
      return last?.state === ConfigState.ROLLED_BACK ? last : undefined
    })
    expect(status).toMatchObject({
      generation: 2n,
      failureReason: ConfigFailureReason.UNHEALTHY,
      servers: [{ name: 'fails', instances: [{ exitCode: 7, lastLogLines: ['boom'] }] }],
    })
    expect(status.servers[0]?.subHash).toHaveLength(32)
    expect(fake.routedNames()).toEqual(['a'])
  })

  it('tells changes only, gathered, and everything when asked', async () => {
    const { plane, fake, inventory } = await start()
    const session = await plane.session()
    plane.offer({ servers: [server('a'), server('b')] })
    await applied(session, 1)
    await until('the inventory-free status', () => framesOf(session, 'serverStatus').length >= 2)
    const count = framesOf(session, 'serverStatus').length
    for (let n = 0; n < 20; n++) fake.poke()
    inventory.set('a', { serverInfoName: 'A', serverInfoVersion: '1', instructions: 'Be kind.', items: [] })
    await until('a report', () => framesOf(session, 'serverStatus').length > count)
    const delta = framesOf(session, 'serverStatus').at(-1)
    expect(delta).toMatchObject({ full: false, servers: [{ name: 'a' }] })
    expect(delta?.servers).toHaveLength(1)
    session.send({ case: 'reportFullState', value: { $typeName: 'mcpg.fleet.v1.ReportFullState' } })
    const full = await until('the full report', () =>
      framesOf(session, 'serverStatus')
        .slice(1)
        .find((report) => report.full && report.servers.length === 2),
    )
    expect(full.servers.map((one) => one.name)).toEqual(['a', 'b'])
    expect(framesOf(session, 'description')).toHaveLength(1)
  })

  it('sends the hash of an inventory first and its items only when they are asked for', async () => {
    const { plane, inventory } = await start()
    const session = await plane.session()
    // Only what changes after its welcome is told as a change.
    await until('the first report', () => framesOf(session, 'serverStatus').length > 0)
    const items = [
      { kind: 'tool' as const, name: 'b', exposedName: 's__b', definition: { name: 'b' } },
      { kind: 'tool' as const, name: 'a', exposedName: 's__a', definition: { name: 'a', z: 1, y: 2 } },
    ]
    inventory.set('s', { serverInfoName: 'S', serverInfoVersion: '1', instructions: undefined, items })
    const [head] = await until('the hash', () =>
      framesOf(session, 'serverInventory').length > 0 ? framesOf(session, 'serverInventory') : undefined,
    )
    expect(head).toMatchObject({ server: 's', items: [], serverInfoName: 'S' })
    inventory.set('s', { serverInfoName: 'S', serverInfoVersion: '1', instructions: undefined, items: items.toReversed() })
    session.send({
      case: 'inventoryRequest',
      value: { $typeName: 'mcpg.fleet.v1.InventoryRequest', server: 's', inventoryHash: head?.inventoryHash ?? new Uint8Array() },
    })
    const body = await until('the items', () => framesOf(session, 'serverInventory').find((one) => one.items.length > 0))
    expect(body.items.map((item) => [item.name, Buffer.from(item.definition).toString()])).toEqual([
      ['a', '{"name":"a","y":2,"z":1}'],
      ['b', '{"name":"b"}'],
    ])
    expect(body.truncated).toBe(false)
    const hash = createHash('sha256')
    for (const item of body.items) hash.update(item.definitionHash)
    expect(Buffer.from(body.inventoryHash)).toEqual(hash.digest())
    expect(Buffer.from(body.inventoryHash)).toEqual(Buffer.from(head?.inventoryHash ?? []))
    expect(framesOf(session, 'serverInventory')).toHaveLength(2)
  })

  it('cuts an inventory at one MiB and says so', async () => {
    const { plane, inventory } = await start()
    const session = await plane.session()
    const items = Array.from({ length: 30 }, (_, n) => ({
      kind: 'tool' as const,
      name: `t${n}`,
      exposedName: `s__t${n}`,
      definition: { text: 'x'.repeat(60_000) },
    }))
    inventory.set('s', { serverInfoName: 'S', serverInfoVersion: '1', instructions: undefined, items })
    session.send({
      case: 'inventoryRequest',
      value: { $typeName: 'mcpg.fleet.v1.InventoryRequest', server: 's', inventoryHash: new Uint8Array() },
    })
    const body = await until('the items', () => framesOf(session, 'serverInventory').find((one) => one.items.length > 0))
    expect(body.truncated).toBe(true)
    const whole = body.items.filter((item) => item.definition.length > 0)
    expect(whole.length).toBeGreaterThan(10)
    expect(whole.length).toBeLessThan(18)
    // What was left out still counts, so that nobody can choose the body behind a hash.
    const all = createHash('sha256')
    for (const item of body.items) all.update(item.definitionHash)
    expect(Buffer.from(body.inventoryHash)).toEqual(all.digest())
  })

  it('does a command once, and refuses what it does not know or what comes too late', async () => {
    const { plane } = await start()
    const session = await plane.session()
    plane.offer({ servers: [server('a')] })
    await applied(session, 1)
    const send = (
      commandId: string,
      action: NonNullable<MessageInitShape<typeof CommandSchema>['action']>,
      expireTime = timestampFromMs(Date.now() + 60_000),
    ) => session.send({ case: 'command', value: create(CommandSchema, { commandId, expireTime, action }) })
    send('1', { case: 'stopInstance', value: { instanceId: 'a-0' } })
    send('1', { case: 'stopInstance', value: { instanceId: 'a-0' } })
    send('2', { case: 'stopInstance', value: { instanceId: 'nobody' } })
    send('3', { case: 'drain', value: {} })
    send('4', { case: 'stopInstance', value: { instanceId: 'a-0' } }, timestampFromMs(Date.now() - 1))
    await until('five answers', () => framesOf(session, 'commandResult').length === 5)
    const { SUCCEEDED, FAILED, REFUSED } = CommandState
    expect(framesOf(session, 'commandResult').map((one) => [one.commandId, one.state])).toEqual([
      ['1', SUCCEEDED],
      ['1', SUCCEEDED],
      ['2', FAILED],
      ['3', REFUSED],
      ['4', REFUSED],
    ])
  })

  it('says goodbye when the agent stops, as its last frame', async () => {
    const agent = await start()
    const session = await agent.plane.session()
    await agent.link.stop()
    const last = await until('goodbye', () => session.frames.find((one) => one.frame.case === 'goodbye'))
    expect(last).toBe(session.frames.at(-1))
    expect(framesOf(session, 'goodbye')[0]?.reason).toBe(GoodbyeReason.SHUTDOWN)
    expect(agent.link.state().phase).toBe('stopped')
  })
})

describe('losing the control plane', () => {
  it('comes back with the epoch it had, and applies nothing again', async () => {
    const { plane, fake, machine } = await start()
    const first = await plane.session()
    plane.offer({ servers: [server('a')] })
    await applied(first, 1)
    await plane.stopListening()
    expect(fake.routedNames()).toEqual(['a'])
    await plane.listenAgain()
    const second = await plane.session(1)
    expect(second.hello).toMatchObject({ previousSessionEpoch: first.epoch, configStatus: { state: ConfigState.APPLIED, nonce: 0n } })
    expect(Buffer.from(second.hello?.bootId ?? [])).toEqual(Buffer.from(first.hello?.bootId ?? []))
    expect(Buffer.from(second.hello?.configHashes?.appliedHash ?? []).toString('hex')).toBe(machine.hashes().applied)
    plane.offer({ servers: [server('a')], generation: 1, nonce: 5n })
    await until('the answer', () => lastConfigStatus(second)?.nonce === 5n)
    expect(fake.started).toEqual(['a'])
  })

  it('finishes a config it was offered, and reports it after the return', async () => {
    const { plane } = await start()
    const first = await plane.session()
    plane.offer({ servers: [server('a')] })
    await applied(first, 1)
    plane.offer({ servers: [server('a'), server('b')], probationMs: 300 })
    await until('probation', () => lastConfigStatus(first)?.state === ConfigState.PROBATION)
    await plane.stopListening()
    await until('the end of the probation', () => agents[0]?.machine.report()?.state === 'applied')
    await plane.listenAgain()
    const second = await plane.session(1)
    expect(second.hello?.configStatus).toMatchObject({ generation: 2n, state: ConfigState.APPLIED })
  })

  it('survives connections that are reset again and again', async () => {
    const { plane } = await start({ knobs: { heartbeatMs: 5 } })
    for (let round = 0; round < 20; round++) {
      await plane.session(round)
      plane.drop()
    }
    const last = await plane.session(20)
    await until('a heartbeat', () => framesOf(last, 'heartbeat').length > 0)
  })

  it('gives up a stream whose heartbeats are not answered', async () => {
    const { plane } = await start({ knobs: { heartbeatMs: 20, ignoreHeartbeats: true }, timers: { ackDeadline: 80 } })
    await plane.session(1)
    expect(plane.sessions[0]?.isOpen).toBe(false)
  })

  it('gives up a stream that does not welcome it', async () => {
    const { plane } = await start({ knobs: { isSilent: true }, timers: { helloDeadline: 50 } })
    await until('a second attempt', () => plane.attempts() >= 2)
    plane.knobs.isSilent = false
    await plane.session()
  })

  it('notices by ping that nothing comes through any more, without a reset from anybody', async () => {
    let target = ''
    const proxy = await stallingProxy(() => target)
    const agent = await start({
      knobs: { heartbeatMs: 60_000, advertise: [`127.0.0.1:${proxy.port}`] },
      timers: { keepAlive: 40, keepAliveTimeout: 40, helloDeadline: 200 },
    })
    target = agent.plane.grpc
    await agent.plane.session()
    proxy.stall()
    await until('the break', () => agent.link.state().phase === 'waiting')
    proxy.flow()
    await agent.plane.session(1)
    await proxy.stop()
  })
})

describe('coming back', () => {
  it('waits as long as the full jitter says and not a millisecond less', async () => {
    const clock = fakeClock()
    const { plane, link } = await start({
      clock,
      random: () => 0.5,
      timers: { firstReconnect: 5_000, reconnectBase: 1_000, reconnectMax: 60_000 },
    })
    await plane.session()
    await plane.stopListening()
    await until('the break', () => link.state().phase === 'waiting')
    expect(link.state()).toMatchObject({ retryInMs: 2_500 })
    await clock.advance(2_499)
    expect(link.state().phase).toBe('waiting')
    await clock.advance(1)
    await until('the second wait', () => link.state().phase === 'waiting' && (link.state() as { retryInMs: number }).retryInMs === 1_000)
    await plane.listenAgain()
    await clock.advance(1_000)
    await plane.session(1)
  })

  it('obeys a backoff exactly, with the jitter that it names', async () => {
    const clock = fakeClock()
    const { plane, link } = await start({ clock, random: () => 0.5 })
    await plane.session()
    plane.backoff({ reason: BackoffReason.OVERLOADED, afterMs: 7_000, jitterMs: 2_000 })
    await until('the wait', () => link.state().phase === 'waiting')
    expect(link.state()).toMatchObject({ retryInMs: 8_000 })
    await clock.advance(7_999)
    expect(link.state().phase).toBe('waiting')
    await clock.advance(1)
    const second = await plane.session(1)
    expect(framesOf(plane.sessions[0]!, 'goodbye')).toEqual([])
    expect(second.hello?.previousSessionEpoch).toBe(1n)
  })

  it('keeps a stream that may stay until its slot, and comes back in the slot when it breaks before', async () => {
    const clock = fakeClock()
    const { plane, link } = await start({ clock, random: () => 0.5 })
    const first = await plane.session()
    plane.backoff({ reason: BackoffReason.REBALANCE, afterMs: 5_000, keepStream: true })
    await clock.advance(4_000)
    expect(first.isOpen).toBe(true)
    await until('the frame to be read', async () => {
      await clock.advance(500)
      return plane.sessions.length === 2
    })
    plane.backoff({ reason: BackoffReason.DRAINING, afterMs: 9_000, keepStream: true })
    // The frame has to arrive before the connection breaks; a command behind it answers when it has.
    const second = plane.sessions[1]!
    second.send({ case: 'command', value: { $typeName: 'mcpg.fleet.v1.Command', commandId: 'x', action: { case: undefined } } })
    await until('the answer', () => framesOf(second, 'commandResult').length === 1)
    plane.drop()
    await until('the wait', () => link.state().phase === 'waiting')
    expect(link.state()).toMatchObject({ retryInMs: 9_000 })
  })

  it('tries a refused credential six times, then once an hour, and at once when something changed', async () => {
    const clock = fakeClock()
    const { plane, link } = await start({
      clock,
      random: () => 0.5,
      knobs: { refuseCredential: true },
      timers: { reconnectBase: 1_000, reconnectMax: 60_000 },
    })
    const waits: number[] = []
    for (let n = 1; n <= 6; n++) {
      await until(`refusal ${n}`, () => plane.attempts() === n && link.state().phase === 'waiting')
      waits.push((link.state() as { retryInMs: number }).retryInMs)
      if (n < 6) await clock.advance(waits.at(-1) ?? 0)
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 3_600_000])
    await clock.advance(3_599_999)
    expect(plane.attempts()).toBe(6)
    plane.knobs.refuseCredential = false
    link.wake()
    await plane.session()
  })
})

describe('the end of a session', () => {
  it('ends for good when the gateway was deleted', async () => {
    const { plane, decommissions, link } = await start()
    await plane.session()
    plane.terminate(TerminateReason.DECOMMISSIONED, 'deleted by an operator')
    await until('the message', () => decommissions.length > 0)
    expect(decommissions).toEqual(['deleted by an operator'])
    await link.stop()
    expect(plane.attempts()).toBe(1)
  })

  it.each<[keyof typeof TerminateReason, number]>([
    ['DUPLICATE', 300_000],
    ['REVOKED', 3_600_000],
    ['INCOMPATIBLE', 3_600_000],
    ['SUPERSEDED', 2_500],
  ])('serves on after %s and asks again much later', async (reason, retryInMs) => {
    const clock = fakeClock()
    const { plane, link, fake } = await start({ clock, random: () => 0.5, timers: { firstReconnect: 5_000 } })
    const session = await plane.session()
    plane.offer({ servers: [server('a')] })
    await applied(session, 1)
    plane.terminate(TerminateReason[reason])
    await until('the wait', () => link.state().phase === 'waiting')
    expect(link.state()).toMatchObject({ retryInMs })
    expect(fake.routedNames()).toEqual(['a'])
    expect(fake.isStopped()).toBe(false)
  })

  it('tells how long it was without a control plane', async () => {
    const contact = {
      endpoint: 'x',
      replicaId: '',
      connectedAt: new Date().toISOString(),
      lastHeardAt: new Date(Date.now() - 90_000).toISOString(),
    }
    const { plane, contacts } = await start({ contact })
    const session = await plane.session()
    expect(Number(session.hello?.offlineFor?.seconds)).toBeGreaterThanOrEqual(90)
    await until('the contact', () => contacts.length > 0)
    expect(contacts[0]).toMatchObject({ endpoint: plane.grpc, replicaId: 'fake' })
  })
  it('remembers when it was last heard once a minute at most, and since when it is gone', async () => {
    const clock = fakeClock(Date.parse('2026-01-01T00:00:00Z'))
    const { plane, contacts } = await start({ clock, knobs: { heartbeatMs: 10_000 } })
    const session = await plane.session()
    await until('the contact', () => contacts.length > 0)
    for (let beat = 1; beat <= 14; beat++) {
      const before = framesOf(session, 'heartbeat').length
      await clock.advance(11_000)
      await until('a heartbeat', () => framesOf(session, 'heartbeat').length > before)
    }
    await until('the second write', () => contacts.length >= 3)
    expect(contacts.length).toBeLessThanOrEqual(3)
    expect(contacts.every((contact) => contact.disconnected === undefined)).toBe(true)
    plane.drop()
    const last = await until('the end', () => contacts.find((contact) => contact.disconnected))
    expect(Date.parse(last.disconnected!.since)).toBe(clock.now())
    expect(last.disconnected!.reason).not.toBe('')
    await clock.advance(100)
    await until('the next stream', () => contacts.at(-1)?.disconnected === undefined)
  })
})
