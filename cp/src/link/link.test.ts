import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { create } from '@bufbuild/protobuf'
import { HeartbeatSchema, TerminateReason } from '@mcpg/proto/gen/gateway'
import { ConfigFailureReason, ConfigState } from '@mcpg/proto/gen/types'
import { engineOfRun } from '../db/testing.ts'
import { environment, testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'
import { inventoryOf, last, type FakeAgent } from '../../test/fake-agent.ts'

let fleet: TestFleet
beforeEach(async () => {
  fleet = await testFleet({ timers: 'offlineAfterReset=50,helloDeadline=60,heartbeat=200,offlineAfter=2000' })
})
afterEach(() => fleet.close())

const terminated = (agent: FakeAgent, reason: TerminateReason) => agent.waitFor(() => last(agent, 'terminate')?.reason === reason)
const connectionOf = async (name: string) => (await fleet.gateway(name)).status.connection as string

describe('a stream', () => {
  it('is welcomed with an epoch that is on disk, the clock and the heartbeat period', async () => {
    const { agent, gatewayId } = await fleet.join('a')
    expect(last(agent, 'welcome')).toMatchObject({
      sessionEpoch: 1n,
      protocolRevision: 1,
      heartbeatInterval: { nanos: 200_000_000 },
      offlineAfter: { seconds: 2n },
    })
    expect((await fleet.db().read.gateway.findUnique({ where: { id: gatewayId } }))?.sessionEpoch).toBe(1n)
    expect(await fleet.gateway('a')).toMatchObject({
      status: {
        connection: 'online',
        version: '0.1.0',
        hostname: 'test-host',
        endpoints: ['http://127.0.0.1:7845/mcp'],
        reportedLabels: { os: 'linux' },
        sessionEpoch: 1,
      },
    })
  })

  it('is refused without a credential that somebody was given', async () => {
    const agent = fleet.agentOf('nobody', 'a')
    agent.connect()
    await agent.waitFor(() => agent.end())
    expect(String(agent.end())).toContain('No gateway has this credential')
  })

  it('ends when the hello does not come in time, or something else comes first', async () => {
    const { agent, bearer } = await fleet.join('a')
    agent.disconnect()
    const silent = fleet.agentOf(bearer, 'a')
    silent.connect({ hello: false })
    await terminated(silent, TerminateReason.PROTOCOL_ERROR)
    const rude = fleet.agentOf(bearer, 'a')
    rude.connect({ hello: false })
    rude.heartbeat()
    await terminated(rude, TerminateReason.PROTOCOL_ERROR)
  })

  it.each([2n ** 63n - 1n, 2n ** 53n + 1n, 3_000_000_000n])(
    'ends when a gateway reports generation %s, and stores nothing of it',
    async (generation) => {
      const { agent } = await fleet.join('a')
      await agent.waitFor(() => agent.offers.length > 0)
      agent.send({ case: 'heartbeat', value: create(HeartbeatSchema, { configHashes: { highestGeneration: generation } }) })
      await terminated(agent, TerminateReason.PROTOCOL_ERROR)
      const { bearer } = await fleet.join('b')
      const liar = fleet.agentOf(bearer, 'b')
      liar.memory.highest = Number(generation)
      liar.connect()
      await terminated(liar, TerminateReason.PROTOCOL_ERROR)
      const rows = await fleet.db().read.gateway.findMany({ select: { highestGeneration: true } })
      expect(Math.max(...rows.map((row) => row.highestGeneration))).toBeLessThan(10)
      expect(rows.length).toBeGreaterThan(1)
    },
  )

  it('answers every heartbeat, and writes none of them', async () => {
    const { agent, gatewayId } = await fleet.join('a')
    await agent.waitFor(() => agent.offers.length > 0)
    // What the config has set going is written by then.
    await until(async () => (await fleet.db().read.assignment.findFirst({ where: { gatewayId } }))?.state === 'applied')
    await until(async () => (await fleet.db().read.gateway.findUnique({ where: { id: gatewayId } }))?.appliedHash)
    const before = await versionOfDatabase()
    for (let beat = 0; beat < 50; beat++) agent.heartbeat({ activeSessions: beat })
    await agent.waitFor(() => agent.frames.filter((frame) => frame.case === 'heartbeatAck').length === 50)
    expect((await fleet.gateway('a')).status.activeSessions).toBe(49)
    expect(await versionOfDatabase()).toBe(before)
  })

  it('is asked for everything when a frame is missing', async () => {
    const { agent } = await fleet.join('a')
    agent.send(
      {
        case: 'heartbeat',
        value: {
          $typeName: 'mcpg.fleet.v1.Heartbeat',
          activeSessions: 0,
          readyServers: 0,
          totalServers: 0,
          memoryRssBytes: 0n,
          accessVersion: 0n,
        },
      },
      { skip: 1n },
    )
    await agent.waitFor(() => last(agent, 'reportFullState'))
  })

  it('is told which protocol is spoken here when there is none in common', async () => {
    const { bearer, agent } = await fleet.join('a')
    agent.disconnect()
    const newer = fleet.agentOf(bearer, 'a', { description: { minProtocolRevision: 7, maxProtocolRevision: 9 } })
    newer.connect()
    await terminated(newer, TerminateReason.INCOMPATIBLE)
    expect(last(newer, 'terminate')?.message).toContain('the gateway 7 to 9')
  })

  it('gives way to a newer one of the same gateway, which gets a higher epoch and stays online', async () => {
    const { agent, bearer } = await fleet.join('a')
    const newer = fleet.agentOf(bearer, 'a')
    newer.memory.bootId = agent.memory.bootId
    newer.connect()
    await terminated(agent, TerminateReason.SUPERSEDED)
    expect((await newer.waitFor(() => last(newer, 'welcome'))).sessionEpoch).toBe(2n)
    expect(await connectionOf('a')).toBe('online')
  })

  it('is refused for an installation that the credential was not given to', async () => {
    const { bearer, agent } = await fleet.join('a')
    const copy = fleet.agentOf(bearer, 'b')
    copy.connect()
    await terminated(copy, TerminateReason.DUPLICATE)
    agent.heartbeat()
    await agent.waitFor(() => last(agent, 'heartbeatAck'))
  })

  it('is kept from two processes that take turns with one identity', async () => {
    const { agent, bearer } = await fleet.join('a')
    const copy = fleet.agentOf(bearer, 'a')
    const turns = [copy, agent, copy, agent, copy, agent]
    for (const one of turns) {
      one.disconnect()
      one.frames.length = 0
      one.connect()
      const answer = await one.waitFor(() => last(one, 'welcome') ?? last(one, 'terminate'))
      if (answer.$typeName === 'mcpg.fleet.v1.Terminate') break
    }
    expect(turns.some((one) => last(one, 'terminate')?.reason === TerminateReason.DUPLICATE)).toBe(true)
    expect((await fleet.gateway('a')).status.conditions).toContainEqual(expect.objectContaining({ type: 'Degraded', reason: 'Duplicate' }))
    agent.frames.length = 0
    agent.connect()
    await terminated(agent, TerminateReason.DUPLICATE)
  })

  it('is closed when it is not read, before it grows our memory', async () => {
    const { agent, bearer } = await fleet.join('a')
    agent.disconnect()
    const deaf = fleet.agentOf(bearer, 'a')
    deaf.connect({ reading: false })
    await until(async () => (await connectionOf('a')) === 'online')
    for (let beat = 0; beat < 200; beat++) deaf.heartbeat()
    await until(async () => (await connectionOf('a')) === 'offline')
  })

  it('tells every gateway to come back a little later when the control plane ends', async () => {
    const { agent } = await fleet.join('a')
    await fleet.app().fleet.link.drain()
    await agent.waitFor(() => agent.end())
    expect(agent.frames.at(-1)).toMatchObject({ case: 'backoff', value: { reason: 2, jitter: { seconds: 5n } } })
  })

  it('says goodbye, and the gateway is stopped; breaks, and it is offline after a moment', async () => {
    const { agent } = await fleet.join('a')
    agent.goodbye()
    await until(async () => (await connectionOf('a')) === 'stopped')
    agent.connect()
    await until(async () => (await connectionOf('a')) === 'online')
    agent.disconnect()
    await until(async () => (await connectionOf('a')) === 'offline')
    expect((await fleet.gateway('a')).status.health).toBe('unknown')
  })
})

describe('a config', () => {
  it('is offered to a gateway that joins, empty if there is nothing to run, signed for it alone', async () => {
    const { agent, gatewayId } = await fleet.join('a')
    const offer = await agent.waitFor(() => agent.offers[0])
    expect(JSON.parse(Buffer.from(offer.configBytes).toString())).toEqual({
      v: 1,
      org: 'default',
      workspace: 'default',
      environment: 'default',
      servers: [],
    })
    expect(JSON.parse(Buffer.from(offer.signedHeader).toString())).toMatchObject({ gatewayId, generation: 1, probationMs: 0, force: false })
  })

  it('follows a change, and the status is proven by the gateway', async () => {
    const { agent } = await fleet.join('a')
    await fleet.apply({ name: 'echo', command: ['echo'] })
    await until(async () => (await fleet.server('echo')).status.ready === 1)
    expect(agent.offers.at(-1)?.generation).toBe(2n)
    expect(await fleet.gateway('a')).toMatchObject({
      status: {
        config: { state: 'applied', desired: { generation: 2 }, applied: { generation: 2 }, lkg: { generation: 2 } },
        health: 'healthy',
        servers: { ready: 1, total: 1 },
      },
    })
    expect((await fleet.server('echo')).status).toMatchObject({
      observedGeneration: 1,
      desired: 1,
      placed: 1,
      gateways: [{ gateway: 'a', state: 'ready' }],
    })
  })

  it('is not offered again after a reconnect that reports it, and is when the gateway lost it', async () => {
    const { agent } = await fleet.join('a')
    await fleet.apply({ name: 'echo', command: ['echo'] })
    await until(async () => (await fleet.server('echo')).status.ready === 1)
    const offers = agent.offers.length
    agent.restart()
    await agent.waitFor(() => agent.frames.filter((frame) => frame.case === 'welcome').length === 2)
    agent.heartbeat()
    await agent.waitFor(() => last(agent, 'heartbeatAck'))
    expect(agent.offers).toHaveLength(offers)
    agent.memory.lkg = null
    agent.memory.lastOffered = ''
    agent.restart()
    await agent.waitFor(() => agent.offers.length > offers)
  })

  it('waits while another is on its way, and then only the newest is sent', async () => {
    const { agent } = await fleet.join('a', { knobs: { silent: true } })
    const first = await agent.waitFor(() => agent.offers[0])
    for (const name of ['one', 'two', 'three']) {
      await fleet.apply({ name, command: [name] })
      await until(async () => (await fleet.server(name)).status.observedGeneration === 1)
    }
    expect(agent.offers).toHaveLength(1)
    agent.knobs.silent = false
    agent.send({
      case: 'configStatus',
      value: {
        $typeName: 'mcpg.fleet.v1.ConfigStatus',
        nonce: first.nonce,
        generation: first.generation,
        configHash: first.configHash,
        state: ConfigState.STAGED,
        failureReason: ConfigFailureReason.UNSPECIFIED,
        message: '',
        servers: [],
      },
    })
    const next = await agent.waitFor(() => agent.offers[1])
    expect(JSON.parse(Buffer.from(next.configBytes).toString()).servers.map((server: { name: string }) => server.name)).toEqual([
      'one',
      'three',
      'two',
    ])
  })

  it('reaches only the gateways that its placement selects, and follows their labels', async () => {
    const edge = await fleet.join('edge', { labels: { role: 'edge' } })
    const plain = await fleet.join('plain')
    await fleet.apply({ name: 'echo', command: ['echo'], placement: { gatewaySelector: { role: 'edge' } } })
    await until(async () => (await fleet.server('echo')).status.ready === 1)
    expect((await fleet.server('echo')).status.gateways.map((one: { gateway: string }) => one.gateway)).toEqual(['edge'])
    expect(plain.agent.offers).toHaveLength(1)
    await fleet.call('PATCH', `${environment}/gateways/plain`, { labels: { role: 'edge' } })
    await until(async () => (await fleet.server('echo')).status.ready === 2)
    expect(edge.agent.offers).toHaveLength(2)
  })
})

describe('what a gateway reports', () => {
  it('is never green for longer than it is connected', async () => {
    const { agent } = await fleet.join('a')
    await fleet.apply({ name: 'echo', command: ['echo'] })
    await until(async () => (await fleet.server('echo')).status.ready === 1)
    agent.disconnect()
    await until(async () => (await connectionOf('a')) === 'offline')
    expect((await fleet.server('echo')).status).toMatchObject({
      ready: 0,
      desired: 1,
      gateways: [{ state: 'unknown', reason: 'GatewayOffline' }],
    })
    expect((await fleet.call('GET', `${workspace}/instances`)).body.items).toMatchObject([
      { metadata: { name: 'echo-1' }, status: { state: 'unknown' } },
    ])
  })

  it('shows tools from an inventory that travels once per hash', async () => {
    const first = await fleet.join('a')
    const second = await fleet.join('b')
    await fleet.apply({ name: 'echo', command: ['echo'] })
    await until(async () => (await fleet.server('echo')).status.ready === 2)
    first.agent.send({ case: 'serverInventory', value: inventoryOf('echo', 'say', false) })
    await first.agent.waitFor(() => last(first.agent, 'inventoryRequest'))
    first.agent.send({ case: 'serverInventory', value: inventoryOf('echo', 'say', true) })
    await until(async () => (await fleet.server('echo')).status.tools === 1)
    second.agent.send({ case: 'serverInventory', value: inventoryOf('echo', 'say', false) })
    const tools = await until(async () => {
      const { body } = await fleet.call('GET', `${workspace}/servers/echo/tools`)
      return body.items[0]?.status.gateways.length === 2 && body
    })
    expect(tools.items).toMatchObject([
      { metadata: { name: 'echo__say' }, spec: { server: 'echo', name: 'say' }, status: { gateways: ['a', 'b'] } },
    ])
    expect(last(second.agent, 'inventoryRequest')).toBeUndefined()
  })

  it('tells the tools of two servers apart that offer the same', async () => {
    const { agent } = await fleet.join('a')
    await fleet.apply({ name: 'echo', command: ['echo'] }, { name: 'twin', command: ['echo'] })
    await until(async () => (await fleet.server('twin')).status.ready === 1)
    agent.send({ case: 'serverInventory', value: inventoryOf('echo', 'say', true) })
    agent.send({ case: 'serverInventory', value: inventoryOf('twin', 'say', false) })
    await until(async () => (await fleet.server('twin')).status.tools === 1)
    const { body } = await fleet.call('GET', `${workspace}/tools`)
    const items = body.items as { metadata: { name: string; uid: string } }[]
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(['echo__say', 'twin__say'])
    expect(new Set(items.map(({ metadata }) => metadata.uid)).size).toBe(2)
  })

  it('is not believed when a body is not what its hash says', async () => {
    const { agent } = await fleet.join('a')
    await fleet.apply({ name: 'echo', command: ['echo'] })
    await until(async () => (await fleet.server('echo')).status.ready === 1)
    for (const truncated of [false, true]) {
      const lie = inventoryOf('echo', 'say', true)
      lie.inventoryHash = inventoryOf('echo', 'other', false).inventoryHash
      lie.truncated = truncated
      agent.send({ case: 'serverInventory', value: lie })
    }
    agent.heartbeat()
    await agent.waitFor(() => last(agent, 'heartbeatAck'))
    expect((await fleet.server('echo')).status.tools).toBe(0)
  })

  it('lets an instance be deleted: its gateway is told to replace it', async () => {
    const { agent } = await fleet.join('a')
    await fleet.apply({ name: 'echo', command: ['echo'] })
    await until(async () => (await fleet.server('echo')).status.ready === 1)
    expect((await fleet.call('DELETE', `${workspace}/instances/echo-1`)).status).toBe(204)
    expect(last(agent, 'command')?.action).toMatchObject({ case: 'stopInstance', value: { instanceId: 'echo-1' } })
    agent.disconnect()
    await until(async () => (await connectionOf('a')) === 'offline')
    expect(await fleet.call('DELETE', `${workspace}/instances/echo-1`)).toMatchObject({
      status: 409,
      body: { reason: 'gateway_not_connected' },
    })
  })
})

describe('who watches', () => {
  it('hears of every change by name, and gets the object of what is gone', async () => {
    const heard: { type: string; kind: string; name: string; hasObject: boolean }[] = []
    fleet.app().changes.onChange(({ type, kind, name, object }) => void heard.push({ type, kind, name, hasObject: object !== undefined }))
    const has = (type: string, kind: string, name: string) =>
      until(async () => heard.find((one) => one.type === type && one.kind === kind && one.name === name))
    const { agent } = await fleet.join('a')
    await has('ADDED', 'Gateway', 'a')
    await fleet.apply({ name: 'echo', command: ['echo'] })
    await has('STATUS', 'Instance', 'echo-1')
    agent.send({ case: 'serverInventory', value: inventoryOf('echo', 'say', true) })
    await has('STATUS', 'Tool', 'echo__say')
    agent.send({ case: 'serverInventory', value: inventoryOf('echo', 'shout', true) })
    await has('STATUS', 'Tool', 'echo__shout')
    expect(await has('DELETED', 'Tool', 'echo__say')).toMatchObject({ hasObject: true })
    await fleet.call('DELETE', `${environment}/gateways/a`)
    for (const [kind, name] of [
      ['Gateway', 'a'],
      ['Instance', 'echo-1'],
      ['Tool', 'echo__shout'],
    ] as const)
      expect(await has('DELETED', kind, name)).toMatchObject({ hasObject: true })
  })
})

describe('after a restart of the control plane', () => {
  it('who was there is unknown until it comes back, and offline when it does not', async () => {
    const { agent } = await fleet.join('a')
    await fleet.join('b')
    const { agent: gone } = await fleet.join('gone')
    gone.goodbye()
    await until(async () => (await connectionOf('gone')) === 'stopped')
    await fleet.restart()
    expect([await connectionOf('a'), await connectionOf('b'), await connectionOf('gone')]).toEqual(['unknown', 'unknown', 'stopped'])
    agent.connect()
    await until(async () => (await connectionOf('a')) === 'online')
    expect(last(agent, 'welcome')?.sessionEpoch).toBe(2n)
    await until(async () => (await connectionOf('b')) === 'offline')
  })

  it('status and metrics count who is there, of all that the registry knows', async () => {
    const counted = async () => {
      const { body } = await fleet.call('GET', '/v1/control/status')
      const metrics = (await fleet.call('GET', '/metrics')).body as string
      const figure = (connected: boolean) =>
        Number(new RegExp(`^mcpg_gateways\\{connected="${connected}"\\} (\\d+)$`, 'm').exec(metrics)?.[1])
      expect({ total: figure(true) + figure(false), online: figure(true) }).toEqual(body.gateways)
      expect(body.database.rows.gateways).toBe(body.gateways.total)
      return body.gateways
    }
    const { agent } = await fleet.join('a')
    await fleet.join('b')
    expect(await counted()).toEqual({ total: 2, online: 2 })
    await fleet.restart()
    expect(await counted()).toEqual({ total: 2, online: 0 })
    agent.connect()
    await until(async () => (await connectionOf('a')) === 'online')
    expect(await counted()).toEqual({ total: 2, online: 1 })
    await fleet.call('DELETE', `${environment}/gateways/b`)
    expect(await counted()).toEqual({ total: 1, online: 1 })
  })
})

describe('a gateway that is', () => {
  it('deleted hears so, at once and when it comes back, and its name is free', async () => {
    const { agent, bearer } = await fleet.join('a')
    expect((await fleet.call('DELETE', `${environment}/gateways/a`)).status).toBe(204)
    await terminated(agent, TerminateReason.DECOMMISSIONED)
    expect((await fleet.call('GET', `${environment}/gateways/a`)).status).toBe(404)
    const back = fleet.agentOf(bearer, 'a')
    back.connect()
    await terminated(back, TerminateReason.DECOMMISSIONED)
    const { agent: anew } = await fleet.join('a')
    expect(last(anew, 'welcome')?.sessionEpoch).toBe(1n)
  })

  it('revoked is ended and refused, and stays listed as revoked', async () => {
    const { agent, bearer } = await fleet.join('a')
    expect((await fleet.call('POST', `${environment}/gateways/a/revoke`)).status).toBe(200)
    await terminated(agent, TerminateReason.REVOKED)
    expect(await connectionOf('a')).toBe('revoked')
    const back = fleet.agentOf(bearer, 'a')
    back.connect()
    await terminated(back, TerminateReason.REVOKED)
    expect(await connectionOf('a')).toBe('revoked')
  })

  it('addressed by name, instance uid or id', async () => {
    const { gatewayId } = await fleet.join('host-1')
    for (const word of ['host-1', gatewayId]) expect((await fleet.gateway(word)).metadata.uid).toBe(gatewayId)
    expect((await fleet.call('GET', `${workspace}/gateways`)).body.items).toHaveLength(1)
  })
})

/** Changes with every row that anybody writes about a gateway. */
async function versionOfDatabase(): Promise<unknown> {
  const { read } = fleet.db()
  const found =
    engineOfRun === 'sqlite'
      ? await read.$queryRaw`PRAGMA data_version`
      : await read.$queryRaw`SELECT CAST(xmin AS TEXT) AS version FROM "gateways" UNION ALL SELECT CAST(xmin AS TEXT) FROM "assignments"
          UNION ALL SELECT CAST(xmin AS TEXT) FROM "gateway_servers" UNION ALL SELECT CAST(xmin AS TEXT) FROM "events"
          UNION ALL SELECT CAST(xmin AS TEXT) FROM "audit" ORDER BY version`
  return JSON.stringify(found, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}
