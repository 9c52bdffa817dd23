import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { admin, peopleApp, type PeopleApp, type Session } from '../../test/people.ts'

const org = '/v1/orgs/default'
const workspace = `${org}/workspaces/default`
const object = (kind: string, name: string, spec: object = {}) => ({ kind, metadata: { name }, spec })
const person = (name: string) => ({ kind: 'User', name })
const group = (name: string) => ({ kind: 'Group', name })

let test: PeopleApp
let eve: Session
beforeAll(async () => {
  test = await peopleApp()
  eve = await test.join('eve@example.com')
  await test.apply([object('Server', 'files', { command: ['x'] }), object('Server', 'other', { command: ['x'] })], workspace)
})
afterAll(() => test.close())

const faults = async (...objects: object[]) => {
  const { status, body } = await test.ada.call('POST', `${org}/apply`, { objects })
  return [status, ...(body.errors as { pointer: string; detail: string }[]).map(({ pointer, detail }) => `${pointer} ${detail}`)]
}
const names = (answer: { body: { items: { metadata: { name: string } }[] } }) => answer.body.items.map(({ metadata }) => metadata.name)
const servers = async (session: Session) => {
  const answer = await session.call('GET', `${workspace}/servers`)
  return answer.status === 200 ? names(answer) : answer.status
}

describe('a user', () => {
  it('comes with the account of whoever sets the installation up, and says what they may do', async () => {
    const { body } = await test.ada.call('GET', `${org}/users/${admin}`)
    expect(body.status).toMatchObject({ account: true, platformAdmin: true, groups: [], access: [] })
  })

  it('is named by an e-mail in lower case, once', async () => {
    const [status, ...details] = await faults(
      object('User', 'Bob@Example.com'),
      object('User', 'nobody'),
      object('User', 'a@example.com/b'),
    )
    expect([status, details.length]).toEqual([400, 3])
    expect(details[0]).toBe('/objects/0/metadata/name must be an e-mail in lower case')
    expect((await test.ada.call('POST', `${org}/users`, object('User', 'eve@example.com'))).body.reason).toBe('already_exists')
  })

  it('signs in with the password that an admin sets, may do nothing, and not any more once deleted', async () => {
    const bob = await test.join('bob@example.com')
    expect(await servers(bob)).toBe(403)
    expect((await bob.call('GET', '/v1/auth/me')).body).toMatchObject({ subject: 'bob@example.com', platformAdmin: false })
    expect((await test.ada.call('DELETE', `${org}/users/bob@example.com`)).status).toBe(204)
    await expect.poll(async () => (await bob.call('GET', '/v1/auth/me')).status).toBe(401)
    await expect(test.signIn('bob@example.com')).rejects.toThrow('wrong_credentials')
  })

  it('that is the last admin cannot be deleted', async () => {
    const { status, body } = await test.ada.call('DELETE', `${org}/users/${admin}`)
    expect([status, body.reason]).toEqual([409, 'last_admin'])
    expect(body.hint).toContain('mcpg-ctl patch user <e-mail> platformAdmin=true')
  })

  it('is made a platform admin by one only, and then the first may go', async () => {
    const bob = await test.join('bob@example.com')
    const path = `${org}/users/bob@example.com`
    const set = (session: Session, user: string, platformAdmin: boolean) =>
      session.call('PATCH', `${org}/users/${user}`, { spec: { platformAdmin } })
    await test.ada.call(
      'POST',
      `${org}/rolebindings`,
      object('RoleBinding', 'bob-admin', { role: 'admin', subjects: [person('bob@example.com')] }),
    )
    expect((await set(bob, 'bob@example.com', true)).status).toBe(403)
    expect((await set(test.ada, admin, false)).body).toMatchObject({ reason: 'last_admin' })
    expect((await set(test.ada, 'bob@example.com', true)).status).toBe(200)
    await expect.poll(async () => (await test.ada.call('GET', path)).body.status.platformAdmin).toBe(true)
    const { body } = await test.ada.call('GET', '/v1/admin/audit?action=account.set-platform-admin')
    expect(body.items[0]).toMatchObject({ name: 'bob@example.com', detail: { platformAdmin: true } })
    expect((await set(bob, admin, false)).status).toBe(200)
    await expect.poll(async () => (await bob.call('GET', `${org}/users/${admin}`)).body.status.platformAdmin).toBe(false)
    expect((await set(bob, 'bob@example.com', false)).body).toMatchObject({ reason: 'last_admin' })
    expect((await set(bob, admin, true)).status).toBe(200)
    await expect.poll(async () => (await bob.call('GET', `${org}/users/${admin}`)).body.status.platformAdmin).toBe(true)
    await test.ada.call('DELETE', `${org}/rolebindings/bob-admin`)
    expect((await test.ada.call('DELETE', path)).status).toBe(204)
  })
})

describe('what makes no sense is refused', () => {
  it('by every place where it stands: unknown kinds, built-in names, places without a workspace', async () => {
    const rules = [{ verbs: ['view'], kinds: ['servers', 'sever'] }, { verbs: ['view'] }, { operations: ['logs'], kinds: ['servers'] }]
    const role = await faults(object('Role', 'odd', { rules }))
    expect(role).toEqual([400, expect.stringContaining('/objects/0/spec/rules/1'), expect.stringContaining('/objects/0/spec/rules/2')])
    const [status, ...details] = await faults(object('Role', 'viewer', { rules: [{ verbs: ['view'], kinds: ['sever', 'srv', '*'] }] }))
    expect([status, ...details]).toEqual([
      400,
      '/objects/0/metadata/name viewer is built in; take another name',
      '/objects/0/spec/rules/0/kinds/0 "sever" is not a kind, orgs, workspaces, environments, audit or *',
    ])
    const subjects = [person('eve@example.com')]
    expect(await faults(object('RoleBinding', 'b', { role: 'viewer', subjects, environment: 'default' }))).toEqual([
      400,
      '/objects/0/spec/workspace is needed with an environment or a project',
    ])
    const unknown = await test.ada.call(
      'POST',
      `${org}/rolebindings`,
      object('RoleBinding', 'b', { role: 'gone', subjects: [group('gone')] }),
    )
    expect([unknown.status, unknown.body.errors.map(({ pointer }: { pointer: string }) => pointer)]).toEqual([
      400,
      ['/spec/role', '/spec/subjects/0/name'],
    ])
  })

  it('groups that contain themselves, by name', async () => {
    await test.apply([object('Group', 'a', {}), object('Group', 'b', { groups: ['a'] }), object('Group', 'c', { groups: ['b'] })])
    expect(await faults(object('Group', 'a', { groups: ['c'] }))).toEqual([
      400,
      '/objects/0/spec/groups goes round in a circle: a > c > b > a',
    ])
    expect(await faults(object('Group', 'self', { groups: ['self'] }))).toEqual([
      400,
      '/objects/0/spec/groups goes round in a circle: self > self',
    ])
  })
})

describe('a binding', () => {
  it('gives its role at once, in its place only, and takes it away again', async () => {
    expect(await servers(eve)).toBe(403)
    await test.apply([object('RoleBinding', 'eve', { role: 'viewer', subjects: [person('eve@example.com')], workspace: 'default' })])
    expect(await servers(eve)).toEqual(['files', 'other'])
    expect((await eve.call('GET', `${org}/workspaces`)).body.items).toMatchObject([{ name: 'default' }])
    expect((await eve.call('POST', `${workspace}/servers`, object('Server', 'mine', { command: ['x'] }))).status).toBe(403)
    expect((await eve.call('GET', `${org}/users`)).status).toBe(403)
    await test.ada.call('DELETE', `${org}/rolebindings/eve`)
    expect(await servers(eve)).toBe(403)
  })

  it('by name shows only those objects, and answers for the others as for none', async () => {
    const rules = [{ verbs: ['view', 'run'], kinds: ['servers'], names: ['files'] }]
    const binding = object('RoleBinding', 'named', { role: 'one-server', subjects: [person('eve@example.com')] })
    await test.apply([object('Role', 'one-server', { rules }), binding])
    expect(await servers(eve)).toEqual(['files'])
    const [hidden, absent] = await Promise.all(['other', 'absent'].map((name) => eve.call('DELETE', `${workspace}/servers/${name}`)))
    expect([hidden!.status, hidden!.body.reason]).toEqual([404, 'server_unknown'])
    expect([absent!.status, absent!.body.reason]).toEqual([404, 'server_unknown'])
    expect((await eve.call('DELETE', `${workspace}/servers/files`)).status).toBe(403)
    const denied = () => test.app.db.read.audit.count({ where: { action: 'access.deny', name: { in: ['other', 'absent'] } } })
    await expect.poll(denied).toBe(2)
    expect((await eve.call('POST', `${workspace}/servers/other/stop`)).status).toBe(404)
    expect((await eve.call('POST', `${workspace}/servers/files/stop`)).status).toBe(200)
    // Admitted, as far as those objects go; there is no gateway here.
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    expect((await eve.call('POST', `${workspace}/mcp`, list)).body.reason).toBe('no_gateway_online')
    expect((await eve.call('POST', `${workspace}/mcp/servers/other`, list)).status).toBe(404)
    await test.ada.call('DELETE', `${org}/rolebindings/named`)
  })

  it('to a group reaches its members and those of the groups in it, and is shown with the way', async () => {
    await test.apply([
      object('Group', 'inner', { members: ['eve@example.com'] }),
      object('Group', 'outer', { groups: ['inner'] }),
      object('RoleBinding', 'wide', { role: 'viewer', subjects: [group('outer')] }),
      object('RoleBinding', 'lost', { role: 'viewer', subjects: [person('eve@example.com')], workspace: 'gone' }),
    ])
    expect(await servers(eve)).toEqual(['files', 'other'])
    const { body: user } = await test.ada.call('GET', `${org}/users/eve@example.com`)
    expect(user.status).toMatchObject({
      groups: ['inner'],
      access: [
        { binding: 'lost', role: 'viewer', workspace: 'gone', through: [] },
        { binding: 'wide', role: 'viewer', through: ['outer', 'inner'] },
      ],
    })
    expect((await test.ada.call('GET', `${org}/groups/inner`)).body.status).toEqual({
      people: 1,
      within: ['outer'],
      access: [{ binding: 'wide', role: 'viewer', through: ['outer'] }],
    })
    const { body: who } = await test.ada.call('GET', '/v1/access/who-may?verb=view&kind=servers&org=default&workspace=default')
    expect(who.items).toEqual([
      { kind: 'User', name: admin },
      { kind: 'Group', name: 'outer', binding: 'wide', role: 'viewer', through: [] },
      { kind: 'Group', name: 'inner', binding: 'wide', role: 'viewer', through: ['outer'] },
      { kind: 'User', name: 'eve@example.com', binding: 'wide', role: 'viewer', through: ['outer', 'inner'] },
    ])
    expect((await eve.call('GET', '/v1/access/who-may?verb=view&kind=servers&org=default')).status).toBe(403)
    expect((await test.ada.call('GET', `${org}/rolebindings/lost`)).body.status).toEqual({ missing: 'workspace gone' })
    await test.ada.call('DELETE', `${org}/rolebindings/wide`)
    await test.ada.call('DELETE', `${org}/rolebindings/lost`)
  })
})

describe('nobody gives what they do not hold', () => {
  const subjects = [person('mallory@example.com')]
  let carl: Session
  const refused = async (...objects: object[]) => {
    const { status, body } = await carl.call('POST', `${org}/apply`, { objects })
    return [status, body.reason]
  }
  beforeAll(async () => {
    carl = await test.join('carl@example.com')
    const rules = [
      { verbs: ['edit'], kinds: ['roles', 'rolebindings', 'groups', 'users'] },
      { verbs: ['view'], kinds: ['servers'] },
    ]
    await test.apply([
      object('Role', 'clerk', { rules }),
      object('Group', 'admins', {}),
      object('RoleBinding', 'admins', { role: 'admin', subjects: [group('admins')] }),
      object('RoleBinding', 'clerk', { role: 'clerk', subjects: [person('carl@example.com')] }),
    ])
  })

  it('by a binding, a role that is bound, or a member of a group', async () => {
    expect(await refused(object('RoleBinding', 'up', { role: 'editor', subjects }))).toEqual([403, 'beyond_own_rights'])
    expect(await refused(object('Group', 'admins', { members: ['carl@example.com'] }))).toEqual([403, 'beyond_own_rights'])
    expect(await refused(object('Group', 'mine', {}), object('Group', 'admins', { groups: ['mine'] }))).toEqual([403, 'beyond_own_rights'])
    const all = { rules: [{ verbs: ['edit'], kinds: ['*'] }] }
    expect(await refused(object('Role', 'clerk', all))).toEqual([403, 'beyond_own_rights'])
    expect(await refused(object('Role', 'fresh', all), object('RoleBinding', 'fresh', { role: 'fresh', subjects }))).toEqual([
      403,
      'beyond_own_rights',
    ])
    expect((await carl.call('GET', `${org}/rolebindings/up`)).status).toBe(404)
  })

  it('but may give what they do, and write a role that nobody has', async () => {
    const rules = [{ verbs: ['view'], kinds: ['servers'] }]
    expect(await refused(object('Role', 'look', { rules }), object('RoleBinding', 'look', { role: 'look', subjects }))).toEqual([
      200,
      undefined,
    ])
    expect(await refused(object('Role', 'unused', { rules: [{ operations: ['*'] }] }))).toEqual([200, undefined])
  })

  it('nor takes over or removes somebody who may do more', async () => {
    const password = await carl.call('POST', `${org}/users/${admin}/password`, { password: 'mine from now on' })
    const removal = await carl.call('DELETE', `${org}/users/${admin}`)
    expect([password.body.reason, removal.body.reason]).toEqual(['beyond_own_rights', 'beyond_own_rights'])
    expect((await carl.call('POST', `${org}/users/eve@example.com/password`, { password: 'a new long one' })).status).toBe(200)
  })
})

describe('acting for somebody else', () => {
  it('needs the operation, is what both may do, shows both names, and ends', async () => {
    const dora = await test.join('dora@example.com')
    await test.apply([object('RoleBinding', 'dora', { role: 'viewer', subjects: [person('dora@example.com')], workspace: 'default' })])
    const begin = (session: Session, user: string) => session.call('POST', '/v1/auth/impersonate', { user })
    expect((await begin(dora, admin)).body.reason).toBe('not_allowed')
    expect((await begin(test.ada, 'nobody@example.com')).body.reason).toBe('user_unknown')
    expect((await begin(test.ada, admin)).body.reason).toBe('impersonating_oneself')
    expect((await begin(test.ada, 'dora@example.com')).body).toMatchObject({ subject: 'dora@example.com', impersonator: admin })
    expect((await test.ada.call('GET', '/v1/auth/me')).body).toMatchObject({ subject: 'dora@example.com', impersonator: admin })
    expect([await servers(test.ada), (await test.ada.call('GET', `${org}/users`)).status]).toEqual([['files', 'other'], 403])
    expect((await begin(test.ada, 'eve@example.com')).body.reason).toBe('already_impersonating')
    expect((await test.ada.call('DELETE', '/v1/auth/impersonate')).status).toBe(204)
    expect((await test.ada.call('GET', '/v1/auth/me')).body).not.toHaveProperty('impersonator')
    const rows = await test.app.db.read.audit.findMany({ where: { action: { startsWith: 'impersonation.' } }, orderBy: { at: 'asc' } })
    expect(rows.map(({ action, actor, impersonator, name }) => [action, actor, impersonator, name])).toEqual([
      ['impersonation.begin', admin, null, 'dora@example.com'],
      ['impersonation.end', 'dora@example.com', admin, 'dora@example.com'],
    ])
  })

  it('may be said with each request, which asks for no session, shows both names and tells the trail once', async () => {
    const as = (user: string) => ({ 'x-mcpg-as': user })
    const gina = await test.join('gina@example.com')
    await test.apply([object('RoleBinding', 'gina', { role: 'editor', subjects: [person('gina@example.com')], workspace: 'default' })])
    const { token } = (await test.ada.call('POST', `${org}/tokens`, { name: 'script' })).body
    const byToken = { authorization: `Bearer ${token}`, ...as('gina@example.com') }
    const call = (method: 'GET' | 'POST', path: string, body?: unknown, headers = {}) => test.call(method, path, body, headers)

    expect((await test.ada.call('GET', '/v1/auth/me', undefined, as('gina@example.com'))).body).toMatchObject({
      subject: 'gina@example.com',
      impersonator: admin,
    })
    expect((await call('GET', '/v1/auth/me', undefined, byToken)).body).toMatchObject({ subject: 'gina@example.com', impersonator: admin })
    expect((await call('GET', `${org}/users`, undefined, byToken)).status).toBe(403)
    const made = await call('POST', `${workspace}/servers`, object('Server', 'of-gina', { command: ['x'] }), byToken)
    expect(made.status).toBe(201)
    // The next request is one's own again, and others are refused by their own name.
    expect((await test.ada.call('GET', '/v1/auth/me')).body).toMatchObject({ subject: admin })
    const refused = await gina.call('GET', '/v1/auth/me', undefined, as(admin))
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('gina@example.com may not do this')])
    const reasonOf = async (user: string) => (await test.ada.call('GET', '/v1/auth/me', undefined, as(user))).body.reason
    expect([await reasonOf('nobody@example.com'), await reasonOf(admin), await reasonOf('gina')]).toEqual([
      'user_unknown',
      'impersonating_oneself',
      'act_for_malformed',
    ])
    expect((await call('GET', '/v1/auth/me', undefined, as('gina@example.com'))).status).toBe(401)

    const rows = await test.app.db.read.audit.findMany({
      where: { OR: [{ action: 'impersonation.begin', name: 'gina@example.com' }, { name: 'of-gina' }] },
      orderBy: { at: 'asc' },
    })
    expect(rows.map(({ action, actor, impersonator }) => [action, actor, impersonator])).toEqual([
      ['impersonation.begin', admin, null],
      ['server.create', 'gina@example.com', admin],
    ])
    await test.ada.call('DELETE', `${workspace}/servers/of-gina`)
  })

  it('never does more than oneself may', async () => {
    const finn = await test.join('finn@example.com')
    const rules = [{ operations: ['impersonate'] }, { verbs: ['view'], kinds: ['servers'] }]
    await test.apply([
      object('Role', 'support', { rules }),
      object('RoleBinding', 'finn', { role: 'support', subjects: [person('finn@example.com')] }),
    ])
    expect((await finn.call('POST', '/v1/auth/impersonate', { user: admin })).status).toBe(200)
    expect([await servers(finn), (await finn.call('GET', `${org}/users`)).status]).toEqual([['files', 'other'], 403])
    await test.ada.call('DELETE', `${org}/rolebindings/finn`)
    expect((await finn.call('GET', '/v1/auth/me')).body).toMatchObject({ subject: 'finn@example.com' })
  })
})
