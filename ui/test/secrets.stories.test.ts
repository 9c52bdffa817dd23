import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FakeControlPlane } from './fake-control-plane.ts'
import { server } from './fleet.ts'
import { stories, until } from './story.ts'

const story = stories()
let cp: FakeControlPlane
let page: Page
beforeEach(() => {
  ;({ cp, page } = story)
})

const at = '2026-01-01T00:00:00.000Z'
const secret = (version: number) => ({
  ...server('github', []),
  kind: 'Secret',
  spec: { data: { token: { keep: true } } },
  status: {
    observedGeneration: version,
    keys: [{ key: 'token', version, updatedAt: at }],
    usedBy: [{ kind: 'Server', name: 'uses-it', keys: ['token'] }],
  },
})

describe('secrets', () => {
  it('are written and never read back: a new value leaves with one request', async () => {
    cp.put(secret(1))
    await story.open('/secrets')
    await page.getByRole('link', { name: 'github' }).click()
    await page.getByRole('link', { name: 'uses-it' }).waitFor()
    await page.getByRole('button', { name: 'Rotate token' }).click()
    await page.getByLabel('Value').fill('planted-value')
    await page.getByRole('button', { name: 'Rotate', exact: true }).click()
    await until(() => cp.writes.length > 0)
    const write = cp.writes[0]!
    expect([write.method, write.body]).toEqual(['PATCH', { spec: { data: { token: 'planted-value' } } }])
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await page.content()).not.toContain('planted-value')
  })

  it('show a value only after it was asked for twice, and forget it with the dialog', async () => {
    cp.put(secret(1))
    cp.knobs.onWrite = () => ({ status: 200, body: { name: 'github', values: [{ key: 'token', version: 1, value: 'planted-value' }] } })
    await story.open('/secrets/github')
    await page.getByRole('button', { name: 'Show token' }).click()
    expect(cp.writes).toEqual([])
    await page.getByRole('button', { name: 'Show the value' }).click()
    await page.getByText('planted-value').waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    expect(await page.content()).not.toContain('planted-value')
  })

  it('say who keeps one from being deleted', async () => {
    cp.put(secret(1))
    story.mayComplain = true
    const detail = 'key token of Secret github is used by Server uses-it.'
    cp.knobs.onWrite = () => ({ status: 409, body: { code: 'conflict', reason: 'still_referenced', detail } })
    await story.open('/secrets/github')
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByRole('button', { name: 'Delete it' }).click()
    await page.getByText(detail).waitFor()
  })

  it('offer no more than their reader may do', async () => {
    cp.put(secret(1))
    cp.knobs.onRead = (path, search) =>
      path === '/v1/access/can-i' ? { status: 200, body: { allowed: search.get('verb') === 'edit', subject: 'ada', place: {} } } : undefined
    await story.open('/secrets/github')
    await page.getByRole('button', { name: 'Rotate token' }).waitFor()
    expect(await page.getByRole('button', { name: /Show token|Delete/ }).count()).toBe(0)
    await story.open('/secrets')
    await page.getByRole('link', { name: 'github' }).waitFor()
    expect(await page.getByRole('button', { name: 'Create a secret' }).count()).toBe(0)
  })
})
