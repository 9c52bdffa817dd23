import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { ConfigFailureReason } from '@mcpg/proto/gen/types'
import { last } from '../../test/fake-agent.ts'
import { environment, testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
beforeEach(async () => {
  fleet = await testFleet()
})
afterEach(() => fleet.close())

const readyOf = async (name: string) => (await fleet.server(name)).status.ready as number
const configOf = async (name: string) => (await fleet.gateway(name)).status.config
const offered = (offer: { configBytes: Uint8Array } | undefined) =>
  JSON.parse(Buffer.from(offer!.configBytes).toString()).servers as { name: string; command: string[] }[]

describe('a broken server', () => {
  it('is held back with the gateway’s reason, while the next change of somebody else is applied', async () => {
    const { agent } = await fleet.join('a', { knobs: { failing: new Set(['broken']) } })
    await fleet.apply({ name: 'fine', command: ['fine'] })
    await until(async () => (await readyOf('fine')) === 1)
    await fleet.apply({ name: 'broken', command: ['broken'] })
    await until(async () => (await configOf('a')).heldBack.length === 1 && (await configOf('a')).state === 'applied')
    expect(await fleet.server('broken')).toMatchObject({
      status: {
        ready: 0,
        gateways: [
          {
            state: 'failed',
            reason: 'ExitedEarly',
            exitCode: 3,
            lastLogLines: ['boom'],
            heldBack: { reason: 'ExitedEarly', message: 'exit code 3' },
          },
        ],
        conditions: expect.arrayContaining([
          expect.objectContaining({ type: 'HeldBack', status: 'True', reason: 'ExitedEarly' }),
          expect.objectContaining({ type: 'Ready', status: 'False' }),
        ]),
      },
    })
    expect((await fleet.gateway('a')).status.conditions).toContainEqual(
      expect.objectContaining({ type: 'HeldBack', message: 'broken: exit code 3' }),
    )
    await fleet.apply({ name: 'other', command: ['other'] })
    await until(async () => (await readyOf('other')) === 1)
    expect(offered(agent.offers.at(-1)).map((server) => server.name)).toEqual(['fine', 'other'])
    expect(await readyOf('fine')).toBe(1)
  })

  it('keeps running in the revision that worked, on the gateway that refused the new one only', async () => {
    const weak = await fleet.join('weak')
    await fleet.join('strong')
    await fleet.apply({ name: 'one', command: ['v1'] })
    await until(async () => (await readyOf('one')) === 2)
    weak.agent.knobs.failing = new Set(['one'])
    await fleet.apply({ name: 'one', command: ['v2'] })
    await until(
      async () =>
        (await configOf('weak')).heldBack.length === 1 &&
        (await configOf('weak')).state === 'applied' &&
        (await configOf('strong')).state === 'applied',
    )
    expect(offered(weak.agent.offers.at(-1))[0]?.command).toEqual(['v1'])
    const { status } = await fleet.server('one')
    expect(status.gateways).toMatchObject([
      { gateway: 'strong', state: 'ready' },
      { gateway: 'weak', state: 'ready', heldBack: { running: expect.any(String) }, exitCode: 3, lastLogLines: ['boom'] },
    ])
    expect(status.gateways[0].heldBack).toBeUndefined()
    expect(status.gateways[0].lastLogLines).toBeUndefined()
    await fleet.restart()
    await until(async () => (await fleet.server('one')).status.gateways[1].heldBack !== undefined)
    expect((await fleet.server('one')).status.gateways).toMatchObject([
      { gateway: 'strong', state: 'unknown' },
      { gateway: 'weak', state: 'unknown', exitCode: 3, lastLogLines: ['boom'] },
    ])
  })

  it('keeps running in the revision that is ready, though that one has not been proven yet', async () => {
    const { agent } = await fleet.join('a', { knobs: { endlessProbation: true } })
    await fleet.apply({ name: 'files', command: ['v1'] })
    await until(async () => (await readyOf('files')) === 1 && (await configOf('a')).state === 'probation')
    agent.knobs.failing = new Set(['files'])
    await fleet.apply({ name: 'files', command: ['v2'] })
    await until(async () => (await configOf('a')).heldBack.length === 1)
    agent.knobs.failing = new Set()
    await fleet.apply({ name: 'other', command: ['other'] })
    await until(async () => (await readyOf('other')) === 1)
    expect(offered(agent.offers.at(-1)).map((server) => server.command)).toEqual([['v1'], ['other']])
    expect((await fleet.server('files')).status.gateways).toMatchObject([
      { state: 'ready', heldBack: { reason: 'ExitedEarly', running: expect.any(String) } },
    ])
  })

  it('is not kept in a revision that was ready and then failed too', async () => {
    const { agent } = await fleet.join('a', { knobs: { endlessProbation: true } })
    await fleet.apply({ name: 'files', command: ['v1'] })
    await until(async () => (await readyOf('files')) === 1 && (await configOf('a')).state === 'probation')
    // From here on the fake refuses v1 as well when it is offered again.
    agent.memory.running = null
    agent.knobs.failing = new Set(['files'])
    await fleet.apply({ name: 'files', command: ['v2'] })
    await until(async () => offered(agent.offers.at(-1)).length === 0)
    expect(agent.offers.map((offer) => offered(offer)[0]?.command[0])).toEqual([undefined, 'v1', 'v2', 'v1', undefined])
  })

  it('is tried again when it is changed', async () => {
    const { agent } = await fleet.join('a', { knobs: { failing: new Set(['one']) } })
    await fleet.apply({ name: 'one', command: ['v1'] })
    await until(async () => (await configOf('a')).heldBack.length === 1)
    agent.knobs.failing = new Set()
    await fleet.apply({ name: 'one', command: ['v2'] })
    await until(async () => (await readyOf('one')) === 1)
    expect((await configOf('a')).heldBack).toEqual([])
    expect(await fleet.db().read.serverHold.count()).toBe(0)
  })

  it('is not tried again by a restart, and is by a restart that says retry', async () => {
    const { agent } = await fleet.join('a', { knobs: { failing: new Set(['one']) } })
    await fleet.apply({ name: 'one', command: ['v1'] })
    await until(async () => (await configOf('a')).heldBack.length === 1)
    agent.knobs.failing = new Set()
    await fleet.call('POST', `${workspace}/servers/one/restart`, {})
    await fleet.apply({ name: 'two', command: ['two'] })
    await until(async () => (await readyOf('two')) === 1)
    expect(await readyOf('one')).toBe(0)
    expect((await fleet.call('POST', `${workspace}/servers/one/restart`, { retry: true })).status).toBe(200)
    await until(async () => (await readyOf('one')) === 1)
  })

  it.each(['at once', 'after a restart of the control plane'])(
    'is held back although one like it ran before it was deleted, %s',
    async (when) => {
      const { agent } = await fleet.join('a')
      await fleet.apply({ name: 'one', command: ['one'] }, { name: 'two', command: ['two'] })
      await until(async () => (await readyOf('one')) === 1)
      expect((await fleet.call('DELETE', `${workspace}/servers/one`)).status).toBe(204)
      await until(async () => (await configOf('a')).state === 'applied' && offered(agent.offers.at(-1)).length === 1)
      if (when !== 'at once') {
        await fleet.restart()
        agent.connect()
      }
      agent.knobs.failing = new Set(['one'])
      await fleet.apply({ name: 'one', command: ['one'] })
      await until(async () => (await configOf('a')).heldBack.length === 1 && (await configOf('a')).state === 'applied')
      expect(await readyOf('two')).toBe(1)
    },
  )

  it('is forced past the quarantine when somebody goes back to what failed', async () => {
    const { agent } = await fleet.join('a', { knobs: { failing: new Set(['one']) } })
    await fleet.apply({ name: 'one', command: ['v1'] })
    await until(async () => (await configOf('a')).heldBack.length === 1)
    agent.knobs.failing = new Set()
    await fleet.apply({ name: 'one', command: ['v2'] })
    await until(async () => (await readyOf('one')) === 1)
    await fleet.apply({ name: 'one', command: ['v1'] })
    await until(async () => agent.offers.at(-1)?.force === true && (await readyOf('one')) === 1)
    expect(offered(agent.offers.at(-1))[0]?.command).toEqual(['v1'])
  })
})

describe('a refusal', () => {
  it('that names no server is shown and not repeated', async () => {
    const { agent } = await fleet.join('a')
    await agent.waitFor(() => agent.memory.lkg)
    agent.knobs.refuse = ConfigFailureReason.STORAGE
    await fleet.apply({ name: 'one', command: ['one'] })
    await until(async () => (await configOf('a')).state === 'rejected')
    const offers = agent.offers.length
    agent.restart()
    await agent.waitFor(() => agent.frames.filter((frame) => frame.case === 'welcome').length === 2)
    agent.heartbeat()
    await agent.waitFor(() => last(agent, 'heartbeatAck'))
    expect(agent.offers).toHaveLength(offers)
    expect(await configOf('a')).toMatchObject({
      state: 'rejected',
      reason: 'STORAGE',
      lkg: { generation: 1 },
      desired: { generation: 2 },
      heldBack: [],
    })
    expect((await fleet.server('one')).status.gateways).toMatchObject([{ state: 'pending', reason: 'ConfigRefused' }])
    agent.knobs.refuse = undefined
    await fleet.apply({ name: 'two', command: ['two'] })
    await until(async () => (await readyOf('two')) === 1)
  })

  it('leaves the number of what runs known, also where its word of having applied it was lost', async () => {
    const { agent } = await fleet.join('a')
    await agent.waitFor(() => agent.memory.lkg)
    agent.knobs.refuse = ConfigFailureReason.STORAGE
    await fleet.apply({ name: 'one', command: ['one'] })
    await until(async () => (await configOf('a')).state === 'rejected')
    await fleet.db().write((tx) => tx.assignment.updateMany({ where: { generation: 1 }, data: { state: 'offered' } }))
    await fleet.restart()
    expect(await configOf('a')).toMatchObject({ applied: { generation: 1 }, lkg: { generation: 1 }, desired: { generation: 2 } })
  })

  it.each([
    ['of the same process', false],
    ['of the next process too', true],
  ])('for want of space is offered again after a minute %s, as often as it takes, and fills no history', async (_which, restarts) => {
    await fleet.close()
    const clock = fakeClock(Date.now())
    fleet = await testFleet({ clock, timers: 'heartbeat=3600000,offlineAfter=86400000' })
    const step = (isDone: () => boolean | Promise<boolean>) =>
      until(async () => {
        await clock.advance(10)
        return await isDone()
      })
    let joined: Awaited<ReturnType<TestFleet['join']>> | undefined
    const joining = fleet.join('a').then((one) => (joined = one))
    await step(() => joined !== undefined)
    const { agent, gatewayId } = await joining
    await step(async () => (await configOf('a')).state === 'applied')
    agent.knobs.refuse = ConfigFailureReason.STORAGE
    await fleet.apply({ name: 'one', command: ['one'] })
    await step(async () => (await configOf('a')).state === 'rejected')
    if (restarts) {
      await fleet.restart()
      agent.connect()
      await step(() => last(agent, 'welcome') !== undefined && agent.end() === undefined)
    }
    const generations = () => agent.offers.map((offer) => Number(offer.generation))
    expect(generations()).toEqual([1, 2])
    await clock.advance(50_000)
    agent.heartbeat()
    expect(generations()).toEqual([1, 2])
    await clock.advance(10_000)
    await step(async () => generations().length === 3 && (await configOf('a')).state === 'rejected')
    expect((await configOf('a')).desired.generation).toBe(3)
    expect((await fleet.db().read.assignment.findMany({ where: { gatewayId } })).map((row) => row.generation)).toEqual([1, 3])
    agent.knobs.refuse = undefined
    await clock.advance(60_000)
    await step(async () => (await configOf('a')).state === 'applied')
    expect(generations()).toEqual([1, 2, 3, 4])
    await clock.advance(120_000)
    expect(generations()).toEqual([1, 2, 3, 4])
  })

  it('for want of space is not repeated once something newer was offered', async () => {
    const { agent } = await fleet.join('a')
    await agent.waitFor(() => agent.memory.lkg)
    agent.knobs.refuse = ConfigFailureReason.STORAGE
    await fleet.apply({ name: 'one', command: ['one'] })
    await until(async () => (await configOf('a')).state === 'rejected')
    agent.knobs.refuse = undefined
    await fleet.apply({ name: 'two', command: ['two'] })
    await until(async () => (await readyOf('two')) === 1)
    expect(agent.offers.map((offer) => Number(offer.generation))).toEqual([1, 2, 3])
  })

  it.each([
    ['a newer generation', 40],
    ['the same generation with another config', 1],
  ])('because the gateway remembers %s leads to a higher number, once', async (_what, highest) => {
    const { agent } = await fleet.join('a')
    await agent.waitFor(() => agent.memory.lkg)
    agent.disconnect()
    agent.memory.highest = highest
    agent.memory.lastOffered = 'ab'.repeat(32)
    agent.offers.length = 0
    agent.connect()
    await agent.waitFor(() => agent.memory.highest === highest + 1)
    await until(async () => (await configOf('a')).state === 'applied')
    expect(agent.offers.map((offer) => Number(offer.generation))).toEqual([highest + 1])
  })
})

describe('compiling', () => {
  it('makes no new generation for a change that changes no document', async () => {
    const { agent } = await fleet.join('a')
    await fleet.apply({ name: 'one', command: ['one'] })
    await until(async () => (await readyOf('one')) === 1)
    await fleet.apply({ name: 'one', command: ['one'], startTimeout: '60s' })
    await until(async () => (await fleet.server('one')).status.observedGeneration === 2)
    expect(agent.offers).toHaveLength(2)
    expect(await readyOf('one')).toBe(1)
  })

  it('keeps the old config when the new one is too large, and says which parts are big', async () => {
    const { agent } = await fleet.join('a')
    await fleet.apply({ name: 'fine', command: ['fine'] })
    await until(async () => (await readyOf('fine')) === 1)
    const text = 'x'.repeat(32_000)
    await fleet.apply(...Array.from({ length: 20 }, (_, index) => ({ name: `big-${index}`, command: ['a', text] })))
    await fleet.apply(...Array.from({ length: 20 }, (_, index) => ({ name: `large-${index}`, command: ['a', text] })))
    await until(async () => (await fleet.gateway('a')).status.conditions.some((one: { reason: string }) => one.reason === 'ConfigTooLarge'))
    expect((await fleet.server('large-0')).status.gateways[0]).toMatchObject({
      state: 'pending',
      reason: 'ConfigTooLarge',
      message: expect.stringContaining('Its biggest parts: server'),
    })
    expect(agent.memory.lkg?.servers.has('fine')).toBe(true)
  })

  it('leaves a server as it is whose stored spec cannot be read, says so there, and compiles the others', async () => {
    const { agent } = await fleet.join('a')
    await fleet.apply({ name: 'one', command: ['one'] }, { name: 'two', command: ['two'] })
    await until(async () => (await readyOf('two')) === 1)
    const spec = JSON.stringify({ command: ['changed'], placement: { environments: 7 } })
    await fleet.db().write((tx) => tx.resource.updateMany({ where: { name: 'one' }, data: { spec } }))
    await fleet.restart()
    agent.connect()
    await fleet.apply({ name: 'two', command: ['changed'] })
    await until(async () => offered(agent.offers.at(-1)).some((server) => server.command[0] === 'changed'))
    expect(offered(agent.offers.at(-1)).map((server) => server.command)).toEqual([['one'], ['changed']])
    const { status } = await fleet.server('one')
    expect(status.gateways).toMatchObject([{ gateway: 'a' }])
    expect(status.conditions[0]).toMatchObject({
      type: 'Degraded',
      reason: 'SpecUnreadable',
      message: expect.stringContaining('/spec/placement/environments'),
    })
    expect((await fleet.call('GET', `${workspace}/servers`)).body.total).toBe(2)
    await fleet.apply({ name: 'one', command: ['mended'] })
    await until(async () => offered(agent.offers.at(-1))[0]?.command[0] === 'mended' && (await readyOf('one')) === 1)
    expect((await fleet.server('one')).status.conditions.map((one: { reason: string }) => one.reason)).not.toContain('SpecUnreadable')
  })

  it('gives no probation to a first config and to one that only removes', async () => {
    const { agent } = await fleet.join('a')
    await agent.waitFor(() => agent.memory.lkg)
    await fleet.apply({ name: 'one', command: ['one'] })
    await until(async () => (await readyOf('one')) === 1)
    await fleet.call('DELETE', `${workspace}/servers/one`)
    await agent.waitFor(() => agent.offers.length === 3)
    expect(agent.offers.map((offer) => Number(offer.probation?.seconds))).toEqual([0, 30, 0])
  })

  it('picks up after a restart what nobody had compiled yet', async () => {
    const { agent } = await fleet.join('a')
    await agent.waitFor(() => agent.memory.lkg)
    await fleet.app().fleet.configs.stop()
    await fleet.apply({ name: 'one', command: ['one'] })
    await fleet.restart()
    agent.connect()
    await until(async () => (await readyOf('one')) === 1)
    expect(agent.offers.map((offer) => Number(offer.generation))).toEqual([1, 2])
  })

  it('offers nothing after a restart that changed nothing, and still holds back what was refused', async () => {
    const { agent } = await fleet.join('a', { knobs: { failing: new Set(['broken']) } })
    await fleet.apply({ name: 'fine', command: ['fine'] }, { name: 'broken', command: ['broken'] })
    await until(async () => (await configOf('a')).heldBack.length === 1 && (await readyOf('fine')) === 1)
    const offers = agent.offers.length
    await fleet.restart()
    agent.connect()
    await until(async () => (await configOf('a')).heldBack.length === 1 && (await readyOf('fine')) === 1)
    expect(agent.offers).toHaveLength(offers)
  })
})

describe('the history of a gateway', () => {
  it('lists its configs, newest first, and gives the document of each', async () => {
    await fleet.join('a')
    await fleet.apply({ name: 'one', command: ['one'] })
    await until(async () => (await readyOf('one')) === 1)
    const { body } = await fleet.call('GET', `${environment}/gateways/a/configs`)
    expect(body.items).toMatchObject([
      { generation: 2, state: 'applied', servers: ['one'], force: false },
      { generation: 1, servers: [] },
    ])
    expect((await fleet.call('GET', `${environment}/gateways/a/configs/2`)).body.document).toMatchObject({
      v: 1,
      servers: [{ name: 'one', command: ['one'] }],
    })
    expect((await fleet.call('GET', `${environment}/gateways/a/configs/9`)).body.reason).toBe('generation_unknown')
  })

  it('keeps 50 and forgets the rest', async () => {
    const { agent, gatewayId } = await fleet.join('a')
    for (let version = 1; version <= 60; version++) {
      await fleet.apply({ name: 'one', command: [`v${version}`] })
      await agent.waitFor(() => agent.memory.highest === version + 1)
    }
    expect(await fleet.db().read.assignment.count({ where: { gatewayId } })).toBeLessThanOrEqual(60)
    expect(await fleet.db().read.assignment.findFirst({ where: { gatewayId, generation: 5 } })).toBeNull()
    expect(await fleet.db().read.config.count()).toBeLessThanOrEqual(60)
    expect((await fleet.call('GET', `${environment}/gateways/a/configs`)).body.items).toHaveLength(50)
  }, 20_000)
})
