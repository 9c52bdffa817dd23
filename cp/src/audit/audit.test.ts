import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditEntry, AuditVerification } from '@mcpg/proto/rest/audit'
import { testApp, type TestApp } from '../../test/app.ts'

let test: TestApp
beforeAll(async () => {
  test = await testApp()
  const fail = (error: unknown) => {
    throw error
  }
  for (const part of test.app.parts) if (part.name === 'audit sealer') await part.start(fail)
})
afterAll(() => test.close())

const servers = (org: string) => `/v1/orgs/${org}/workspaces/w/servers`
const server = (name: string, command = ['x']) => ({ kind: 'Server', metadata: { name }, spec: { command } })
const verify = async (org: string) => (await test.call('GET', `/v1/orgs/${org}/audit/verify`)).body as AuditVerification
const list = async (org: string, query = '') =>
  (await test.call('GET', `/v1/orgs/${org}/audit${query}`)).body as { items: AuditEntry[]; nextCursor?: string }
const sealed = (org: string) => expect.poll(async () => (await verify(org)).unsealed.count, { timeout: 10_000 }).toBe(0)

/** An organization whose trail has the making of itself, a workspace and these servers, all sealed. */
async function trailOf(org: string, names: string[]): Promise<void> {
  await test.call('POST', '/v1/orgs', { name: org })
  await test.call('POST', `/v1/orgs/${org}/workspaces`, { name: 'w' })
  for (const name of names) expect((await test.call('POST', servers(org), server(name))).status).toBe(201)
  await sealed(org)
}

describe('the audit trail', () => {
  it('tells who changed what, with digests of before and after, and is filtered and paged', async () => {
    await trailOf('told', ['a', 'b'])
    await test.call('PUT', `${servers('told')}/a`, server('a', ['y']))
    await test.call('DELETE', `${servers('told')}/a`)
    const { items } = await list('told', '?target=server/a')
    expect(items).toHaveLength(3)
    const [made, changed, gone] = ['create', 'update', 'delete'].map((verb) =>
      items.find(({ action }) => action === `server.${verb}`)!,
    ) as [AuditEntry, AuditEntry, AuditEntry]
    expect(made).toMatchObject({ actor: 'local', source: '127.0.0.1', kind: 'Server', name: 'a' })
    expect(made.beforeDigest).toBeUndefined()
    expect(changed.beforeDigest).toBe(made.afterDigest)
    expect(gone.beforeDigest).toBe(changed.afterDigest)
    expect(gone.afterDigest).toBeUndefined()

    const seen: string[] = []
    for (let cursor = ''; ;) {
      const page = await list('told', `?limit=2${cursor}`)
      seen.push(...page.items.map(({ id }) => id))
      if (!page.nextCursor) break
      cursor = `&cursor=${page.nextCursor}`
    }
    const all = (await list('told')).items
    expect(seen).toEqual(all.map(({ id }) => id))
    expect((await list('told', '?action=workspace.*')).items).toHaveLength(1)
    expect((await list('told', '?actor=nobody')).items).toEqual([])
    expect((await list('told', `?requestId=${made.requestId}`)).items).toHaveLength(1)
    expect((await list('told', '?since=2100-01-01T00:00:00Z')).items).toEqual([])
    expect((await test.call('GET', '/v1/orgs/told/audit?cursor=nonsense')).body.reason).toBe('cursor_unusable')
  })

  it('is linked and signed, row after row', async () => {
    await trailOf('whole', ['a', 'b', 'c'])
    const { items } = await list('whole')
    expect(items.map(({ seq }) => seq).sort()).toEqual([1, 2, 3, 4, 5])
    expect(await verify('whole')).toEqual({
      ok: true,
      verifiedThrough: 5,
      rows: 5,
      problem: null,
      unsealed: { count: 0, oldestAt: null },
      purged: null,
      gateways: [],
    })
  })

  it('shows the first row that was altered', async () => {
    await trailOf('altered', ['a', 'b'])
    await test.app.db.write((tx) => tx.audit.updateMany({ where: { org: 'altered', seq: 3 }, data: { actor: 'somebody else' } }))
    expect(await verify('altered')).toMatchObject({ ok: false, verifiedThrough: 2, problem: { reason: 'row_altered', seq: 3 } })
  })

  it.each([
    ['in the middle', 'gap', 2],
    ['at the end', 'end', 4],
  ])('shows a row that is missing %s', async (_, org, seq) => {
    await trailOf(org, ['a', 'b'])
    await test.app.db.write((tx) => tx.audit.deleteMany({ where: { org, seq } }))
    expect(await verify(org)).toMatchObject({ ok: false, verifiedThrough: seq - 1, problem: { reason: 'row_missing', seq } })
  })

  it('shows a signature that is not ours', async () => {
    await trailOf('forged', ['a'])
    await test.app.db.write((tx) => tx.auditSeal.updateMany({ where: { org: 'forged' }, data: { signature: new Uint8Array(64) } }))
    expect(await verify('forged')).toMatchObject({ ok: false, problem: { reason: 'seal_forged' } })
    await test.app.db.write((tx) => tx.auditSeal.deleteMany({ where: { org: 'forged' } }))
    expect(await verify('forged')).toMatchObject({ ok: false, verifiedThrough: 0, problem: { reason: 'signature_missing' } })
  })

  it('stays verifiable after old rows were removed, and tells of that', async () => {
    await trailOf('purged', ['a', 'b'])
    const before = new Date(Date.now() + 60_000).toISOString()
    expect((await test.call('POST', '/v1/orgs/purged/audit/purge', { before })).body).toEqual({ removed: 4 })
    await sealed('purged')
    expect((await list('purged')).items.map(({ action, detail }) => ({ action, detail }))).toEqual([
      { action: 'audit.purge', detail: { before, removed: 4 } },
    ])
    expect(await verify('purged')).toMatchObject({
      ok: true,
      verifiedThrough: 5,
      rows: 1,
      purged: { through: 4, removed: 4, by: 'local', before },
    })
    await test.app.db.write((tx) => tx.auditSeal.updateMany({ where: { org: 'purged', kind: 'purge' }, data: { hash: 'f'.repeat(64) } }))
    expect(await verify('purged')).toMatchObject({ ok: false, problem: { reason: 'seal_forged' } })
  })

  it('is exported as lines, oldest first', async () => {
    await trailOf('exported', ['a'])
    const { headers, body } = await test.app.http.inject({ method: 'GET', url: '/v1/orgs/exported/audit/export?action=*' })
    expect(headers['content-type']).toContain('application/x-ndjson')
    const entries = body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEntry)
    expect(entries).toEqual((await list('exported')).items.toReversed())
  })

  it('of the platform is apart from those of organizations', async () => {
    const { status, body } = await test.call('GET', '/v1/admin/audit/verify')
    expect({ status, ok: body.ok }).toEqual({ status: 200, ok: true })
    expect((await test.call('GET', '/v1/orgs/none/audit')).body.reason).toBe('org_unknown')
  })
})
