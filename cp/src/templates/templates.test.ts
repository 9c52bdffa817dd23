import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { templateKind } from '@mcpg/proto/kinds/template'
import { testApp, type TestApp } from '../../test/app.ts'
import { holderOf } from '../../test/callers.ts'
import { threeWay } from './three-way.ts'

const base = '/v1/orgs/default/workspaces/default'
const first = {
  version: '1.0',
  parameters: [
    { name: 'root', type: 'string', enum: ['/data', '/srv'] },
    { name: 'limit', type: 'integer', default: 4 },
  ],
  server: { command: ['files', '{{root}}', '--log={{root}}.log'], maxSessions: '{{limit}}', callTimeout: '30s' },
}
const second = { ...first, version: '2.0', server: { ...first.server, command: ['files2', '{{root}}'], callTimeout: '20s' } }

let test: TestApp
let count = 0
let name = ''
beforeAll(async () => {
  test = await testApp()
  const spec = { versions: [first] }
  const { status, body } = await test.call('POST', `${base}/templates`, { kind: 'Template', metadata: { name: 'files' }, spec })
  if (status !== 201) throw new Error(JSON.stringify(body))
})
afterAll(() => test.close())
beforeEach(async () => {
  name = `made-${++count}`
  await test.call('PATCH', `${base}/templates/files`, { spec: { versions: [first] } })
})

const instantiate = (body: object) => test.call('POST', `${base}/templates/files/instantiate`, body)
const upgrade = (body: object) => test.call('POST', `${base}/servers/${name}/upgrade`, body)
const server = async () => (await test.call('GET', `${base}/servers/${name}`)).body

describe('a server from a template', () => {
  it('has the parameters with their types, and says where it comes from', async () => {
    expect((await instantiate({ name, parameters: { root: '/srv' } })).body.kind).toBe('Server')
    const { spec, metadata } = await server()
    expect(spec).toEqual({ command: ['files', '/srv', '--log=/srv.log'], maxSessions: 4, callTimeout: '30s' })
    expect(metadata.annotations['mcpg.dev/template']).toBe('files:1.0')
  })

  it('is refused with every parameter that is wrong', async () => {
    const { status, body } = await instantiate({ name, parameters: { root: '/etc', limit: 'many', other: 1 } })
    expect(status).toBe(400)
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/parameters/other',
      '/parameters/root',
      '/parameters/limit',
    ])
    expect((await instantiate({ name })).body.errors).toEqual([{ pointer: '/parameters/root', detail: 'is needed: it has no default' }])
    expect((await instantiate({ name, version: '9', parameters: { root: '/srv' } })).body.reason).toBe('template_version_unknown')
  })

  it('needs the right to create that server, whatever may be done with the template', async () => {
    const resource = (await test.call('GET', `${base}/templates/files`)).body
    const scope = { org: 'default', workspace: 'default' }
    const caller = holderOf(
      { place: scope, verbs: ['view'], on: 'templates' },
      { place: scope, verbs: ['create'], on: 'servers', names: ['files'] },
    )
    const body = { name, parameters: { root: '/srv' } }
    const act = test.app.resources.act(caller, templateKind, scope, resource.metadata.name, 'instantiate', body)
    await expect(act).rejects.toMatchObject({ code: 'forbidden' })
    expect((await test.call('GET', `${base}/servers/${name}`)).status).toBe(404)
  })

  it('is only shown by a dry run', async () => {
    expect((await instantiate({ name, parameters: { root: '/srv' }, dryRun: true })).status).toBe(200)
    expect((await test.call('GET', `${base}/servers/${name}`)).status).toBe(404)
  })
})

describe('an upgrade', () => {
  beforeEach(async () => {
    await instantiate({ name, parameters: { root: '/srv' } })
    await test.call('PATCH', `${base}/templates/files`, { spec: { versions: [first, second] } })
  })

  it('takes what the template changed and keeps what was changed here', async () => {
    await test.call('PATCH', `${base}/servers/${name}`, { spec: { maxSessions: 9, cwd: '/srv' } })
    const plan = await upgrade({ dryRun: true })
    expect(plan.body).toMatchObject({ dryRun: true, from: '1.0', to: '2.0', conflicts: [] })
    expect((await server()).spec.command[0]).toBe('files')
    expect((await upgrade({})).body.diffs).toEqual(plan.body.diffs)
    const { spec, metadata } = await server()
    expect(spec).toEqual({ command: ['files2', '/srv'], maxSessions: 9, cwd: '/srv', callTimeout: '20s' })
    expect(metadata.annotations['mcpg.dev/template']).toBe('files:2.0')
  })

  it('changes nothing where both sides changed the same field, and names it', async () => {
    await test.call('PATCH', `${base}/servers/${name}`, { spec: { callTimeout: '99s' } })
    const { status, body } = await upgrade({})
    expect([status, body.reason]).toEqual([409, 'upgrade_conflicts'])
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/spec/callTimeout'])
    expect((await server()).spec.command[0]).toBe('files')
    expect((await upgrade({ dryRun: true })).body.conflicts).toHaveLength(1)
  })

  it('needs a server that says its template', async () => {
    await test.call('PATCH', `${base}/servers/${name}`, { metadata: { annotations: { 'mcpg.dev/template': null } } })
    expect((await upgrade({})).body.reason).toBe('not_from_template')
  })
})

it('refuses a template whose placeholders, defaults or versions do not fit', async () => {
  const versions = [
    { version: '1', parameters: [{ name: 'a', type: 'integer', default: 'x' }], server: { command: ['{{b}}'] } },
    { version: '1', server: { command: ['x'] } },
  ]
  const { body } = await test.call('POST', `${base}/templates`, { metadata: { name: 'bad' }, spec: { versions } })
  expect(body.errors).toEqual([
    { pointer: '/spec/versions/0/parameters/0/default', detail: 'must be an integer' },
    { pointer: '/spec/versions/0/server', detail: '{{b}} is no parameter' },
    { pointer: '/spec/versions/1/version', detail: '1 is given twice' },
  ])
})

describe('three-way', () => {
  it('merges objects by key and takes lists whole', () => {
    const merged = threeWay({ a: { x: 1, y: 1 }, list: [1] }, { a: { x: 2, y: 1 }, list: [1] }, { a: { x: 1, y: 3 }, list: [2] })
    expect(merged).toEqual({ value: { a: { x: 2, y: 3 }, list: [2] }, conflicts: [] })
  })

  it('removes what one side removed and the other left alone', () => {
    expect(threeWay({ a: 1, b: 1 }, { a: 1 }, { b: 1 }).value).toEqual({})
  })

  it('says where one side removed what the other changed', () => {
    expect(threeWay({ a: 1 }, {}, { a: 2 }).conflicts).toEqual(['/a'])
  })
})
