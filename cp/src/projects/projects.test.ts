import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { promptRequestKind } from '@mcpg/proto/kinds/prompt-request'
import { holderOf } from '../../test/callers.ts'
import { testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
beforeAll(async () => {
  fleet = await testFleet()
  await fleet.join('edge-1')
  await fleet.apply({ name: 'files', command: ['files'] })
})
afterAll(() => fleet.close())

const put = (name: string, spec: object) => fleet.call('POST', `${workspace}/projects`, { kind: 'Project', metadata: { name }, spec })
const propose = (plural: string, name: string, spec: object, project = 'prompting') =>
  fleet.call('POST', `${workspace}/projects/${project}/${plural}`, { metadata: { name }, spec })
const get = (path: string) => fleet.call('GET', `${workspace}/projects/${path}`)
const errorsOf = async (name: string, spec: object) =>
  ((await put(name, spec)).body.errors as { pointer: string }[]).map((one) => one.pointer)

it('is refused with every violation at its place', async () => {
  expect(
    await errorsOf('bad', {
      servers: ['a', 'a'],
      serverOverrides: { b: {} },
      tools: { allow: [''] },
      prompts: [{ name: 'p' }, { name: 'q', link: 'no-link' }, { name: 'r', content: 'x', priority: 11 }],
      unheard: 1,
    }),
  ).toEqual(expect.arrayContaining(['/spec/unheard', '/spec/tools/allow/0', '/spec/prompts/1/link', '/spec/prompts/2/priority']))
  expect(await errorsOf('bad', { serverOverrides: { b: {} } })).toEqual(['/spec/serverOverrides/b'])
  expect(await errorsOf('bad', { servers: ['nobody'] })).toEqual(['/spec/servers/0'])
})

it('holds the servers that it names', async () => {
  await put('holding', { servers: ['files'] })
  const { status, body } = await fleet.call('DELETE', `${workspace}/servers/files`)
  expect([status, body.reason]).toEqual([409, 'still_referenced'])
  expect((await fleet.call('DELETE', `${workspace}/projects/holding`)).status).toBe(204)
})

it('tells the health of every link', async () => {
  await put('target', { servers: ['files'] })
  await put('empty', {})
  await put('linking', {
    servers: ['files'],
    prompts: [
      { name: 'good', link: 'target/files:file:///a' },
      { name: 'nowhere', link: 'none/files:file:///a' },
      { name: 'without', link: 'empty/files:file:///a' },
    ],
  })
  const healths = async () => ((await get('linking')).body.status.links as { health: string }[]).map(({ health }) => health)
  await until(async () => (await healths())[0] === 'ok')
  expect(await healths()).toEqual(['ok', 'project-missing', 'server-missing'])
})

it('answers what a client needs, and says where nobody serves it', async () => {
  await put('told', { servers: ['files'], instructions: 'Hello.', prompt: 'Be brief.' })
  expect((await get('told/instructions')).body).toEqual({ project: 'told', instructions: 'Hello.', prompt: 'Be brief.' })
  await until(async () => (await get('told/mcp-config')).status === 200)
  expect((await get('told/mcp-config')).body).toEqual({
    mcpServers: { told: { type: 'http', url: 'http://127.0.0.1:7845/mcp/projects/told' } },
  })
  await put('unserved', {})
  const { status, body } = await get('unserved/mcp-config')
  expect([status, body.reason]).toEqual([409, 'project_unserved'])
  expect((await get('told/mcp-config?gateway=nobody')).body.reason).toBe('project_unserved')
  expect((await get('nothing/instructions')).status).toBe(404)
})

describe('a prompt that is an object', () => {
  beforeAll(async () => {
    await put('prompting', { servers: ['files'], prompts: [{ name: 'both', content: 'old', priority: 9 }] })
    await propose('prompts', 'both', { content: 'new', priority: 2 })
    await propose('prompts', 'far', { link: 'nowhere/files:x:///a', priority: 8 })
  })

  it('tells the health of its link, and its project tells it too', async () => {
    expect((await get('prompting/prompts/far')).body.status).toEqual({
      observedGeneration: 1,
      link: { health: 'project-missing', message: 'There is no Project nowhere.' },
    })
    const { prompts, links } = (await get('prompting')).body.status
    expect(prompts).toEqual([
      { name: 'far', priority: 8, from: 'object' },
      { name: 'both', priority: 2, from: 'object' },
    ])
    expect(links).toMatchObject([{ prompt: 'far', health: 'project-missing' }])
  })

  it('says so to watchers when the project that it links to comes', async () => {
    const told = new Set<string>()
    fleet.app().changes.onChange(({ type, kind, name }) => void (type === 'STATUS' && told.add(`${kind}/${name}`)))
    await put('nowhere', { servers: ['files'] })
    await until(async () => told.has('Prompt/far') && told.has('Project/prompting'))
    await until(async () => (await get('prompting/prompts/far')).body.status.link.health === 'ok')
  })
})

describe('a proposed prompt', () => {
  const review = (name: string, verdict: string, body: object = {}) =>
    fleet.call('POST', `${workspace}/projects/reviewed/promptrequests/${name}/${verdict}`, body)
  const at = { org: 'default', workspace: 'default', project: 'reviewed' }
  beforeAll(() => put('reviewed', { servers: ['files'] }))

  it('becomes the prompt when it is approved, and is gone', async () => {
    await propose('promptrequests', 'hello', { content: 'Hello.', priority: 7, reason: 'Manners.' }, 'reviewed')
    expect((await get('reviewed/promptrequests/hello')).body.status).toMatchObject({ state: 'open', replaces: false })
    const { status, body } = await review('hello', 'approve')
    expect([status, body.kind, body.spec]).toEqual([200, 'Prompt', { content: 'Hello.', priority: 7 }])
    expect((await get('reviewed/prompts/hello')).body.spec).toEqual({ content: 'Hello.', priority: 7 })
    expect((await get('reviewed/promptrequests/hello')).status).toBe(404)
  })

  it('stays when it is rejected, with the reason, and may still be approved', async () => {
    await propose('promptrequests', 'hello', { content: 'Hi.' }, 'reviewed')
    expect((await review('hello', 'reject', {})).body.errors).toMatchObject([{ pointer: '/reason' }])
    expect((await review('hello', 'reject', { reason: 'Too short.' })).body.status).toMatchObject({
      state: 'rejected',
      rejectedFor: 'Too short.',
      replaces: true,
    })
    expect((await get('reviewed/prompts/hello')).body.spec.content).toBe('Hello.')
    expect((await review('hello', 'approve')).body).toMatchObject({ spec: { content: 'Hi.' }, metadata: { annotations: {} } })
  })

  it('is approved only as it was read', async () => {
    await propose('promptrequests', 'moving', { content: 'One.' }, 'reviewed')
    const { resourceVersion } = (await get('reviewed/promptrequests/moving')).body.metadata
    await fleet.call('PATCH', `${workspace}/projects/reviewed/promptrequests/moving`, { spec: { content: 'Two.' } })
    expect((await review('moving', 'approve', { resourceVersion })).status).toBe(412)
    expect((await review('moving', 'reject', { reason: 'No.', resourceVersion })).status).toBe(412)
    expect((await get('reviewed/prompts/moving')).status).toBe(404)
  })

  it('is written by nobody who may not write the prompt, and then the request stays', async () => {
    await propose('promptrequests', 'private', { content: 'x' }, 'reviewed')
    const caller = holderOf(
      { place: at, verbs: ['edit'], on: 'promptrequests' },
      { place: at, verbs: ['create'], on: 'prompts', names: ['other'] },
    )
    const approved = fleet.app().resources.act(caller, promptRequestKind, at, 'private', 'approve', {})
    await expect(approved).rejects.toMatchObject({ code: 'forbidden' })
    expect((await get('reviewed/promptrequests/private')).body.status.state).toBe('open')
    expect((await get('reviewed/prompts/private')).status).toBe(404)
  })
})
