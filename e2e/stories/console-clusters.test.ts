import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Cluster } from '@mcpg/proto/rest/clusters'
import type { Operation } from '@mcpg/proto/rest/operations'
import { dnsServer } from '../../cp/test/dns-server.ts'
import { openBrowser, openPage } from '../../ui/test/browser.ts'
import { api, type Api } from '../harness/api.ts'
import { closeLater, shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { ctl, fastTimers, startControlPlane, type ControlPlane } from '../harness/programs.ts'

const env = { MCPG_TIMERS: `${fastTimers},managedProbe=300,operationLease=1000,operationRetry=50,clusterDrain=200` }
const place = ['--org', 'default', '--workspace', 'default', '--env', 'default']
let controlPlane: ControlPlane
let rest: Api
let names: Awaited<ReturnType<typeof dnsServer>>
let browser: Awaited<ReturnType<typeof openBrowser>>
let page: Awaited<ReturnType<typeof openPage>>['page']
let complaints: string[]
let mayComplain: boolean

beforeAll(async () => {
  await shareWithFile(async () => {
    const stateDir = temporaryFolder()
    names = await dnsServer()
    closeLater(() => names.close())
    controlPlane = await startControlPlane({ stateDir, env, args: ['--dns-server', names.address] })
    closeLater(() => ctl(['stop', '--all'], { stateDir }))
    rest = api(controlPlane.http)
    const { code, stderr } = await ctl(['provision', 'create', ...place, '--name', 'edge-1'], { stateDir, env })
    if (code !== 0) throw new Error(stderr)
    browser = await openBrowser()
    closeLater(() => browser.close())
  })
}, 120_000)

beforeEach(async () => {
  mayComplain = false
  ;({ page, complaints } = await openPage(browser))
  page.setDefaultTimeout(30_000)
})

afterEach(async () => {
  const said = mayComplain ? [] : [...complaints]
  await page.context().close()
  if (said.length > 0) throw new Error(`the browser complains: ${said.join('\n')}`)
})

const open = (path: string) => page.goto(controlPlane.http + path)
const button = (name: string) => page.getByRole('button', { name, exact: true })
const dialog = () => page.getByRole('dialog')
const row = (table: string, text: string) => page.getByRole('table', { name: table }).getByRole('row').filter({ hasText: text })
const cluster = (name: string) => rest.call<Cluster>('GET', `/v1/clusters/${name}`)

it('limits an organization, and shows a refusal with the numbers and the way there', async () => {
  // 1 what is taken, and a limit for it
  await open('/quotas')
  await row('Environments', 'default/default').waitFor()
  await button('Set limits…').click()
  await dialog().getByLabel('Most gateways').fill('1')
  await button('Set').click()
  const meter = page.getByRole('meter', { name: 'Gateways of default' })
  await meter.waitFor()
  expect(await meter.getAttribute('aria-valuetext')).toBe('1 of 1 reserved')

  // 2 one more is refused, with the numbers
  await open('/gateways')
  await button('Provision a gateway').first().click()
  await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill('edge-2')
  await button('Provision').click()
  await row('Exceeded quotas', 'the organization').filter({ hasText: '1 gateway' }).waitFor()
  await page.getByRole('link', { name: 'All quotas of default' }).click()

  // 3 and goes once the limit is gone
  await button('Set limits…').click()
  await dialog().getByLabel('Most gateways').fill('')
  await button('Set').click()
  await meter.waitFor({ state: 'detached' })
  expect(await rest.call('GET', '/v1/orgs/default/quotas')).toMatchObject({ org: { limits: {}, used: { gateways: 1 } } })
}, 120_000)

it('verifies a domain by its record, and says meanwhile what name servers answered', async () => {
  // A record that is not there is answered with 409.
  mayComplain = true
  await open('/domains')
  await button('Add a domain').first().click()
  await dialog().getByRole('textbox', { name: 'Domain' }).fill('example.com')
  await button('Add').click()
  await page.waitForURL(/\/domains\/example\.com$/)
  await button('Verify now').click()
  await page.getByText('At _mcpg-challenge.example.com there is no TXT record').waitFor()
  const value = await page.getByLabel('Value of the record', { exact: true }).innerText()
  names.records.set('_mcpg-challenge.example.com', ['of somebody else'])
  await button('Verify now').click()
  await page.getByText('the TXT record is "of somebody else"').waitFor()
  names.records.set('_mcpg-challenge.example.com', [value])
  await button('Verify now').click()
  await page.getByText('example.com is verified').waitFor()

  // It is offered where a gateway is provisioned; this machine routes no names, and says so at the field.
  await open('/gateways')
  await button('Provision a gateway').first().click()
  await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill('named')
  await dialog().getByLabel('Domain').selectOption('example.com')
  await dialog().getByText('Clients reach it at named.example.com').waitFor()
  await button('Provision').click()
  await dialog().getByText('routes no host names').first().waitFor()

  await open('/domains/example.com')
  await button('Delete…').click()
  await button('Delete it').click()
  await page.getByText('No domain yet').waitFor()
  expect(await rest.call('GET', '/v1/orgs/default/domains')).toEqual({ items: [] })
}, 120_000)

it('drains a cluster: cancelled, with nowhere to go, and then to its end, after which it is given up', async () => {
  // 1 the question names who would move, and that there is nowhere to go
  await open('/clusters/local')
  await row('Gateways here', 'edge-1').waitFor()
  await button('Drain…').click()
  await dialog().getByText('default/default/default/edge-1').waitFor()
  await dialog().getByText('No other cluster is ready').waitFor()
  await button('Drain').click()
  await row('Gateways of the drain', 'edge-1').filter({ hasText: 'local: it is draining' }).waitFor()

  // 2 it is cancelled
  await button('Cancel the drain…').click()
  await button('Cancel the drain').click()
  await button('Cordon…').waitFor()
  expect(await cluster('local')).toMatchObject({ state: 'ready' })

  // 3 another cluster is registered from the page, and changed there
  await open('/clusters')
  await button('Register a cluster').first().click()
  await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill('spare')
  await dialog().getByLabel('Region').fill('local')
  await dialog().getByLabel('Driver').selectOption('local')
  await dialog().getByLabel('Most gateways').fill('3')
  await button('Register').click()
  await page.waitForURL(/\/clusters\/spare$/)
  await button('Change…').click()
  await dialog().getByLabel('Most gateways').fill('5')
  await dialog().getByLabel('Labels').fill('disk=ssd')
  await button('Change it').click()
  await dialog().waitFor({ state: 'detached' })
  expect(await cluster('spare')).toMatchObject({ gateways: { max: 5 }, labels: { disk: 'ssd' } })

  // 4 then the gateway moves there, and is followed to its end
  await open('/clusters/local')
  await button('Drain…').click()
  await dialog().getByText('Ready to take them, as far as there is room: spare.').waitFor()
  await button('Drain').click()
  await page.getByText('Nothing is left on local').waitFor()
  await row('Gateways of the drain', 'edge-1')
    .filter({ hasText: /Moved.*spare/s })
    .waitFor()
  await page.getByRole('link', { name: 'See it' }).click()
  await page.getByText('edge-1 is ready').waitFor()

  // 5 the one that is empty is given up, the other one names who keeps it
  await open('/clusters/local')
  await button('Decommission…').click()
  await button('Decommission').click()
  await page.getByText('Decommissioned: nothing is placed here any more').waitFor()
  mayComplain = true
  await open('/clusters/spare')
  await button('Decommission…').click()
  await button('Decommission').click()
  await dialog()
    .getByText(/1 gateway runs on it \(default\/default\/default\/edge-1\)/)
    .waitFor()
  const { items } = await rest.call<{ items: Operation[] }>('GET', '/v1/orgs/default/operations?kind=move')
  expect(items.map(({ state }) => state)).toEqual(['succeeded'])
}, 120_000)
