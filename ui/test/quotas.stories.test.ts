import type { Quotas } from '@mcpg/proto/rest/quotas'
import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FakeControlPlane } from './fake-control-plane.ts'
import { lowContrast } from './low-contrast.ts'
import { stories } from './story.ts'

const story = stories()
let cp: FakeControlPlane
let page: Page
beforeEach(() => {
  ;({ cp, page } = story)
})

const path = '/v1/orgs/default/quotas'
const gibibyte = 2 ** 30
const button = (name: string) => page.getByRole('button', { name, exact: true })
const dialog = () => page.getByRole('dialog')

const taken = (): Quotas => ({
  org: { limits: { gateways: 10 }, used: { gateways: 9, cpuMillicores: 2250, memoryBytes: 4.5 * gibibyte } },
  environments: [
    {
      workspace: 'main',
      environment: 'prod',
      limits: { cpuMillicores: 1000 },
      used: { gateways: 4, cpuMillicores: 1000, memoryBytes: 2 * gibibyte },
    },
  ],
})

/** `may` are the operations of the reader. */
function reading(quotas: Quotas, may = ['quotas', 'cluster-admin']): void {
  cp.knobs.onRead = (asked, search) => {
    if (asked === '/v1/access/can-i')
      return { status: 200, body: { allowed: may.includes(search.get('operation') ?? ''), below: true, subject: 'ada', place: {} } }
    if (asked === path) return { status: 200, body: quotas }
    return undefined
  }
}

describe('quotas', () => {
  it('are shown against what is taken, and set for the organization and for an environment', async () => {
    const quotas = taken()
    reading(quotas)
    cp.knobs.onWrite = ({ body }) => {
      const { org } = body as { org?: Quotas['org']['limits'] }
      if (org) quotas.org.limits = org
      return { status: 200, body: quotas }
    }
    await story.open('/quotas')
    expect(await page.getByRole('meter', { name: 'Gateways of default' }).getAttribute('aria-valuetext')).toBe('9 of 10 reserved')
    await page.getByText('2.25 CPU, not limited').waitFor()
    await button('Set limits…').click()
    await dialog().getByText('9 gateways taken').waitFor()
    await dialog().getByLabel('Most gateways').fill('5')
    await dialog().getByText('More is taken already: Gateways').waitFor()
    await dialog().getByLabel('Most CPUs').fill('4')
    await dialog().getByText('mcpg-ctl quota set --org default --gateways 5 --cpu-millicores 4000').waitFor()
    await button('Set').click()
    await page.getByRole('meter', { name: 'CPU of default' }).waitFor()
    await button('Set limits of main/prod').click()
    await dialog().getByLabel('Most CPUs').fill('')
    await dialog().getByLabel('Most memory in GiB').fill('8')
    await dialog().getByText('--workspace main --env prod --cpu-millicores unlimited --memory-bytes 8589934592').waitFor()
    await button('Set').click()
    await dialog().waitFor({ state: 'detached' })
    await button('Limit an environment…').click()
    await dialog().getByLabel('Environment').selectOption('us')
    await dialog().getByLabel('Most gateways').fill('0')
    await button('Set').click()
    await dialog().waitFor({ state: 'detached' })
    expect(cp.writes.map(({ method, body }) => [method, body])).toEqual([
      ['PUT', { org: { gateways: 5, cpuMillicores: 4000 } }],
      ['PUT', { environments: [{ workspace: 'main', environment: 'prod', limits: { memoryBytes: 8 * gibibyte } }] }],
      ['PUT', { environments: [{ workspace: 'default', environment: 'us', limits: { gateways: 0 } }] }],
    ])
  })

  it('are divided by whoever may do that, and only looked at by everybody else', async () => {
    reading(taken(), ['quotas'])
    await story.open('/quotas')
    await button('Set limits of main/prod').waitFor()
    await page.getByText('set by whoever runs the clusters').waitFor()
    expect(await button('Set limits…').count()).toBe(0)
    reading(taken(), ['provision'])
    await page.reload()
    await page.getByRole('meter', { name: 'CPU of main/prod' }).waitFor()
    expect(await page.getByRole('button', { name: /Set limits|Limit an environment/ }).count()).toBe(0)
  })

  it('that are refused say what is wrong at its field, and those that nobody shows say why', async () => {
    story.mayComplain = true
    reading(taken())
    const errors = [{ pointer: '/org/gateways', detail: 'must be at least 0' }]
    cp.knobs.onWrite = () => ({
      status: 400,
      body: { code: 'invalid', reason: 'invalid_request', detail: 'The request is not valid.', errors },
    })
    await story.open('/quotas')
    await button('Set limits…').click()
    await dialog().getByLabel('Most gateways').fill('-1')
    await button('Set').click()
    await dialog().getByText('must be at least 0').first().waitFor()
    expect(await dialog().getByLabel('Most gateways').getAttribute('aria-invalid')).toBe('true')
    const detail = 'ada may not do this: it needs the operation provision or quotas.'
    cp.knobs.onRead = (asked) => (asked === path ? { status: 403, body: { code: 'forbidden', reason: 'not_allowed', detail } } : undefined)
    await page.reload()
    await page.getByText(detail).waitFor()
  })

  it.each([false, true])('are readable and fit a phone (dark: %s)', async (dark) => {
    await story.reopen({ dark, width: 375 })
    ;({ page } = story)
    reading(taken())
    await story.open('/quotas')
    await page.getByRole('meter', { name: 'CPU of main/prod' }).waitFor()
    expect(await page.evaluate(lowContrast)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(375)
  })
})
