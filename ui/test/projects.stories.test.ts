import type { Page } from 'playwright-core'
import { beforeEach, expect, it } from 'vitest'
import type { FakeControlPlane } from './fake-control-plane.ts'
import { server, tool } from './fleet.ts'
import { stories } from './story.ts'

const story = stories()
let cp: FakeControlPlane
let page: Page
beforeEach(() => {
  ;({ cp, page } = story)
})

const url = 'http://127.0.0.1:7845/mcp/projects/web'
const project = (spec: object, status: object) => ({
  ...server('web', []),
  kind: 'Project',
  spec: { servers: ['files'], ...spec },
  status: { observedGeneration: 1, links: [], gateways: [], conditions: [], ...status },
})

it('a project says what it shows, which links lead nowhere, and how clients get there', async () => {
  cp.put(tool('files', 'read'))
  cp.put(tool('files', 'write'))
  cp.put(tool('other', 'read'))
  const prompts = [
    { name: 'low', content: 'x', priority: 1 },
    { name: 'far', link: 'docs/wiki:wiki://start', priority: 9 },
  ]
  const links = [{ prompt: 'far', link: 'docs/wiki:wiki://start', health: 'project-missing', message: 'There is no Project docs.' }]
  const gateways = [{ gateway: 'edge-1', environment: 'default', servers: ['files'], url }]
  cp.put(project({ tools: { deny: ['*__write'] }, prompt: 'Be brief.', prompts }, { links, gateways }))
  await story.open('/projects')
  await page.getByRole('link', { name: 'web' }).click()
  await page.getByText('Be brief.').waitFor()
  const rows = async (table: string) => await page.getByRole('table', { name: table }).getByRole('row').allInnerTexts()
  await page.getByRole('link', { name: 'files__write' }).waitFor()
  expect((await rows('Tools')).slice(1).map((text) => text.split('\t').slice(0, 2))).toEqual([
    ['files__read', 'shown'],
    ['files__write', 'hidden'],
  ])
  expect((await rows('Prompts'))[1]).toContain('There is no Project docs.')
  await page.getByText(url).waitFor()
  await page.getByText('mcpg-ctl project connect cursor -p web --write').waitFor()
})

it('one that no gateway serves says so', async () => {
  cp.put(project({ servers: [] }, {}))
  await story.open('/projects/web')
  await page.getByText('Served nowhere now').waitFor()
})

it('a proposed prompt is approved as it was read, or rejected with a reason', async () => {
  const inProject = (kind: string, name: string, spec: Record<string, unknown>, status: Record<string, unknown>) => {
    const one = server(name, [])
    return { ...one, kind, metadata: { ...one.metadata, uid: `${kind}-${name}`, project: 'web' }, spec, status }
  }
  const greet = inProject('PromptRequest', 'greet', { content: 'Say hello.', reason: 'Manners.' }, { state: 'open', replaces: false })
  cp.put(project({}, {}))
  cp.put(inProject('Prompt', 'rules', { content: 'None.', priority: 10 }, {}))
  cp.put(greet)
  await story.open('/projects/web')
  await page.getByRole('table', { name: 'Prompts', exact: true }).getByText('rules').waitFor()
  await page.getByRole('button', { name: 'Review greet' }).click()
  await page.getByText('Say hello.').waitFor()
  await page.getByLabel('Why it is rejected').fill('Too short.')
  await page.getByRole('button', { name: 'Reject' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  cp.put({ ...greet, status: { state: 'rejected', rejectedFor: 'Too short.', replaces: false } })
  await page.getByText('rejected: Too short.').waitFor()
  await page.getByRole('button', { name: 'Review greet' }).click()
  await page.getByRole('button', { name: 'Approve', exact: true }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const at = '/v1/orgs/default/workspaces/default/projects/web/promptrequests/greet'
  expect(cp.writes.map(({ path, body }) => [path, body])).toEqual([
    [`${at}/reject`, { resourceVersion: '1', reason: 'Too short.' }],
    [`${at}/approve`, { resourceVersion: '1' }],
  ])
})
