import type { Domain } from '@mcpg/proto/rest/domains'
import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FakeControlPlane } from './fake-control-plane.ts'
import { ago } from './fleet.ts'
import { lowContrast } from './low-contrast.ts'
import { cluster } from './managed.ts'
import { stories } from './story.ts'

const story = stories()
let cp: FakeControlPlane
let page: Page
beforeEach(() => {
  ;({ cp, page } = story)
})

const path = '/v1/orgs/default/domains'
const button = (name: string) => page.getByRole('button', { name, exact: true })
const dialog = () => page.getByRole('dialog')

const domain = (host: string, more: Partial<Domain> = {}): Domain => ({
  host,
  state: 'pending',
  record: { type: 'TXT', name: `_mcpg-challenge.${host}`, value: 'mcpg-domain-verification=0123456789abcdef0123456789abcdef' },
  createdAt: ago(60),
  createdBy: 'ada@example.com',
  usedBy: [],
  ...more,
})
const verified = (host: string, more: Partial<Domain> = {}) => domain(host, { state: 'verified', verifiedAt: ago(5), ...more })
const usedBy = [{ hostname: 'edge.example.com', workspace: 'main', environment: 'prod', gateway: 'edge' }]

function reading(domains: Domain[], { isAllowed = true }: { isAllowed?: boolean } = {}): void {
  cp.knobs.onRead = (asked) => {
    if (asked === '/v1/access/can-i') return { status: 200, body: { allowed: isAllowed, subject: 'ada', place: {} } }
    if (asked === path)
      return isAllowed
        ? { status: 200, body: { items: domains } }
        : { status: 403, body: { code: 'forbidden', reason: 'not_allowed', detail: 'ada may not do this.' } }
    if (asked === '/v1/clusters') return { status: 200, body: { items: [cluster('berlin')] } }
    return undefined
  }
}

describe('domains', () => {
  it('are added, show the record to make, tell what name servers answered, and are verified', async () => {
    story.mayComplain = true
    const domains: Domain[] = []
    reading(domains)
    let hasRecord = false
    const detail = 'At _mcpg-challenge.example.com there is no TXT record, not "mcpg-domain-verification=0123".'
    cp.knobs.onWrite = ({ path: asked }) => {
      if (!asked.endsWith('/verify')) {
        domains.push(domain('example.com'))
        return { status: 201, body: domains[0] }
      }
      if (!hasRecord) return { status: 409, body: { code: 'failed_precondition', reason: 'domain_not_verified', detail } }
      domains[0] = verified('example.com')
      return { status: 200, body: domains[0] }
    }
    await story.open('/domains')
    await page.getByText('No domain yet').waitFor()
    await button('Add a domain').last().click()
    await dialog().getByRole('textbox', { name: 'Domain' }).fill('example.com')
    await button('Add').click()
    await page.waitForURL(/\/domains\/example\.com$/)
    await page.getByLabel('Name of the record', { exact: true }).getByText('_mcpg-challenge.example.com').waitFor()
    await button('Copy value of the record').click()
    await button('Copied').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(domains[0]!.record.value)
    await button('Verify now').click()
    await page.getByRole('status').getByText(detail).waitFor()
    await page.getByText('DNS may need minutes after the record was made').waitFor()
    hasRecord = true
    await button('Verify now').click()
    await page.getByText('example.com is verified: gateways may have this name and every name below it').waitFor()
    expect(await button('Verify now').count()).toBe(0)
    expect(cp.writes.map(({ method, path: asked, body }) => [method, asked, body])).toEqual([
      ['POST', path, { host: 'example.com' }],
      ['POST', `${path}/example.com/verify`, {}],
      ['POST', `${path}/example.com/verify`, {}],
    ])
  })

  it('say where they are used, which keeps them, and are given up else', async () => {
    story.mayComplain = true
    const domains = [verified('example.com', { usedBy }), domain('example.org')]
    reading(domains)
    const detail = 'Gateways have names of the domain example.com: main/prod/edge (edge.example.com).'
    cp.knobs.onWrite = ({ path: asked }) => {
      if (asked.endsWith('example.com')) return { status: 409, body: { code: 'conflict', reason: 'domain_in_use', detail } }
      domains.pop()
      return { status: 204 }
    }
    await story.open('/domains')
    const row = (name: string) => page.getByRole('table', { name: 'Domains' }).getByRole('row').filter({ hasText: name })
    await row('example.org').filter({ hasText: 'Pending' }).waitFor()
    await row('example.com').filter({ hasText: 'edge.example.com' }).getByRole('link').click()
    const gateway = page.getByRole('table', { name: 'Used by' }).getByRole('link', { name: 'edge' })
    expect(await gateway.getAttribute('href')).toBe('/gateways/edge?ws=default/main')
    await button('Delete…').click()
    await button('Delete it').click()
    await dialog().getByText(detail).waitFor()
    await story.open('/domains/example.org')
    await button('Delete…').click()
    await button('Delete it').click()
    await page.waitForURL(/\/domains$/)
    await row('example.org').waitFor({ state: 'detached' })
    await story.open('/domains/example.org')
    await page.getByText('There is no domain example.org').waitFor()
  })

  it('are offered where a gateway is provisioned, once they are verified', async () => {
    reading([verified('example.com'), domain('example.org')])
    cp.knobs.onWrite = () => ({ status: 202, body: { operationId: 'op-1', instanceUid: 'edge-1' } })
    await story.open('/gateways')
    await button('Provision a gateway').first().click()
    await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill('edge')
    const choice = dialog().getByLabel('Domain')
    expect(await choice.locator('option').allInnerTexts()).toEqual(['None', 'example.com'])
    await choice.selectOption('example.com')
    await dialog().getByText('Clients reach it at edge.example.com').waitFor()
    await dialog().getByLabel('Name below it').fill('a.b')
    await dialog().getByText('Show CLI').click()
    await dialog().getByText('--custom-hostname a.b.example.com').waitFor()
    story.mayComplain = true
    await button('Provision').click()
    await page.waitForURL(/\/operations\/op-1$/)
    expect(cp.writes[0]?.body).toMatchObject({ name: 'edge', customHostname: 'a.b.example.com' })
  })

  it('are the way on where there is none, and are typed by those who may not see them', async () => {
    reading([])
    await story.open('/gateways')
    await button('Provision a gateway').first().click()
    await dialog().getByRole('link', { name: 'add a domain' }).waitFor()
    story.mayComplain = true
    await story.open('/domains')
    reading([], { isAllowed: false })
    await page.reload()
    await page.getByText('ada may not do this.').waitFor()
    expect(await button('Add a domain').count()).toBe(0)
  })

  it.each([false, true])('are readable and fit a phone (dark: %s)', async (dark) => {
    await story.reopen({ dark, width: 375 })
    ;({ page } = story)
    reading([verified('example.com', { usedBy }), domain('example.org')])
    for (const host of ['', '/example.com', '/example.org']) {
      await story.open(`/domains${host}`)
      await page.getByText('example.').first().waitFor()
      await page.getByRole('table').first().or(page.getByText('No gateway has a name of it')).waitFor()
      expect(await page.evaluate(lowContrast)).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(375)
    }
  })
})
