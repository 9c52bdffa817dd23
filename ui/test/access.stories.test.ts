import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FakeControlPlane } from './fake-control-plane.ts'
import { stories, until } from './story.ts'

const story = stories()
let cp: FakeControlPlane
let page: Page
beforeEach(() => {
  ;({ cp, page } = story)
})

const at = '2026-01-01T00:00:00Z'
const object = (kind: string, name: string, spec: object, status: object = {}) => ({
  kind,
  metadata: { name, uid: name, labels: {}, annotations: {}, generation: 1, resourceVersion: '1', createdAt: at, updatedAt: at },
  spec,
  status,
})
const binding = object(
  'RoleBinding',
  'devs',
  { role: 'editor', subjects: [{ kind: 'Group', name: 'dev' }], workspace: 'gone' },
  { missing: 'workspace gone' },
)
const eve = object(
  'User',
  'eve@example.com',
  { displayName: 'Eve' },
  {
    account: true,
    platformAdmin: false,
    groups: ['dev'],
    access: [{ binding: 'devs', role: 'editor', workspace: 'gone', through: ['dev'] }],
  },
)
const role = object('Role', 'release', { rules: [{ verbs: ['run'], kinds: ['servers'], names: ['files'] }] })

function answers(): void {
  cp.knobs.onRead = (path) => {
    const items = { rolebindings: [binding], users: [eve], roles: [role] }[path.split('/').at(-1)!]
    if (items) return { status: 200, body: { items } }
    if (path === '/v1/access/can-i') return { status: 200, body: { allowed: true, subject: 'local', place: {}, only: ['files'] } }
    if (path === '/v1/access/who-may')
      return {
        status: 200,
        body: {
          items: [
            { kind: 'User', name: 'ada@example.com' },
            { kind: 'Group', name: 'dev', binding: 'devs', role: 'editor' },
          ],
        },
      }
    return undefined
  }
}

describe('who may do what', () => {
  it('is shown by binding, by person with the way, and by role', async () => {
    answers()
    await story.open('/access')
    await page.getByRole('table', { name: 'Who has which role' }).getByText('gone (there is no workspace gone)').waitFor()
    await page.getByRole('table', { name: 'People' }).getByText('editor in gone by dev').waitFor()
    const roles = page.getByRole('table', { name: 'Roles' })
    await roles.getByText('run servers (files)').waitFor()
    await roles.getByText('viewer', { exact: true }).waitFor()
  })

  it('is asked for as the control plane would decide', async () => {
    answers()
    await story.open('/access')
    await page.getByRole('button', { name: 'Ask' }).click()
    await page.getByText('Yes, you may, but only files.').waitFor()
    await page.getByText('ada@example.com (platform admin)').waitFor()
    await page.getByText('dev by editor (devs)').waitFor()
  })

  it('is changed by giving a role and taking it away, and a refusal is told', async () => {
    answers()
    await story.open('/access')
    await page.getByRole('button', { name: 'Give a role' }).click()
    await page.getByLabel('E-mail').fill('Bob@Example.com')
    await page.getByRole('button', { name: 'Give it' }).click()
    await until(() => cp.writes.length > 0)
    expect(cp.writes[0]).toMatchObject({
      method: 'POST',
      path: '/v1/orgs/default/rolebindings',
      body: {
        kind: 'RoleBinding',
        metadata: { name: 'bob-example-com-viewer-default' },
        spec: { role: 'viewer', subjects: [{ kind: 'User', name: 'bob@example.com' }], workspace: 'default' },
      },
    })
    story.mayComplain = true
    const detail = 'eve@example.com may not do this: it needs delete on rolebindings.'
    cp.knobs.onWrite = () => ({ status: 403, body: { code: 'forbidden', reason: 'not_allowed', detail } })
    await page.getByRole('button', { name: 'Take away devs' }).click()
    await page.getByRole('button', { name: 'Take it away' }).click()
    await page.getByText(detail).waitFor()
  })
})

describe('acting for somebody else', () => {
  const me = { kind: 'user', subject: 'ada@example.com', groups: [], platformAdmin: true }

  it('begins at a person, is in the header for its whole time, and ends there', async () => {
    answers()
    const read = cp.knobs.onRead
    let who: object = me
    cp.knobs.onRead = (path, search) => {
      if (path === '/v1/auth/me') return { status: 200, body: who }
      return path === '/v1/auth/status' ? { status: 200, body: { mode: 'local', needsSetup: false } } : read(path, search)
    }
    await story.open('/access')
    const begin = page.getByRole('button', { name: 'Act as eve@example.com' })
    await begin.waitFor()
    who = { ...me, subject: 'eve@example.com', impersonator: 'ada@example.com', platformAdmin: false }
    await begin.click()
    const end = page.getByRole('button', { name: 'ada@example.com as eve@example.com: end' })
    await end.waitFor()
    expect(cp.writes[0]).toMatchObject({ path: '/v1/auth/impersonate', body: { user: 'eve@example.com', org: 'default' } })
    who = me
    await end.click()
    await page.getByRole('button', { name: 'Account: ada@example.com' }).waitFor()
    expect(await end.count()).toBe(0)
    expect(cp.writes[1]).toMatchObject({ method: 'DELETE', path: '/v1/auth/impersonate' })
  })
})
