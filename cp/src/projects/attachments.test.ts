import { afterAll, beforeAll, expect, it } from 'vitest'
import { serverAttachmentKind } from '@mcpg/proto/kinds/server-attachment'
import { holderOf } from '../../test/callers.ts'
import { testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
beforeAll(async () => {
  fleet = await testFleet()
  await fleet.join('edge-1')
  await fleet.apply({ name: 'files', command: ['files'] }, { name: 'other', command: ['other'] })
  await put('web', { servers: ['files'], serverOverrides: { files: { instructions: 'Read.' } } })
})
afterAll(() => fleet.close())

const put = (name: string, spec: object) =>
  fleet.call('PUT', `${workspace}/projects/${name}`, { metadata: { name }, spec }).then(async (answer) => {
    if (answer.status === 404) await fleet.call('POST', `${workspace}/projects`, { metadata: { name }, spec })
  })
const attach = (...servers: string[]) => ({
  objects: servers.map((name) => ({ kind: 'ServerAttachment', metadata: { name, project: 'web' }, spec: {} })),
})
const apply = (request: object, query = '') => fleet.call('POST', `${workspace}/apply${query}`, request)
const servers = async () => (await fleet.call('GET', `${workspace}/projects/web`)).body.spec.servers

it('is listed for each server of each project, with the gateways that run it there', async () => {
  await until(async () => (await fleet.call('GET', `${workspace}/projects/web/serverattachments/files`)).body.status.gateways.length > 0)
  const { items } = (await fleet.call('GET', `${workspace}/serverattachments`)).body
  expect(items).toMatchObject([{ metadata: { name: 'files', project: 'web' }, spec: {}, status: { gateways: ['edge-1'] } }])
  expect((await fleet.call('GET', `${workspace}/projects/web/serverattachments/other`)).status).toBe(404)
})

it('is applied to the project, and shown by a plan as the change of that', async () => {
  const change = { kind: 'Project', name: 'web', result: 'configured', diffs: [{ path: '/spec/servers/1' }] }
  expect((await apply(attach('other'), '?dryRun=true')).body.results).toMatchObject([change])
  expect(await servers()).toEqual(['files'])
  expect((await apply(attach('other'))).body.results).toMatchObject([change])
  expect(await servers()).toEqual(['files', 'other'])
  expect((await apply(attach('other', 'files'))).body.results).toMatchObject([{ result: 'unchanged' }])
})

it('is taken off by deleting it, with what the project said of the server', async () => {
  const remove = (name: string) => fleet.call('DELETE', `${workspace}/projects/web/serverattachments/${name}`)
  expect((await remove('files')).status).toBe(204)
  expect((await fleet.call('GET', `${workspace}/projects/web`)).body.spec).toEqual({ servers: ['other'], serverOverrides: {} })
  expect((await remove('files')).status).toBe(404)
})

it('goes with a project of the same request, and is refused with every violation', async () => {
  const project = { kind: 'Project', metadata: { name: 'web' }, spec: { servers: ['other'] } }
  expect((await apply({ objects: [project, ...attach('files').objects] })).status).toBe(200)
  expect(await servers()).toEqual(['other', 'files'])
  const unnamed = { kind: 'ServerAttachment', metadata: { name: 'files' }, spec: {} }
  expect((await apply({ objects: [unnamed, { ...unnamed, metadata: { project: 'web' } }] })).body.errors).toMatchObject([
    { pointer: '/objects/0/metadata/project' },
    { pointer: '/objects/1/metadata/name' },
  ])
  expect((await apply(attach('nobody'))).body.reason).toBe('reference_missing')
})

it('is told to watchers as it comes and goes', async () => {
  const told: string[] = []
  fleet.app().changes.onChange(({ kind, type, scope, name }) => void (kind === 'ServerAttachment' && told.push(`${type} ${scope} ${name}`)))
  await put('watched', { servers: ['files'] })
  await put('watched', { servers: ['other'] })
  await fleet.call('DELETE', `${workspace}/projects/watched`)
  const at = 'default/default/proj/watched'
  expect(told).toEqual([`ADDED ${at} files`, `DELETED ${at} files`, `ADDED ${at} other`, `DELETED ${at} other`])
})

it('needs the right to change the project', async () => {
  const scope = { org: 'default', workspace: 'default' }
  const seesAll = { place: scope, verbs: ['view', 'delete'] as const, on: '*' }
  const caller = holderOf({ ...seesAll, verbs: [...seesAll.verbs] })
  const { resources } = fleet.app()
  const at = { ...scope, project: 'web' }
  await expect(resources.remove(caller, serverAttachmentKind, at, 'other')).rejects.toMatchObject({ code: 'forbidden' })
  await expect(resources.apply(caller, scope, attach('files'))).resolves.toMatchObject({ results: [{ result: 'unchanged' }] })
  await put('web', { servers: ['other'] })
  await expect(resources.apply(caller, scope, attach('files'))).rejects.toMatchObject({ code: 'forbidden' })
})
