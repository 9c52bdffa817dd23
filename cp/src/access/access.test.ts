import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publicRoutes } from '@mcpg/proto/access'
import { everything, type Grant } from '@mcpg/proto/grants'
import { kinds } from '@mcpg/proto/kinds'
import type { ListQuery } from '@mcpg/proto/rest/list'
import { testApp, type Answer, type TestApp } from '../../test/app.ts'
import { holderOf } from '../../test/callers.ts'
import { testFleet, type TestFleet } from '../../test/fleet.ts'
import { callerFor, localCaller, type Caller } from './caller.ts'
import { accessService } from './service.ts'

const ada = { email: 'ada@example.com', password: 'correct horse battery' }
const request = { source: '127.0.0.1', requestId: 'r' }
const scope = { org: 'default', workspace: 'default' }
const query: ListQuery = { limit: 100, sort: 'name' }
const service = () =>
  accessService({
    book: { grantsOfUser: async () => [], grantsOfServiceAccount: async () => [], holdingsIn: async () => new Map() },
    platformAdmins: async () => [],
  })
const user = (platformAdmin = false) => ({ kind: 'user', accountId: 'a', email: ada.email, groups: [], platformAdmin }) as const
const kindOf = (word: string) => kinds.find(({ kind }) => kind === word)!

describe('somebody who signed in and may do nothing', () => {
  let test: TestApp
  let cookie: string
  beforeAll(async () => {
    test = await testApp({ change: (config) => ({ ...config, authMode: 'local' }) })
    const made = await test.call('POST', '/v1/auth/bootstrap', { ...ada, setupCode: await test.app.firstUserCode() })
    cookie = String(made.headers['set-cookie']).split(';')[0]!
    const headers = { cookie, 'x-mcpg-request': '1' }
    for (const name of ['files', 'other']) await test.call('POST', '/v1/orgs/default/workspaces/default/servers', server(name), headers)
    await test.app.db.write((tx) => tx.account.updateMany({ data: { platformAdmin: false } }))
  })
  afterAll(() => test.close())

  it('is refused by every guarded route, the same for what is there and what is not', async () => {
    const { body: document } = await test.call('GET', '/v1/openapi.json', undefined, { cookie })
    const operations = Object.entries(document.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase() as 'GET', path })),
    )
    expect(operations.length).toBeGreaterThan(80)
    const admitted: string[] = []
    for (const { method, path } of operations) {
      if (publicRoutes.includes(path.replace(/\{(\w+)\}/g, ':$1')) || path === '/v1/auth/logout') continue
      const answers = await Promise.all(
        ['default', 'nowhere'].map((word) => ask(method, path.replace(/\{(?!name)\w+\}/g, word).replace('{name}', 'files'))),
      )
      const [one, two] = answers.map(({ status, body }) => [status, body?.reason])
      if (one![0] !== 403) admitted.push(`${method} ${path}`)
      else expect(two, `${method} ${path}`).toEqual(one)
      expect(JSON.stringify(answers.map(({ body }) => body))).not.toContain('files-secret')
    }
    expect(admitted.toSorted()).toEqual([
      'DELETE /v1/auth/impersonate',
      'GET /v1/access/can-i',
      'GET /v1/access/rights',
      'GET /v1/access/who-may',
      'GET /v1/auth/me',
      'GET /v1/openapi.json',
      // An operation is found by whoever may view its gateway, and by nobody else.
      'GET /v1/operations/{id}',
      'GET /v1/operations/{id}/events',
      'GET /v1/watch',
      'POST /v1/auth/impersonate',
      'POST /v1/auth/password',
      'POST /v1/operations/{id}/cancel',
      'POST /v1/orgs/{org}/tokens',
      'POST /v1/tokens/introspect',
    ])
  })

  it('learns of no workspace by watching it or applying to it', async () => {
    for (const workspace of ['default', 'nowhere']) {
      const watched = await ask('GET', `/v1/watch?scope=default/${workspace}`)
      const applied = await ask('POST', `/v1/orgs/default/workspaces/${workspace}/apply`, { objects: [server('files')] })
      expect([watched.status, watched.body.reason, applied.status, applied.body.reason]).toEqual([403, 'not_allowed', 403, 'not_allowed'])
    }
  })

  it('is told so when asking what they may do', async () => {
    expect((await ask('GET', '/v1/access/rights')).body).toEqual({ subject: ada.email, kind: 'user', grants: [] })
    const asked = await ask('GET', '/v1/access/can-i?verb=view&kind=srv&org=default&workspace=default')
    expect(asked.body).toEqual({ allowed: false, subject: ada.email, verb: 'view', on: 'servers', place: scope })
  })

  it('gets every fault of a question at once', async () => {
    const faults = async (text: string) => {
      const { status, body } = await ask('GET', `/v1/access/can-i?${text}`)
      return [status, (body.errors as { pointer: string }[]).map(({ pointer }) => pointer.replace('/querystring/', ''))]
    }
    expect(await faults('')).toEqual([400, ['verb', 'kind']])
    expect(await faults('verb=view&kind=nonsense')).toEqual([400, ['kind']])
    expect(await faults('operation=fly&verb=view')).toEqual([400, ['verb', 'operation']])
    expect(await faults('verb=fly&kind=servers')).toEqual([400, ['verb']])
  })

  /** From another machine: this one may read /metrics. */
  async function ask(method: 'GET' | 'POST', url: string, payload?: object): Promise<Answer> {
    const headers = { cookie, 'x-mcpg-request': '1' }
    const answer = await test.app.http.inject({ method, url, headers, remoteAddress: '10.9.8.7', ...(payload && { payload }) })
    return { status: answer.statusCode, headers: answer.headers, body: answer.body === '' ? undefined : answer.json() }
  }
})

describe('the answer to can-i', () => {
  const { canI, effectiveGrants } = service()
  const may = (caller: Caller, question: object) => canI(caller, question)

  it('is yes to everything for a platform admin and where nobody signs in', async () => {
    const admin = callerFor(user(true), await effectiveGrants(user(true)), request)
    for (const caller of [admin, localCaller(request)])
      for (const question of [
        { verb: 'delete', kind: 'orgs' },
        { operation: 'control' },
        { verb: 'run', kind: 'server', name: 'x', ...scope },
      ])
        expect(may(caller, question).allowed).toBe(true)
  })

  it('names the objects it is limited to, what allows it, and whether there is something below', () => {
    const grant: Grant = { place: scope, verbs: ['edit'], on: 'servers', names: ['files'] }
    const caller = holderOf(grant, { place: { ...scope, environment: 'e' }, verbs: ['view'], on: 'gateways' })
    expect(may(caller, { verb: 'edit', kind: 'server', ...scope })).toMatchObject({ allowed: true, only: ['files'], by: grant })
    expect(may(caller, { verb: 'edit', kind: 'server', name: 'other', ...scope })).not.toHaveProperty('by')
    expect(may(caller, { verb: 'view', kind: 'gw', ...scope })).toMatchObject({ allowed: false, below: true })
    expect(may(caller, { verb: 'view', kind: 'gw', ...scope, environment: 'e' })).toMatchObject({ allowed: true })
    expect(may(caller, { verb: 'view', kind: 'workspaces', ...scope })).toMatchObject({ allowed: true, only: ['default'] })
  })

  it('asks where the kind lives, and at the installation for what concerns all of it', () => {
    const caller = holderOf(
      { place: { org: 'default' }, operations: ['*'] },
      { place: { ...scope, environment: 'e' }, verbs: ['view'], on: 'servers' },
    )
    expect(may(caller, { operation: 'reveal-secrets', ...scope }).allowed).toBe(true)
    expect(may(caller, { operation: 'control', ...scope })).toMatchObject({ allowed: false, place: {} })
    expect(may(caller, { verb: 'view', kind: 'servers', ...scope, environment: 'e' })).toMatchObject({ allowed: false, place: scope })
  })
})

it('gives a token what it was given as far as its owner holds it', async () => {
  const { effectiveGrants } = service()
  const one: Grant = { place: scope, verbs: ['view'], on: 'servers' }
  const token = (platformAdmin: boolean, grants: Grant[] | null) =>
    ({ kind: 'token', tokenId: 't', owner: user(platformAdmin), grants }) as const
  expect(await effectiveGrants(token(true, [one]))).toEqual([one])
  expect(await effectiveGrants(token(false, [one]))).toEqual([])
  expect(await effectiveGrants(token(true, null))).toEqual(everything)
})

describe('rights in one environment', () => {
  let fleet: TestFleet
  beforeAll(async () => {
    fleet = await testFleet()
    await fleet.call('POST', '/v1/orgs/default/workspaces/default/environments', { name: 'west' })
    await fleet.createEnrollment()
  })
  afterAll(() => fleet.close())

  it('are nobody else’s where nobody signs in: a request for somebody is refused instead of being everybody’s', async () => {
    const { status, body } = await fleet.call('GET', '/v1/auth/me', undefined, { 'x-mcpg-as': 'eve@example.com' })
    expect([status, body.reason]).toEqual([409, 'sign_in_off'])
  })

  it('show what is in it in the lists of the workspace, and nothing of the others', async () => {
    const { resources } = fleet.app()
    const enrollments = kindOf('Enrollment')
    const of = (environment: string) => holderOf({ place: { ...scope, environment }, verbs: ['view'], on: 'enrollments' })
    const here = await resources.list(of('default'), enrollments, scope, query)
    expect([here.items.length, here.total]).toEqual([1, 1])
    expect((await resources.everything(of('default'), enrollments, scope)).length).toBe(1)
    const { name } = here.items[0]!.metadata
    expect((await resources.get(of('default'), enrollments, scope, name)).metadata.environment).toBe('default')
    expect(await resources.list(of('west'), enrollments, scope, query)).toEqual({ items: [], total: 0 })
    await expect(resources.get(of('west'), enrollments, scope, name)).rejects.toMatchObject({ code: 'not_found' })
  })
})

const server = (name: string) => ({ kind: 'Server', metadata: { name, labels: {} }, spec: { command: [`${name}-secret`] } })
