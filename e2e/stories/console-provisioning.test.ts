import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Operation } from '@mcpg/proto/rest/operations'
import { openBrowser, openPage } from '../../ui/test/browser.ts'
import { api, type Api } from '../harness/api.ts'
import { closeLater, shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { ctl, fastTimers, startControlPlane, type ControlPlane } from '../harness/programs.ts'
import { fixture } from '../scenarios/fleet.ts'

const env = { MCPG_TIMERS: `${fastTimers},managedProbe=300,operationLease=1000,operationRetry=50` }
let controlPlane: ControlPlane
let rest: Api
let browser: Awaited<ReturnType<typeof openBrowser>>
let page: Awaited<ReturnType<typeof openPage>>['page']
let complaints: string[]

beforeAll(async () => {
  await shareWithFile(async () => {
    const stateDir = temporaryFolder()
    controlPlane = await startControlPlane({ stateDir, env })
    closeLater(() => ctl(['stop', '--all'], { stateDir }))
    rest = api(controlPlane.http)
    await rest.servers(fixture('echo', 'echo'))
    browser = await openBrowser()
    closeLater(() => browser.close())
  })
}, 120_000)

beforeEach(async () => {
  ;({ page, complaints } = await openPage(browser))
  page.setDefaultTimeout(30_000)
})

afterEach(async () => {
  const said = [...complaints]
  await page.context().close()
  if (said.length > 0) throw new Error(`the browser complains: ${said.join('\n')}`)
})

const open = (path: string) => page.goto(controlPlane.http + path)
const button = (name: string) => page.getByRole('button', { name, exact: true })
const dialog = () => page.getByRole('dialog')
const rung = (name: string, state: string) => page.locator(`[data-rung=${name}][data-state=${state}]`).waitFor()
const steps = () => page.locator('[data-step]').evaluateAll((all) => all.map((one) => one.getAttribute('data-step')))
const operations = async () => (await rest.call<{ items: Operation[] }>('GET', '/v1/orgs/default/operations')).items

async function ask(name: string, more: () => Promise<unknown> = async () => {}): Promise<void> {
  await open('/gateways')
  await button('Provision a gateway').first().click()
  await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill(name)
  await more()
  await button('Provision').click()
  await page.waitForURL(/\/operations\/[-0-9a-f]+$/)
}

it('provisions a gateway step by step, changes it in place, and deprovisions it without a trace', async () => {
  // 1 from the dialog to an endpoint that serves
  await ask('edge-1')
  for (const name of ['allocating', 'applying', 'ready']) await rung(name, 'done')
  const told = await steps()
  expect(told).toEqual(['filtering', 'reserved', 'workload', 'rollout', 'enrolled', 'config_applied'])
  const session = await legacySession(await page.getByLabel('Endpoint', { exact: true }).innerText())
  expect(await session.tools()).toContain('echo__pid')
  await session.close()

  // 2 the same ladder for whoever comes later
  await page.reload()
  await rung('ready', 'done')
  expect(await steps()).toEqual(told)

  // 3 its page says where it is, and changes it there
  await page.getByRole('link', { name: 'Open the gateway' }).click()
  await page.getByText('Managed, on the cluster local, size s (0.25 CPU, 512 MiB), 1 replica').waitFor()
  await button('Change…').click()
  await dialog()
    .getByRole('radio', { name: /^Medium/ })
    .click()
  await button('Change it').click()
  await rung('ready', 'done')
  await page.getByText('edge-1 is up to date').waitFor()
  await page.getByRole('link', { name: 'local', exact: true }).click()
  await page.getByRole('meter', { name: 'Gateways on local' }).waitFor()
  expect(await page.getByRole('meter', { name: 'CPU of local' }).getAttribute('aria-valuenow')).toBe('500')

  // 4 and takes it away
  await open('/gateways/edge-1?tab=deployment')
  await page.getByRole('table', { name: 'Operations' }).getByRole('link', { name: 'Update edge-1' }).waitFor()
  await button('Deprovision…').click()
  await button('Deprovision').click()
  await page.waitForURL(/\/operations\/[-0-9a-f]+$/)
  await rung('ready', 'done')
  expect(await steps()).toEqual(['draining', 'drained', 'revoked', 'removed'])
  expect((await operations()).map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    'delete succeeded',
    'update succeeded',
    'create succeeded',
  ])
  expect(await rest.list('gateways')).toEqual([])
}, 120_000)

it('says why a cordoned cluster is passed over, and tries again once it is not', async () => {
  // 1 nothing new goes there
  await open('/clusters/local')
  await button('Cordon…').click()
  await button('Cordon').click()
  await page.getByText('Cordoned: what runs here goes on').waitFor()
  await ask('edge-2')
  await rung('failed', 'failed')
  const row = page.getByRole('table', { name: 'Clusters that were passed over' }).getByRole('row').filter({ hasText: 'local' })
  await row.getByText('it is cordoned').waitFor()
  const failed = page.url()

  // 2 uncordoned, it takes what failed
  await open('/clusters/local')
  await button('Uncordon…').click()
  await button('Uncordon').click()
  await button('Cordon…').waitFor()
  await page.goto(failed)
  await button('Try again…').click()
  await button('Provision').click()
  await page.getByText('edge-2 is ready').first().waitFor()
  expect((await operations())[0]).toMatchObject({ kind: 'create', state: 'succeeded', gateway: { name: 'edge-2' } })
}, 120_000)
