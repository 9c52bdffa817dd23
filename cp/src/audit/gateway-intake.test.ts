import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuditBatchSchema, AuditEventSchema, AuditKind, AuditOutcome, type AuditAck } from '@mcpg/proto/gen/delivery'
import type { AuditEntry, AuditSession, AuditVerification, GatewayChainVerification } from '@mcpg/proto/rest/audit'
import type { FakeAgent } from '../../test/fake-agent.ts'
import { testFleet, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
beforeAll(async () => {
  fleet = await testFleet()
})
afterAll(() => fleet.close())

const base = '/v1/orgs/default/audit'
const list = async (query = '') => (await fleet.call('GET', `${base}${query}`)).body.items as AuditEntry[]
const verify = async () => (await fleet.call('GET', `${base}/verify`)).body as AuditVerification
const chainOf = async (gateway: string) => (await verify()).gateways.find((one) => one.gateway === gateway) as GatewayChainVerification
const noon = Date.UTC(2026, 5, 1, 12)

/** A gateway with a chain of its own, as the agent makes it. */
async function recorder(name: string) {
  const { agent, gatewayId } = await fleet.join(name)
  const events: Uint8Array<ArrayBuffer>[] = []
  return { agent, gatewayId, see, send, rewrite, deliver }

  function see(target: string, more: MessageInitShape<typeof AuditEventSchema> = {}): void {
    const time = timestampFromMs(noon + events.length * 1_000)
    const event = {
      time,
      kind: AuditKind.TOOL_CALL,
      server: 'files',
      target,
      outcome: AuditOutcome.OK,
      correlationId: `req_${target}`,
      ...more,
    }
    events.push(toBinary(AuditEventSchema, create(AuditEventSchema, event)))
  }

  function hashBefore(seq: number): Buffer {
    const link = (before: Buffer, event: Uint8Array) => createHash('sha256').update(before).update(event).digest()
    return events.slice(0, seq - 1).reduce(link, Buffer.alloc(32))
  }

  function send(first: number, last: number, dropped = 0): void {
    const prevHash = new Uint8Array(hashBefore(first))
    const value = { firstSeq: BigInt(first), prevHash, events: events.slice(first - 1, last), droppedTotal: BigInt(dropped) }
    agent.send({ case: 'auditBatch', value: create(AuditBatchSchema, value) })
  }

  /** Another past than the one that was sent. */
  function rewrite(count: number): void {
    events.length = 0
    for (let one = 0; one < count; one++) see(`other-${one}`)
  }

  async function deliver(first: number, last: number, dropped = 0): Promise<void> {
    const before = acks(agent).length
    send(first, last, dropped)
    await agent.waitFor(() => acks(agent)[before])
  }
}

const acks = (agent: FakeAgent): AuditAck[] => agent.frames.flatMap((frame) => (frame.case === 'auditAck' ? [frame.value] : []))
const through = (agent: FakeAgent) => Number(acks(agent).at(-1)?.throughSeq)

describe('what gateways saw', () => {
  it('is acknowledged once it is stored, and what comes again vanishes', async () => {
    const one = await recorder('doubles')
    for (const name of ['a', 'b', 'c', 'd']) one.see(name)
    await one.deliver(1, 2)
    expect(through(one.agent)).toBe(2)
    await one.deliver(1, 3)
    await one.deliver(2, 4)
    await one.deliver(1, 4)
    expect(through(one.agent)).toBe(4)
    const rows = await fleet.db().read.gatewayAudit.findMany({ where: { gatewayId: one.gatewayId }, orderBy: { seq: 'asc' } })
    expect(rows.map(({ target }) => target)).toEqual(['a', 'b', 'c', 'd'])
    expect(await chainOf('doubles')).toMatchObject({ ok: true, rows: 4, verifiedThrough: 4, dropped: 0, breaks: 0, problem: null })
  })

  it('is said to whoever asks how far it goes, also after a restart of the control plane', async () => {
    const one = await recorder('asks')
    for (const name of ['a', 'b', 'c']) one.see(name)
    await one.deliver(1, 2)
    one.agent.disconnect()
    await fleet.restart()
    one.agent.connect()
    await one.agent.waitFor(() => one.agent.frames.filter((frame) => frame.case === 'welcome')[1])
    const before = acks(one.agent).length
    one.agent.send({ case: 'auditBatch', value: create(AuditBatchSchema, {}) })
    await one.agent.waitFor(() => acks(one.agent)[before])
    expect(through(one.agent)).toBe(2)
    await one.deliver(3, 3)
    expect(await chainOf('asks')).toMatchObject({ ok: true, rows: 3 })
  })

  it('shows holes; one as big as what the gateway says it dropped is honest', async () => {
    const one = await recorder('holes')
    for (let event = 1; event <= 9; event++) one.see(`e${event}`)
    await one.deliver(1, 3)
    await one.deliver(6, 7, 2)
    expect(await chainOf('holes')).toMatchObject({ ok: true, rows: 5, verifiedThrough: 7, dropped: 2 })
    await one.deliver(9, 9, 2)
    expect(await chainOf('holes')).toMatchObject({ ok: false, problem: { reason: 'row_missing', seq: 4 } })
    expect((await verify()).ok).toBe(false)
    await one.deliver(9, 9, 3)
    one.see('e10')
    await one.deliver(10, 10, 3)
    expect(await chainOf('holes')).toMatchObject({ ok: true, dropped: 3 })
  })

  it('tells when the state dir of a gateway was replaced, and never takes the new past for the old', async () => {
    const one = await recorder('replaced')
    for (const name of ['a', 'b', 'c']) one.see(name)
    await one.deliver(1, 3)
    one.rewrite(6)
    await one.deliver(1, 5)
    const rows = await fleet.db().read.gatewayAudit.findMany({ where: { gatewayId: one.gatewayId }, orderBy: { seq: 'asc' } })
    expect(rows.map(({ target }) => target)).toEqual(['a', 'b', 'c', 'other-3', 'other-4'])
    expect(await chainOf('replaced')).toMatchObject({ ok: true, rows: 5, breaks: 1 })
    expect(await list('?action=gateway.audit_break')).toMatchObject([
      { kind: 'Gateway', name: 'replaced', detail: { alert: true, after: 3 } },
    ])
  })

  it.each([
    ['altered', 'row_altered', 2],
    ['removed', 'row_missing', 2],
    ['removed at the end', 'row_missing', 4],
    ['altered and linked anew', 'row_altered', 4],
  ])('shows a row that was %s', async (what, reason, seq) => {
    const name = `shows-${what.replaceAll(' ', '-')}`
    const one = await recorder(name)
    for (const target of ['a', 'b', 'c', 'd']) one.see(target)
    await one.deliver(1, 4)
    const where = { gatewayId: one.gatewayId, seq }
    await fleet.db().write(async (tx) => {
      if (what.startsWith('removed')) return void (await tx.gatewayAudit.deleteMany({ where }))
      const row = await tx.gatewayAudit.findFirst({ where })
      const bytes = new Uint8Array(row!.bytes)
      bytes[bytes.length - 1]! ^= 1
      const before = await tx.gatewayAudit.findFirst({ where: { ...where, seq: seq - 1 } })
      const hash = createHash('sha256').update(before!.hash, 'hex').update(bytes).digest('hex')
      await tx.gatewayAudit.updateMany({ where, data: { bytes, ...(what === 'altered' ? {} : { hash }) } })
    })
    expect(await chainOf(name)).toMatchObject({ ok: false, problem: { reason, seq } })
    await fleet.db().write((tx) => tx.gatewayAuditRun.updateMany({ where: { gatewayId: one.gatewayId }, data: { through: seq - 1 } }))
    expect(await chainOf(name)).toMatchObject({ ok: false, problem: { reason: 'seal_forged' } })
    // What this test has spoiled must not spoil the others.
    await fleet.db().write((tx) => tx.gatewayAuditRun.deleteMany({ where: { gatewayId: one.gatewayId } }))
  })

  it('is also what gateways do by themselves, and where a refused token came from', async () => {
    const one = await recorder('itself')
    const secrets = [{ name: 'db', key: 'token', version: 3n }]
    const config = { configGeneration: 7n, configHash: new Uint8Array(32) }
    one.see('', { kind: AuditKind.SECRET_USE, secrets })
    for (const outcome of [AuditOutcome.OK, AuditOutcome.DENIED, AuditOutcome.FAILED])
      one.see('generation 7', { kind: AuditKind.CONFIG, server: '', outcome, ...config })
    one.see('/mcp', { kind: AuditKind.DENIED, server: '', outcome: AuditOutcome.DENIED, source: '192.0.2.7' })
    one.see('read', { instanceId: 'files-1', argumentsUnhashed: true, subject: 'eve', verified: true, impersonator: 'ada' })
    await one.deliver(1, 6)
    const own = (await list('?limit=500&origin=gateways')).filter(({ gateway }) => gateway === 'itself').toReversed()
    const gateway = { actor: one.gatewayId, actorKind: 'gateway', actorName: 'itself', verified: true }
    expect(own).toMatchObject([
      { ...gateway, action: 'secret.use', kind: 'Server', name: 'files', detail: { secrets: [{ name: 'db', key: 'token', version: 3 }] } },
      { ...gateway, action: 'config.apply', kind: 'Gateway', name: 'itself', detail: { generation: 7, configHash: '00'.repeat(32) } },
      { ...gateway, action: 'config.reject' },
      { ...gateway, action: 'config.roll-back' },
      { action: 'call.deny', source: '192.0.2.7' },
      { action: 'tool.call', actor: 'eve', impersonator: 'ada', detail: { instance: 'files-1', argumentsUnhashed: true } },
    ])
  })

  it('is found by actor, action, target, session, request and time, beside what was done here', async () => {
    const one = await recorder('found')
    one.see('read', { subject: 'ada@example.com', verified: true, clientName: 'inspector', sessionId: 'aaaa' })
    one.see('write', { clientName: 'other', sessionId: 'bbbb', outcome: AuditOutcome.TOOL_ERROR, reason: 'ToolError' })
    one.see('nobody__x', { server: '', kind: AuditKind.DENIED, outcome: AuditOutcome.DENIED, sessionId: 'bbbb' })
    await one.deliver(1, 3)
    const names = async (query: string) =>
      (await list(`?limit=500&${query}`)).filter(({ gateway }) => gateway === 'found').map(({ detail }) => detail?.['target'])
    expect(await names('actor=ada*')).toEqual(['read'])
    expect(await names('action=call.deny')).toEqual(['nobody__x'])
    expect(await names('target=server/files')).toEqual(['write', 'read'])
    expect(await names('target=tool/write')).toEqual(['write'])
    expect(await names('session=bbbb')).toEqual(['nobody__x', 'write'])
    expect(await names('requestId=req_read')).toEqual(['read'])
    expect(await names(`since=${new Date(noon + 1_500).toISOString()}`)).toEqual(['nobody__x'])
    expect(await names('origin=control-plane')).toEqual([])
    expect((await list('?actor=ada*&origin=gateways'))[0]).toMatchObject({
      gateway: 'found',
      actor: 'ada@example.com',
      verified: true,
      kind: 'Server',
      name: 'files',
      session: 'aaaa',
      seq: 1,
      detail: { client: 'inspector', outcome: 'ok' },
    })
    expect(await list('?session=bbbb')).toMatchObject([{ verified: false }, { actor: 'anonymous', detail: { reason: 'ToolError' } }])
    const { items } = (await fleet.call('GET', `${base}/sessions?limit=500`)).body as { items: AuditSession[] }
    const byActor = items
      .filter(({ gateway }) => gateway === 'found')
      .toSorted((a, b) => (a.calls < b.calls ? 1 : a.actor < b.actor ? -1 : 1))
    expect(byActor).toMatchObject([
      { session: 'aaaa', actor: 'ada@example.com', verified: true, client: 'inspector', calls: 1, failed: 0, denied: 0 },
      { session: 'bbbb', actor: 'anonymous', verified: false, calls: 1 },
      { session: 'bbbb', actor: 'anonymous', verified: false, calls: 1 },
    ])
    expect(byActor.map(({ failed, denied }) => failed + denied)).toEqual([0, 1, 1])
  })

  it('is exported in one order with what was done here, and paged without a gap', async () => {
    const { body } = await fleet.app().http.inject({ method: 'GET', url: `${base}/export` })
    const exported = body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEntry)
    expect(exported.map(({ at }) => at)).toEqual(exported.map(({ at }) => at).toSorted())
    const paged: string[] = []
    for (let cursor = ''; ;) {
      const page = (await fleet.call('GET', `${base}?limit=7${cursor}`)).body
      paged.push(...page.items.map(({ id }: AuditEntry) => id))
      if (!page.nextCursor) break
      cursor = `&cursor=${page.nextCursor}`
    }
    expect(paged.toReversed()).toEqual(exported.map(({ id }) => id))
    expect(exported.some(({ gateway }) => gateway !== undefined)).toBe(true)
  })

  it('that is old is removed, the rest stays verifiable, and new events still follow', async () => {
    const one = await recorder('purged')
    for (let event = 1; event <= 6; event++) one.see(`e${event}`)
    await one.deliver(1, 5)
    const before = new Date(noon + 2_500).toISOString()
    expect((await fleet.call('POST', `${base}/purge`, { before })).body.removed).toBeGreaterThanOrEqual(3)
    expect(await chainOf('purged')).toMatchObject({ ok: true, rows: 2, removed: 3, verifiedThrough: 5 })
    await one.deliver(6, 6)
    expect(await chainOf('purged')).toMatchObject({ ok: true, rows: 3, removed: 3, verifiedThrough: 6 })
  })

  it('tells when a token was used there, and only of tokens that can be', async () => {
    const projects = '/v1/orgs/default/workspaces/default/projects'
    await fleet.call('POST', projects, { kind: 'Project', metadata: { name: 'web' }, spec: {} })
    const { id } = (await fleet.call('POST', `${projects}/web/tokens`, { name: 'claude' })).body
    const other = `/v1/orgs/other`
    expect((await fleet.call('POST', '/v1/orgs', { name: 'other' })).status).toBe(201)
    const { id: foreign } = (await fleet.call('POST', `${other}/tokens`, { name: 'elsewhere' })).body
    const one = await recorder('uses')
    for (const tokenId of [id, id, foreign]) one.see('read', { tokenId, subject: 'local', verified: true })
    one.see('', { tokenId: id, kind: AuditKind.SESSION_CLOSE })
    await one.deliver(1, 4)
    // What waits to be written down is written at the end of the program.
    await fleet.restart()
    const lastUsedAt = async (path: string) => (await fleet.call('GET', path)).body.status.lastUsedAt
    expect(await lastUsedAt(`${projects}/web/tokens/claude`)).toBe(new Date(noon + 1_000).toISOString())
    expect(await lastUsedAt(`${other}/tokens/elsewhere`)).toBeUndefined()
  })

  it('that nobody can read is a link of the chain all the same', async () => {
    const { agent } = await fleet.join('garbled')
    const value = { firstSeq: 1n, prevHash: new Uint8Array(32), events: [new Uint8Array([255, 255, 255])] }
    agent.send({ case: 'auditBatch', value: create(AuditBatchSchema, value) })
    await agent.waitFor(() => acks(agent)[0])
    expect(await list('?action=gateway.unreadable')).toMatchObject([{ gateway: 'garbled', seq: 1 }])
    expect(await chainOf('garbled')).toMatchObject({ ok: true, rows: 1 })
  })
})
