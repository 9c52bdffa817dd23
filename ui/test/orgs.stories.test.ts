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

describe('organizations, workspaces and environments', () => {
  it('are listed level by level, and one is made where the page is', async () => {
    await story.open('/orgs?ws=acme/shop')
    await page.getByRole('table', { name: 'Environments' }).getByRole('link', { name: 'us' }).waitFor()
    await page.getByRole('button', { name: 'Create an environment' }).click()
    await page.getByLabel('Name').fill('eu')
    await page.getByLabel('What people call it').fill('Europe')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await until(() => cp.writes.length > 0)
    const { method, path, body } = cp.writes[0]!
    expect([method, path, body]).toEqual(['POST', '/v1/orgs/acme/workspaces/shop/environments', { name: 'eu', displayName: 'Europe' }])
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  it('fit a phone: every button is whole', async () => {
    await story.reopen({ width: 390 })
    ;({ page } = story)
    await story.open('/orgs?ws=acme/shop')
    await page.getByRole('table', { name: 'Environments' }).getByRole('link', { name: 'us' }).waitFor()
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll('main button, main button *')]
        .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > document.documentElement.clientWidth)
        .filter((one) => !(one instanceof SVGElement) && one.clientWidth > 0)
        .map((one) => one.textContent),
    )
    expect(cut).toEqual([])
    expect(await page.getByRole('button', { name: /^Create / }).count()).toBe(3)
  })

  it('change what the page shows, and say what keeps one from being deleted', async () => {
    story.mayComplain = true
    const detail = 'The environment default/default/us is not empty: gateway edge-1.'
    cp.knobs.onWrite = () => ({ status: 409, body: { code: 'conflict', reason: 'not_empty', detail } })
    await story.open('/orgs')
    await page.getByRole('table', { name: 'Environments' }).getByRole('link', { name: 'us' }).click()
    await page.waitForURL(/env=us/)
    await page.getByRole('button', { name: 'Delete environment us' }).click()
    await page.getByRole('button', { name: 'Delete it' }).click()
    await page.getByText(detail).waitFor()
    expect(cp.writes[0]).toMatchObject({ method: 'DELETE', path: '/v1/orgs/default/workspaces/default/environments/us' })
  })
})
