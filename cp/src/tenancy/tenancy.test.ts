import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testApp, type TestApp } from '../../test/app.ts'

let test: TestApp
beforeAll(async () => {
  test = await testApp()
})
afterAll(() => test.close())
const names = ({ body }: { body: { items: { name: string }[] } }) => body.items.map(({ name }) => name)

describe('organizations, workspaces and environments', () => {
  it('are default/default/default from the first start', async () => {
    expect(names(await test.call('GET', '/v1/orgs'))).toEqual(['default'])
    expect(names(await test.call('GET', '/v1/orgs/default/workspaces'))).toEqual(['default'])
    expect((await test.call('GET', '/v1/orgs/default/workspaces/default/environments/default')).body.name).toBe('default')
  })

  it('are made below each other and deleted only when empty', async () => {
    const made = async (path: string, name: string) => (await test.call('POST', path, { name, displayName: `The ${name}` })).status
    const gone = async (path: string) => {
      const { status, body } = await test.call('DELETE', path)
      return [status, body?.reason]
    }
    expect(await made('/v1/orgs', 'acme')).toBe(201)
    expect(await made('/v1/orgs/acme/workspaces', 'shop')).toBe(201)
    expect(await made('/v1/orgs/acme/workspaces/shop/environments', 'prod')).toBe(201)
    const object = { kind: 'Server', metadata: { name: 'a' }, spec: { command: ['x'] } }
    await test.call('POST', '/v1/orgs/acme/workspaces/shop/servers', object)
    expect((await test.call('GET', '/v1/orgs/acme/workspaces/shop')).body).toMatchObject({ name: 'shop', displayName: 'The shop' })

    expect(await gone('/v1/orgs/acme')).toEqual([409, 'not_empty'])
    const used = await test.call('DELETE', '/v1/orgs/acme/workspaces/shop')
    expect(used.body.detail).toBe('The workspace acme/shop is not empty: 1 environment (prod), 1 object (server/a).')
    expect((await gone('/v1/orgs/acme/workspaces/shop/environments/prod'))[0]).toBe(204)
    expect((await gone('/v1/orgs/acme/workspaces/shop'))[0]).toBe(409)
    await test.call('DELETE', '/v1/orgs/acme/workspaces/shop/servers/a')
    expect((await gone('/v1/orgs/acme/workspaces/shop'))[0]).toBe(204)
    expect((await gone('/v1/orgs/acme'))[0]).toBe(204)
    expect(await gone('/v1/orgs/acme')).toEqual([404, 'org_unknown'])
    const actions = (
      await test.app.db.read.audit.findMany({ where: { org: 'acme', kind: { not: 'Server' } }, orderBy: { at: 'asc' } })
    ).map(({ action }) => action)
    expect(actions.sort()).toEqual([
      'environment.create',
      'environment.delete',
      'org.create',
      'org.delete',
      'workspace.create',
      'workspace.delete',
    ])
  })

  it.each([
    ['an org twice', '/v1/orgs', { name: 'default' }, 409, 'already_exists'],
    ['a workspace of no org', '/v1/orgs/none/workspaces', { name: 'x' }, 404, 'org_unknown'],
    ['an environment of no org', '/v1/orgs/none/workspaces/none/environments', { name: 'x' }, 404, 'org_unknown'],
    ['an environment of no workspace', '/v1/orgs/default/workspaces/none/environments', { name: 'x' }, 404, 'workspace_unknown'],
    ['one with a bad name', '/v1/orgs', { name: 'A b' }, 400, 'invalid_request'],
    ['one with unknown fields', '/v1/orgs', { name: 'x', owner: 'me' }, 400, 'invalid_request'],
  ])('cannot be made: %s', async (_, path, body, status, reason) => {
    const answer = await test.call('POST', path, body)
    expect([answer.status, answer.body.reason]).toEqual([status, reason])
  })

  it.each([
    ['GET', '/v1/orgs/none/workspaces/x/servers', 'There is no org none.', 'mcpg-ctl get orgs'],
    ['POST', '/v1/orgs/none/workspaces/x/apply', 'There is no org none.', 'mcpg-ctl get orgs'],
    ['GET', '/v1/orgs/default/workspaces/x/gateways', 'There is no workspace default/x.', 'mcpg-ctl get workspaces --org default'],
    ['GET', '/v1/watch?scope=default/x', 'There is no workspace default/x.', 'mcpg-ctl get workspaces --org default'],
    ...['enrollments', 'gateways', 'gateways/g', 'gateways/g/configs'].flatMap((rest) => [
      ['GET', `/v1/orgs/none/workspaces/x/environments/y/${rest}`, 'There is no org none.', 'mcpg-ctl get orgs'],
      [
        'GET',
        `/v1/orgs/default/workspaces/x/environments/y/${rest}`,
        'There is no workspace default/x.',
        'mcpg-ctl get workspaces --org default',
      ],
      [
        'GET',
        `/v1/orgs/default/workspaces/default/environments/y/${rest}`,
        'There is no environment default/default/y.',
        'mcpg-ctl get environments --org default --workspace default',
      ],
    ]),
    [
      'POST',
      '/v1/orgs/default/workspaces/default/environments/y/enrollments',
      'There is no environment default/default/y.',
      'mcpg-ctl get environments --org default --workspace default',
    ],
    ['POST', '/v1/orgs/none/workspaces/x/environments/y/enrollments/e/revoke', 'There is no org none.', 'mcpg-ctl get orgs'],
  ])('that do not exist are named, with where to look: %s %s', async (method, path, detail, list) => {
    const body = method === 'GET' ? undefined : path.endsWith('apply') ? { objects: [] } : {}
    const answer = await test.call(method as 'GET', path, body)
    expect([answer.status, answer.body.detail]).toEqual([404, detail])
    expect(answer.body.hint).toContain(`; ${list} lists`)
  })

  it('of the same name in different places are different', async () => {
    await test.call('POST', '/v1/orgs', { name: 'other' })
    await test.call('POST', '/v1/orgs/other/workspaces', { name: 'default' })
    await test.call('POST', '/v1/orgs/default/workspaces/default/servers', {
      kind: 'Server',
      metadata: { name: 'here' },
      spec: { command: ['x'] },
    })
    expect((await test.call('GET', '/v1/orgs/other/workspaces/default/servers')).body.total).toBe(0)
    expect((await test.call('GET', '/v1/orgs/other/workspaces/default/servers/here')).status).toBe(404)
  })
})
