import { create } from '@bufbuild/protobuf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ServerStatusReportSchema } from '@mcpg/proto/gen/gateway'
import { ServerState, ServerStatusSchema } from '@mcpg/proto/gen/types'
import { inventoryOf, subHashes, type FakeAgent } from '../../test/fake-agent.ts'
import { environment, testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
beforeEach(async () => {
  fleet = await testFleet()
})
afterEach(() => fleet.close())

const statusOf = async (name: string) => (await fleet.server(name)).status
const conditionOf = async (name: string, type: string) =>
  (await statusOf(name)).conditions.find((one: { type: string }) => one.type === type)
const toolNames = async (): Promise<string[]> =>
  (await fleet.call('GET', `${workspace}/tools`)).body.items.map((one: { metadata: { name: string } }) => one.metadata.name)

/** What an agent reports of a server whose config says that it is stopped. */
function reportStopped(agent: FakeAgent, name: string): void {
  const subHash = new Uint8Array(Buffer.from(subHashes(agent.offers.at(-1)!.configBytes).get(name)!, 'hex'))
  const server = create(ServerStatusSchema, { name, subHash, state: ServerState.STOPPED, desired: 0 })
  agent.send({ case: 'serverStatus', value: create(ServerStatusReportSchema, { servers: [server] }) })
}

describe('a server that is stopped on purpose', () => {
  it('is Ready because it is stopped, and offers no tools until it is started again', async () => {
    const { agent } = await fleet.join('a')
    await fleet.apply({ name: 'one', command: ['one'] })
    await until(async () => (await statusOf('one')).ready === 1)
    agent.send({ case: 'serverInventory', value: inventoryOf('one', 'echo', true) })
    await until(async () => (await statusOf('one')).tools === 1)
    expect(await conditionOf('one', 'Ready')).toMatchObject({ status: 'True', reason: 'AllReady' })

    const before = agent.offers.length
    expect((await fleet.call('POST', `${workspace}/servers/one/stop`)).status).toBe(200)
    await agent.waitFor(() => agent.offers.length > before)
    reportStopped(agent, 'one')
    await until(async () => (await conditionOf('one', 'Ready')).reason === 'Stopped')
    expect(await conditionOf('one', 'Ready')).toMatchObject({
      status: 'True',
      message: 'It is stopped on purpose; mcpg-ctl server start one starts it.',
    })
    expect(await conditionOf('one', 'Available')).toMatchObject({ status: 'False', reason: 'Stopped' })
    expect(await statusOf('one')).toMatchObject({ ready: 0, desired: 0, tools: 0 })
    expect(await toolNames()).toEqual([])

    expect((await fleet.call('POST', `${workspace}/servers/one/start`)).status).toBe(200)
    await until(async () => (await conditionOf('one', 'Ready')).reason === 'AllReady')
    expect(await statusOf('one')).toMatchObject({ ready: 1, tools: 1 })
    expect(await toolNames()).toEqual(['one__echo'])
  })
})

describe('a server whose stored spec cannot be read', () => {
  it('says so from the start, before anything was compiled', async () => {
    await fleet.join('a')
    await fleet.apply({ name: 'one', command: ['one'] })
    await until(async () => (await statusOf('one')).ready === 1)
    const spec = JSON.stringify({ command: ['changed'], placement: { environments: 7 } })
    await fleet.db().write((tx) => tx.resource.updateMany({ where: { name: 'one' }, data: { spec } }))
    await fleet.restart()
    // Nothing compiles from here on.
    await fleet.app().fleet.configs.stop()
    const answer = await fleet.call('GET', `${workspace}/servers/one`)
    expect(answer.status).toBe(200)
    expect(answer.body.status).toMatchObject({ observedGeneration: 0, gateways: [{ gateway: 'a', state: 'unknown' }] })
    expect(answer.body.status.conditions[0]).toMatchObject({ type: 'Degraded', reason: 'SpecUnreadable' })
    expect((await fleet.call('GET', `${workspace}/servers`)).body.total).toBe(1)
  })
})

describe('a gateway that holds several servers back', () => {
  it('names each with what is wrong with it, and with no other', async () => {
    await fleet.join('a', { knobs: { failing: new Set(['files', 'mute']) } })
    await fleet.apply({ name: 'files', command: ['files'] }, { name: 'mute', command: ['mute'] })
    await until(async () => (await fleet.gateway('a')).status.config.heldBack.length === 2)
    const held = (await fleet.gateway('a')).status.conditions.find((one: { type: string }) => one.type === 'HeldBack')
    expect(held).toMatchObject({ reason: 'ExitedEarly', message: 'files: exit code 3; mute: exit code 3' })
  })
})

describe('a list in an environment that does not exist', () => {
  it.each(['gateways', 'enrollments'])('is refused for %s', async (plural) => {
    expect(await fleet.call('GET', `${workspace}/environments/nowhere/${plural}`)).toMatchObject({
      status: 404,
      body: { reason: 'environment_unknown' },
    })
    expect((await fleet.call('GET', `${environment}/${plural}`)).status).toBe(200)
  })
})
