import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { tokenPattern } from '@mcpg/proto/rest/tokens'
import { testApp, type Answer, type TestApp } from '../../test/app.ts'

const ada = { email: 'ada@example.com', password: 'correct horse battery' }
const org = '/v1/orgs/default'
const web = `${org}/workspaces/default/projects/web`
const days = 86_400_000

let test: TestApp
let clock: ReturnType<typeof fakeClock>
let cookie: string
beforeEach(async () => {
  clock = fakeClock()
  test = await testApp({ clock, change: (config) => ({ ...config, authMode: 'local' }) })
  const setupCode = await test.app.firstUserCode()
  cookie = cookieOf(await test.call('POST', '/v1/auth/bootstrap', { setupCode, ...ada }))
  await asAda('POST', `${org}/workspaces/default/projects`, { kind: 'Project', metadata: { name: 'web' }, spec: {} })
})
afterEach(() => test.close())

const cookieOf = ({ headers }: Answer): string => String(headers['set-cookie']).split(';')[0]!
type Call = Parameters<TestApp['call']>
const asAda = (method: Call[0], path: string, body?: unknown) => test.call(method, path, body, { cookie, 'x-mcpg-request': '1' })
const withToken = (token: string, method: Call[0], path: string, body?: unknown) =>
  test.call(method, path, body, { authorization: `Bearer ${token}` })
const listServers = (token: string) => withToken(token, 'GET', `${org}/workspaces/default/servers`)
const create = async (body: object): Promise<string> => (await asAda('POST', `${org}/tokens`, body)).body.token

/** Somebody who signed in and may do nothing. */
async function asGrace(): Promise<(method: Call[0], path: string, body?: unknown) => Promise<Answer>> {
  await test.app.db.write(async (tx) => {
    const { passwordHash } = (await tx.account.findUnique({ where: { email: ada.email } }))!
    const row = { id: 'grace', email: 'grace@example.com', passwordHash, createdAt: new Date(clock.now()).toISOString() }
    await tx.account.create({ data: row })
  })
  const own = cookieOf(await test.call('POST', '/v1/auth/login', { email: 'grace@example.com', password: ada.password }))
  return (method, path, body) => test.call(method, path, body, { cookie: own, 'x-mcpg-request': '1' })
}

describe('a token of a person', () => {
  it('is shown once, is kept as a hash, and does what its owner may do in the organization', async () => {
    const made = await asAda('POST', `${org}/tokens`, { name: 'ci' })
    expect(made.status).toBe(201)
    expect(made.headers['cache-control']).toBe('no-store')
    expect(made.body.token).toMatch(tokenPattern)
    expect(Date.parse(made.body.expiresAt)).toBe(clock.now() + 30 * days)
    expect((await listServers(made.body.token)).status).toBe(200)
    // Other organizations are no business of a token of this one.
    expect((await withToken(made.body.token, 'POST', '/v1/orgs', { name: 'other' })).status).toBe(403)
    const everything = JSON.stringify([
      (await asAda('GET', `${org}/tokens`)).body,
      await test.app.db.read.token.findMany(),
      await test.app.db.read.audit.findMany(),
    ])
    expect(everything).not.toContain(made.body.token)
    expect(everything).toContain('token.create')
  })

  it('ends with its time, by its revocation, and with its owner', async () => {
    const short = await create({ name: 'short', ttl: '1h' })
    const long = await create({ name: 'long', ttl: 'never' })
    await clock.advance(3_600_000)
    const over = await listServers(short)
    expect([over.status, over.body.reason]).toEqual([401, 'token_expired'])
    expect((await asAda('GET', `${org}/tokens/long`)).body.spec.expiresAt).toBeUndefined()

    expect((await asAda('POST', `${org}/tokens/long/revoke`)).status).toBe(204)
    expect((await listServers(long)).body.reason).toBe('token_revoked')
    expect((await asAda('GET', `${org}/tokens/long`)).body.status).toMatchObject({ state: 'revoked', createdBy: ada.email })
    expect((await asAda('POST', `${org}/tokens/long/revoke`)).status).toBe(204)
    expect((await asAda('DELETE', `${org}/tokens/long`)).status).toBe(204)
    expect((await listServers(long)).body.reason).toBe('token_unknown')
    expect((await asAda('GET', `${org}/tokens/long`)).status).toBe(404)

    const orphan = await create({ name: 'orphan' })
    await test.app.db.write((tx) => tx.account.deleteMany())
    expect((await listServers(orphan)).body.reason).toBe('token_orphaned')
  })

  it('is refused with every violation, and in the past', async () => {
    const bad = await asAda('POST', `${org}/tokens`, { name: 'No!', ttl: 'soon', bind: [{ role: 'own', resource: 'servers' }] })
    expect(bad.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(expect.arrayContaining(['/name', '/ttl', '/bind/0']))
    const past = await asAda('POST', `${org}/tokens`, { name: 'past', ttl: '1999-12-31T23:59:59Z' })
    expect([past.status, past.body.errors[0].pointer]).toEqual([400, '/ttl'])
    const unknown = await asAda('POST', `${org}/tokens`, { name: 'odd', bind: [{ role: 'view', resource: 'teapots' }] })
    expect(unknown.body.errors[0]).toMatchObject({ pointer: '/bind/0/resource', detail: expect.stringContaining('not a kind') })
    await create({ name: 'twice' })
    expect((await asAda('POST', `${org}/tokens`, { name: 'twice' })).body.reason).toBe('already_exists')
  })

  it('may do what it was bound to and nothing else, and makes no tokens', async () => {
    const viewer = await create({ name: 'viewer', workspace: 'default', bind: [{ role: 'view', resource: 'server' }] })
    expect((await listServers(viewer)).status).toBe(200)
    expect((await withToken(viewer, 'GET', `${org}/workspaces/default/secrets`)).status).toBe(403)
    expect((await withToken(viewer, 'GET', `${org}/tokens`)).body.items).toEqual([])
    expect((await withToken(viewer, 'POST', `${org}/tokens/viewer/revoke`)).status).toBe(404)
    expect((await withToken(viewer, 'POST', `${org}/tokens`, { name: 'child' })).body.reason).toBe('tokens_make_no_tokens')
    expect((await withToken(viewer, 'GET', '/v1/auth/me')).body).toMatchObject({ kind: 'token', subject: ada.email })
  })

  it('is never above what its owner may do, at its creation and at each use', async () => {
    const grace = await asGrace()
    // Somebody without rights is not told which organizations there are.
    const refusals = await Promise.all([grace('GET', `${org}/tokens`), grace('GET', '/v1/orgs/nowhere/tokens')])
    expect(refusals.map(({ status, body }) => [status, body.reason])).toEqual([
      [403, 'not_allowed'],
      [403, 'not_allowed'],
    ])
    expect((await grace('POST', `${org}/tokens`, { name: 'x' })).status).toBe(403)
    const strong = await create({ name: 'strong', bind: [{ role: 'edit', resource: 'servers' }] })
    expect((await listServers(strong)).status).toBe(200)
    await test.app.db.write((tx) => tx.account.updateMany({ where: { email: ada.email }, data: { platformAdmin: false } }))
    expect((await listServers(strong)).status).toBe(403)
  })

  it('of a service account may do what that may do, and is made by who may edit it', async () => {
    const put = (path: string, kind: string, name: string, spec: object) =>
      asAda('POST', `${org}/${path}`, { kind, metadata: { name }, spec })
    await put('serviceaccounts', 'ServiceAccount', 'robot', {})
    const body = { name: 'deploy', serviceAccount: 'robot' }
    const grace = await asGrace()
    expect((await grace('POST', `${org}/tokens`, body)).status).toBe(403)
    expect((await asAda('POST', `${org}/tokens`, { ...body, serviceAccount: 'nobody' })).status).toBe(404)
    const { token } = (await asAda('POST', `${org}/tokens`, body)).body
    expect((await withToken(token, 'GET', '/v1/auth/me')).body).toMatchObject({ kind: 'token', subject: 'default/robot' })
    expect((await asAda('DELETE', `${org}/serviceaccounts/robot`)).status).toBe(204)
    expect((await withToken(token, 'GET', '/v1/auth/me')).body.reason).toBe('token_orphaned')
  })

  it('tells when it was used last, many uses at once', async () => {
    const used = await create({ name: 'used' })
    await Promise.all([listServers(used), listServers(used), listServers(used)])
    await clock.advance(5_000)
    const lastUsedAt = async () => (await asAda('GET', `${org}/tokens/used`)).body.status.lastUsedAt
    await expect.poll(lastUsedAt).toBe(new Date(clock.now() - 5_000).toISOString())
  })
})

describe('a token of an MCP client', () => {
  const make = (body: object) => asAda('POST', `${web}/tokens`, body)

  it('uses the servers of its project unless it is bound to less, or has all that its creator may do there', async () => {
    const grantsOf = async (body: object) => {
      const { token } = (await make(body)).body
      return (await asAda('POST', '/v1/tokens/introspect', { token })).body.grants
    }
    const place = { org: 'default', workspace: 'default', project: 'web' }
    expect(await grantsOf({ name: 'plain' })).toEqual([{ place, verbs: ['run'], on: 'servers' }])
    expect(await grantsOf({ name: 'one', bind: [{ role: 'run', resource: 'tools', name: 'files__read' }] })).toEqual([
      { place, verbs: ['run'], on: 'tools', names: ['files__read'] },
    ])
    expect(await grantsOf({ name: 'all', rbac: 'clone' })).toContainEqual({ place, verbs: ['edit', 'run'], on: '*' })
    expect(await grantsOf({ name: 'more', bind: [{ role: 'view', resource: 'servers' }] })).toEqual([
      { place, verbs: ['run'], on: 'servers' },
      { place: { org: 'default', workspace: 'default' }, verbs: ['view'], on: 'servers' },
    ])
  })

  it('is an object of its workspace, and is replaced by force only', async () => {
    const first = (await make({ name: 'claude', ttl: 'never' })).body.token
    expect((await make({ name: 'claude' })).body).toMatchObject({ reason: 'already_exists', hint: expect.stringContaining('--force') })
    const second = (await make({ name: 'claude', force: true })).body.token
    const introspect = async (token: string) => (await asAda('POST', '/v1/tokens/introspect', { token })).body.active
    expect([await introspect(first), await introspect(second)]).toEqual([false, true])
    const { items } = (await asAda('GET', `${org}/workspaces/default/tokens`)).body
    expect(items).toMatchObject([{ kind: 'McpToken', metadata: { name: 'claude', project: 'web' }, status: { state: 'active' } }])
    const revoked = await asAda('POST', `${web}/tokens/claude/revoke`)
    expect([revoked.status, revoked.body.status.state]).toEqual([200, 'revoked'])
    expect((await asAda('DELETE', `${web}/tokens/claude`)).status).toBe(204)
    expect((await asAda('GET', `${org}/workspaces/default/tokens`)).body.items).toEqual([])
    expect((await asAda('POST', `${org}/workspaces/default/projects/none/tokens`, { name: 'x' })).status).toBe(404)
  })

  it('goes with its project, and does not come back with another of its name', async () => {
    const { token } = (await make({ name: 'claude' })).body
    const isActive = async () => (await asAda('POST', '/v1/tokens/introspect', { token })).body.active
    expect(await isActive()).toBe(true)
    expect((await asAda('DELETE', web)).status).toBe(204)
    await expect.poll(isActive).toBe(false)
    await asAda('POST', `${org}/workspaces/default/projects`, { kind: 'Project', metadata: { name: 'web' }, spec: {} })
    expect([await isActive(), (await asAda('GET', `${web}/tokens`)).body.items]).toEqual([false, []])
  })

  it('is told to nobody whose business it is not', async () => {
    const { token } = (await make({ name: 'quiet' })).body
    const grace = await asGrace()
    expect((await grace('POST', '/v1/tokens/introspect', { token })).body).toEqual({ active: false })
    expect((await withToken(token, 'POST', '/v1/tokens/introspect', { token })).body).toMatchObject({ active: true, name: 'quiet' })
    expect((await asAda('POST', '/v1/tokens/introspect', { token: 'mcpg_pat_x' })).body).toEqual({ active: false })
    expect((await grace('POST', `${web}/tokens`, { name: 'x' })).status).toBe(403)
  })
})
