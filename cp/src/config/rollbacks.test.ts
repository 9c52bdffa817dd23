import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { environment, testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
beforeEach(async () => {
  fleet = await testFleet()
})
afterEach(() => fleet.close())

const a = `${environment}/gateways/a`
const configOf = async (name = 'a') => (await fleet.gateway(name)).status.config
const rollback = async (to: number, gateway = a) => fleet.call('POST', `${gateway}/rollback`, { to })
const resume = async () => fleet.call('POST', `${a}/resume`)
const commandOf = (offer: { configBytes: Uint8Array } | undefined, name: string) =>
  offer && (JSON.parse(Buffer.from(offer.configBytes).toString()).servers as Server[]).find((one) => one.name === name)?.command[0]
type Server = { name: string; command: string[] }

/** A gateway with generation 1 (nothing), 2 (v1) and 3 (v2), the last of them applied. */
async function threeGenerations() {
  const joined = await fleet.join('a')
  for (const version of ['v1', 'v2']) {
    await fleet.apply({ name: 'one', command: [version] })
    await until(async () => commandOf(joined.agent.offers.at(-1), 'one') === version && (await configOf()).state === 'applied')
  }
  return joined
}

describe('a rollback', () => {
  it('offers the older config under a new number and pins the gateway, which is shown wherever the gateway is', async () => {
    const { agent } = await threeGenerations()
    const { status, body } = await rollback(2)
    expect(status).toBe(200)
    expect(body.status.config).toMatchObject({
      desired: { generation: 4 },
      pinned: { generation: 2, by: 'local', since: expect.any(String) },
    })
    await until(async () => (await configOf()).state === 'applied' && (await configOf()).applied.generation === 4)
    expect(commandOf(agent.offers.at(-1), 'one')).toBe('v1')
    await until(async () => (await configOf()).pinned.waiting.length === 1)
    expect((await fleet.gateway('a')).status.conditions).toContainEqual(
      expect.objectContaining({
        type: 'Pinned',
        message: expect.stringContaining('changed of one does not reach it until mcpg-ctl resume gateway/a'),
      }),
    )
    const { status: server } = await fleet.server('one')
    expect(server.gateways).toMatchObject([{ gateway: 'a', state: 'ready', ready: 1, pinned: { generation: 2, by: 'local' } }])
    expect(server.conditions).toContainEqual(expect.objectContaining({ type: 'Pinned', status: 'True', reason: 'GatewayPinned' }))
    expect(server.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'False', reason: 'GatewayPinned' }))
    const audit = await fleet.db().read.audit.findFirst({ where: { action: 'gateway.rollback' } })
    expect(audit).toMatchObject({ actor: 'local', name: 'a', detail: JSON.stringify({ to: 2, generation: 4 }) })
    expect((await fleet.call('GET', `${workspace}/events`)).body.items).toContainEqual(
      expect.objectContaining({ spec: expect.objectContaining({ reason: 'RolledBackByHand', gateway: 'a' }) }),
    )
  })

  it('keeps its bytes through changes, a restart of the control plane and a gateway that was away', async () => {
    const { agent } = await threeGenerations()
    await rollback(2)
    await until(async () => (await configOf()).applied?.generation === 4)
    await fleet.apply({ name: 'one', command: ['v3'] }, { name: 'two', command: ['two'] })
    await until(async () => (await configOf()).pinned.waiting.join() === 'one,two')
    await fleet.restart()
    agent.connect()
    await until(async () => (await configOf()).pinned.waiting.join() === 'one,two')
    expect(commandOf(agent.offers.at(-1), 'one')).toBe('v1')
    expect(await configOf()).toMatchObject({ desired: { generation: 4 }, pinned: { generation: 2 } })
    await until(async () => (await fleet.server('two')).status.gateways[0].state !== 'unknown')
    expect((await fleet.server('two')).status.gateways).toMatchObject([
      { state: 'pending', reason: 'GatewayPinned', message: expect.stringContaining('a is pinned to generation 2') },
    ])
  })

  it('is told by plan and apply for what would have to reach the gateway, and by nothing else', async () => {
    await threeGenerations()
    await rollback(2)
    const plan = async (object: Record<string, unknown>) =>
      (await fleet.call('POST', `${workspace}/apply?dryRun=true`, { objects: [{ kind: 'Server', ...object }] })).body.pinned
    const pinned = [{ gateway: 'a', generation: 2, by: 'local', since: expect.any(String) }]
    expect(await plan({ metadata: { name: 'one' }, spec: { command: ['v9'] } })).toEqual(pinned)
    expect(await plan({ metadata: { name: 'one' }, spec: { command: ['v2'], placement: { environments: ['elsewhere'] } } })).toEqual(pinned)
    expect(await plan({ metadata: { name: 'new' }, spec: { command: ['n'], placement: { environments: ['elsewhere'] } } })).toBeUndefined()
  })

  it('ends with resume, which brings what is wanted now', async () => {
    const { agent } = await threeGenerations()
    await rollback(2)
    await until(async () => (await configOf()).applied?.generation === 4)
    await fleet.apply({ name: 'one', command: ['v3'] })
    const { status, body } = await resume()
    expect(status).toBe(200)
    expect(body.status.config.pinned).toBeUndefined()
    await until(
      async () => (await configOf()).applied?.generation === 5 && (await fleet.server('one')).status.gateways[0].state === 'ready',
    )
    expect(commandOf(agent.offers.at(-1), 'one')).toBe('v3')
    expect(await fleet.db().read.gatewayPin.count()).toBe(0)
    expect(await fleet.db().read.audit.count({ where: { action: 'gateway.resume' } })).toBe(1)
    expect((await resume()).body).toMatchObject({ status: 409, reason: 'not_pinned' })
  })

  it('to what failed on the gateway carries force, and a refusal holds nothing back', async () => {
    const { agent } = await fleet.join('a', { knobs: { failing: new Set(['one']) } })
    await fleet.apply({ name: 'one', command: ['v1'] })
    await until(async () => (await configOf()).heldBack.length === 1 && (await configOf()).state === 'applied')
    await rollback(2)
    await agent.waitFor(() => agent.offers.at(-1)?.force)
    await until(async () => ['rejected', 'rolled_back'].includes((await configOf()).state))
    expect(await configOf()).toMatchObject({ pinned: { generation: 2 }, heldBack: [] })
    await resume()
    await until(async () => (await configOf()).state === 'applied' && (await configOf()).heldBack.length === 1)
  })

  it('is refused where there is nothing to go back to', async () => {
    const { gatewayId } = await threeGenerations()
    expect((await rollback(9)).body).toMatchObject({
      status: 404,
      reason: 'generation_unknown',
      detail: 'The history of a has no generation 9; it has 1 to 3.',
      hint: 'mcpg-ctl describe gateway/a',
    })
    expect((await rollback(3)).body).toMatchObject({ status: 409, reason: 'already_desired' })
    expect((await rollback(1, `${environment}/gateways/nobody`)).body).toMatchObject({ status: 404, reason: 'gateway_unknown' })
    expect((await fleet.call('POST', `${a}/rollback`, { to: 'x' })).status).toBe(400)
    const second = await fleet.db().read.assignment.findFirst({ where: { gatewayId, generation: 2 } })
    await fleet.db().write((tx) => tx.config.delete({ where: { hash: second!.configHash } }))
    await fleet.restart()
    expect((await rollback(2)).body).toMatchObject({ status: 410, reason: 'config_pruned' })
    expect(await fleet.db().read.gatewayPin.count()).toBe(0)
    await fleet.call('POST', `${a}/revoke`)
    expect((await rollback(2)).body).toMatchObject({ status: 409, reason: 'gateway_revoked' })
    expect(await fleet.db().read.assignment.count({ where: { gatewayId } })).toBe(3)
  })

  it('goes with its gateway when that is deleted', async () => {
    await threeGenerations()
    await rollback(2)
    expect((await fleet.call('DELETE', a)).status).toBe(204)
    expect(await fleet.db().read.gatewayPin.count()).toBe(0)
  })

  it('is done once for a key that is sent twice', async () => {
    await threeGenerations()
    const send = async () => fleet.call('POST', `${a}/rollback`, { to: 2 }, { 'idempotency-key': 'k' })
    expect((await send()).status).toBe(200)
    expect((await send()).status).toBe(200)
    expect((await configOf()).desired.generation).toBe(4)
  })
})

describe('the history', () => {
  it('says what led to each generation, and by whom', async () => {
    const { agent } = await threeGenerations()
    await rollback(2)
    await until(async () => (await configOf()).applied?.generation === 4)
    await resume()
    await agent.waitFor(() => agent.offers.length === 5)
    agent.knobs.failing = new Set(['bad'])
    await fleet.apply({ name: 'bad', command: ['bad'] })
    await agent.waitFor(() => agent.offers.length === 7)
    const { items } = (await fleet.call('GET', `${a}/configs`)).body
    expect(items.map(({ generation, cause }: { generation: number; cause: unknown }) => ({ generation, cause }))).toMatchObject([
      { generation: 7, cause: { why: 'refusal', actions: [{ object: 'server/bad' }] } },
      { generation: 6, cause: { why: 'change', actions: [{ action: 'server.create', object: 'server/bad', by: 'local' }] } },
      { generation: 5, cause: { why: 'resume', by: 'local' } },
      { generation: 4, cause: { why: 'rollback', to: 2, by: 'local' } },
      { generation: 3, cause: { why: 'change', actions: [{ action: 'server.update', object: 'server/one', by: 'local' }] } },
      { generation: 2, cause: { why: 'change', actions: [{ action: 'server.create', object: 'server/one' }] } },
      { generation: 1, cause: { why: 'change', actions: [{ object: 'gateway/a' }] } },
    ])
  })

  it('shows how one config differs from another, server by server and field by field', async () => {
    await threeGenerations()
    await fleet.apply({ name: 'two', command: ['two'] })
    await until(async () => (await configOf()).desired.generation === 4)
    const { body } = await fleet.call('GET', `${a}/configs/4?diff=2`)
    expect(body.document).toBeUndefined()
    expect(body.diff).toEqual({
      from: 2,
      to: 4,
      others: [],
      servers: [
        { server: 'one', result: 'changed', fields: [{ path: '/command/0', before: 'v1', after: 'v2' }] },
        { server: 'two', result: 'added', fields: [{ path: '/command', after: ['two'] }] },
      ],
    })
    expect((await fleet.call('GET', `${a}/configs/2?diff=4`)).body.diff.servers).toMatchObject([
      { server: 'one', result: 'changed' },
      { server: 'two', result: 'removed' },
    ])
    expect((await fleet.call('GET', `${a}/configs/4?diff=77`)).body.reason).toBe('generation_unknown')
  })
})
