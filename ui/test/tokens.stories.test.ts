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

const token = (name: string, state: string) => {
  const one = server(name, [])
  return {
    ...one,
    kind: 'McpToken',
    metadata: { ...one.metadata, uid: `tok_${name}`, project: 'web' },
    spec: {},
    status: { state, createdBy: 'ada@example.com' },
  }
}

describe('tokens', () => {
  it('are shown once, and forgotten with the dialog', async () => {
    cp.put({ ...server('web', []), kind: 'Project', spec: {}, status: {} })
    cp.knobs.onWrite = () => ({ status: 201, body: { name: 'claude', id: 'tok_1', project: 'web', token: 'mcpg_pat_planted' } })
    await story.open('/tokens')
    await page.getByText('No token yet').waitFor()
    await page.getByRole('button', { name: 'Create a token' }).first().click()
    await page.getByRole('dialog').getByLabel('Name').fill('claude')
    await page.getByLabel('Who uses it').selectOption('web')
    await page.getByLabel('Lasts').selectOption('never')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByText('mcpg_pat_planted').waitFor()
    const { method, path, body } = cp.writes[0]!
    expect([method, path, body]).toEqual([
      'POST',
      '/v1/orgs/default/workspaces/default/projects/web/tokens',
      { name: 'claude', ttl: 'never' },
    ])
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await page.content()).not.toContain('mcpg_pat_planted')
  })

  it('are revoked after one question, and those that stopped have nothing to press', async () => {
    for (const [name, state] of [
      ['claude', 'active'],
      ['old', 'revoked'],
      ['older', 'revoked'],
    ] as const)
      cp.put(token(name, state))
    cp.knobs.onWrite = () => ({ status: 204, body: undefined })
    await story.open('/tokens')
    await page.getByRole('button', { name: 'Revoke claude' }).click()
    expect(cp.writes).toEqual([])
    expect(await page.getByRole('button', { name: 'Revoke old' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Revoke for ever' }).click()
    await until(() => cp.writes.length > 0)
    expect(cp.writes[0]!.path).toBe('/v1/orgs/default/tokens/tok_claude/revoke')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })
})
