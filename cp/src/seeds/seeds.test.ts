import { afterEach, beforeEach, expect, it } from 'vitest'
import { testApp, type TestApp } from '../../test/app.ts'

const base = '/v1/orgs/default/workspaces/default'
let test: TestApp
beforeEach(async () => {
  test = await testApp()
  await start()
})
afterEach(() => test.close())

const start = async () => {
  await test.app.parts.find(({ name }) => name === 'seeds')!.start(() => {})
}
const get = async (path: string) => await test.call('GET', `${base}/${path}`)
const names = async (path: string) => (await get(path)).body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)

it('gives the first workspace a project with system prompts, and templates, once', async () => {
  expect(await names('projects')).toEqual(['default'])
  expect(await names('projects/default/prompts')).toEqual(['gate-encouragement', 'gate-instructions', 'session-greeting'])
  expect(await names('templates')).toEqual(['everything', 'fetch', 'filesystem', 'github', 'memory', 'time'])
  const { resourceVersion } = (await get('projects/default')).body.metadata
  await start()
  expect((await get('projects/default')).body.metadata.resourceVersion).toBe(resourceVersion)
})

it('brings a system prompt back when it is deleted, at once', async () => {
  const path = 'projects/default/prompts/gate-instructions'
  const original = (await get(path)).body.spec
  await test.call('PATCH', `${base}/${path}`, { spec: { content: 'Mine.' } })
  expect((await get(path)).body.spec.content).toBe('Mine.')
  const planned = await test.call('DELETE', `${base}/${path}?dryRun=true`)
  expect([planned.status, planned.body.spec]).toEqual([200, original])
  expect((await get(path)).body.spec.content).toBe('Mine.')
  const { status, body } = await test.call('DELETE', `${base}/${path}`)
  expect([status, body.spec]).toEqual([200, original])
  expect((await get(path)).body.spec).toEqual(original)
  await test.call('POST', `${base}/projects/default/prompts`, { metadata: { name: 'mine' }, spec: { content: 'x' } })
  expect((await test.call('DELETE', `${base}/projects/default/prompts/mine`)).status).toBe(204)
  expect((await get('projects/default/prompts/mine')).status).toBe(404)
})

it('prunes a system prompt to its original, and leaves the others as they are', async () => {
  const original = (await get('projects/default/prompts/gate-instructions')).body.spec
  await test.call('PATCH', `${base}/projects/default/prompts/gate-instructions`, { spec: { content: 'Mine.' } })
  await test.call('POST', `${base}/projects/default/prompts`, { metadata: { name: 'old' }, spec: { content: 'x' } })
  const objects = [{ kind: 'Prompt', metadata: { name: 'fresh', project: 'default' }, spec: { content: 'y' } }]
  const { body } = await test.call('POST', `${base}/apply`, { objects, prune: '!keep' })
  expect(body.results.map(({ name, result }: { name: string; result: string }) => [name, result])).toEqual([
    ['fresh', 'created'],
    ['gate-instructions', 'configured'],
    ['old', 'deleted'],
  ])
  expect((await get('projects/default/prompts/gate-instructions')).body.spec).toEqual(original)
  expect(await names('projects/default/prompts')).toEqual(['fresh', 'gate-encouragement', 'gate-instructions', 'session-greeting'])
})

it('leaves alone what somebody changed or deleted, and renews what nobody touched', async () => {
  await test.call('PATCH', `${base}/templates/fetch`, { spec: { description: 'Ours.' } })
  await test.call('DELETE', `${base}/templates/time`)
  expect((await test.call('DELETE', `${base}/projects/default?cascade=true`)).status).toBe(204)
  // As if an older version had written something else.
  await test.app.db.write(async (tx) => {
    const fact = await tx.fact.findUniqueOrThrow({ where: { key: 'seeds' } })
    const known = Object.fromEntries(Object.keys(JSON.parse(fact.value) as object).map((id) => [id, 'older']))
    const { uid, spec } = await tx.resource.findFirstOrThrow({ where: { kind: 'Template', name: 'memory' } })
    const older = JSON.stringify({ ...(JSON.parse(spec) as object), description: 'Older.' })
    await tx.resource.update({ where: { uid }, data: { digest: 'older', spec: older } })
    await tx.fact.update({ where: { key: 'seeds' }, data: { value: JSON.stringify(known) } })
  })
  await start()
  expect((await get('templates/fetch')).body.spec.description).toBe('Ours.')
  expect(await names('templates')).not.toContain('time')
  expect(await names('projects')).toEqual([])
  expect((await get('templates/memory')).body.spec.description).toMatch(/^A knowledge graph/)
})

it.each([
  ['filesystem', { folder: '/data' }],
  ['memory', { file: '/data/memory.json' }],
  ['fetch', {}],
  ['time', { zone: 'Europe/Berlin' }],
  ['everything', {}],
  ['github', {}],
])('makes a server that is valid of the template %s', async (template, parameters) => {
  await test.call('POST', `${base}/secrets`, { metadata: { name: 'github' }, spec: { data: { authorization: 'planted-1' } } })
  const { status, body } = await test.call('POST', `${base}/templates/${template}/instantiate`, { name: 'made', parameters })
  expect([status, body.errors]).toEqual([200, undefined])
  expect(JSON.stringify((await get('servers/made')).body.spec)).not.toContain('{{')
})
