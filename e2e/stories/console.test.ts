import { enrollmentTokenPattern } from '@mcpg/proto/rest/enrollments'
import { argvOf } from '@mcpg/proto/kinds/server'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { openBrowser, openPage } from '../../ui/test/browser.ts'
import type { Api } from '../harness/api.ts'
import { closeLater, shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { fastTimers, start, type ControlPlane } from '../harness/programs.ts'
import { fixture, settled, startFleet } from '../scenarios/fleet.ts'

const env = { MCPG_TIMERS: fastTimers }
let controlPlane: ControlPlane
let rest: Api
let browser: Awaited<ReturnType<typeof openBrowser>>
let page: Awaited<ReturnType<typeof openPage>>['page']
let complaints: string[]

beforeAll(async () => {
  await shareWithFile(async () => {
    ;({ controlPlane, rest } = await startFleet([fixture('echo', 'echo')], env))
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
  // A violation of the Content-Security-Policy would be among them.
  if (said.length > 0) throw new Error(`the browser complains: ${said.join('\n')}`)
})

const open = (path: string) => page.goto(controlPlane.http + path)
const row = (table: string, text: string) => page.getByRole('table', { name: table }).getByRole('row').filter({ hasText: text })

it('shows the fleet on the overview, and follows it', async () => {
  // 1 the gateway on its three axes
  await open('/')
  await row('Gateways', 'here')
    .filter({ hasText: /Online.*Applied.*Healthy.*1\/1/s })
    .waitFor()

  // 2 a broken server appears under "Needs attention" without a reload, and goes when it is deleted
  await rest.servers(fixture('broken', 'exits-at-once'))
  // The gateway stands there too, with the name of the server in its words.
  const broken = page.getByRole('table', { name: 'Needs attention' }).getByRole('row', { name: /^broken/ })
  await broken.filter({ hasText: 'ExitedEarly' }).waitFor()
  await rest.remove('servers', 'broken')
  await broken.waitFor({ state: 'detached' })
})

it('enrolls a gateway by the command it hands out, step by step, and keeps the token to that one page', async () => {
  // 1 the wizard makes the command
  await open('/enrollments/new')
  await page.getByLabel('Name').fill('from-page')
  await page.getByLabel('Labels').fill('role=edge')
  await page.getByRole('button', { name: 'Make the command' }).click()
  const command = page.getByLabel('Command', { exact: true })
  await command.hover()
  const text = await command.innerText()
  const [program, ...args] = argvOf(text)
  expect(program).toBe('mcpg-ctl')
  const token = enrollmentTokenPattern.exec(text)?.[0] ?? ''
  expect(token).not.toBe('')

  // 2 the command is run, as it stands, on a machine
  const rung = (key: string, state: string) => page.locator(`[data-rung=${key}][data-state=${state}]`).waitFor()
  await rung('redeemed', 'waiting')
  start([...args, '--bind', '127.0.0.1:0'], { stateDir: temporaryFolder(), env })

  // 3 and each step is seen
  for (const key of ['issued', 'redeemed', 'connected', 'applied', 'online']) await rung(key, 'done')
  await page.getByRole('region', { name: 'Done' }).getByText('from-page is online').waitFor()
  expect((await rest.get('gateways', 'from-page')).metadata.labels).toEqual({ role: 'edge' })

  // 4 no other page shows the token, nor does this one from now on
  const content = async () =>
    (await page.content()) +
    (await page.evaluate<string>('JSON.stringify([location.href, history.state, { ...localStorage }, { ...sessionStorage }])'))
  await page.getByRole('link', { name: 'Open the gateway' }).click()
  await page.getByRole('heading', { name: 'from-page' }).waitFor()
  expect(await content()).not.toContain(token)
  for (const path of ['/', '/enrollments', '/gateways', '/servers', '/tools', '/events', '/gateways/from-page?tab=config']) {
    await open(path)
    await page.getByRole('main').getByRole('heading').first().waitFor()
    expect(await content()).not.toContain(token)
  }
})

it('shows the tools of a server, and of one that fails the reason, the exit code and what it printed last', async () => {
  // 1 the tools as the gateway reported them
  await open('/servers/echo?tab=tools')
  await page.getByText('Returns its text.').waitFor()
  expect(await page.getByRole('main').innerText()).toMatch(/echo[\s\S]*progress/)

  // 2 a new server that does not start
  await rest.servers(fixture('fails', 'exits-at-once'))
  await open('/servers/fails?gateway=here')
  const on = page.getByRole('article', { name: 'On here' })
  await on.getByText('Held back: ExitedEarly').waitFor()
  expect(await on.getByLabel('Last log lines', { exact: true }).innerText()).toContain('exits-at-once: no database at /nowhere, giving up')
  expect(await on.innerText()).toMatch(/exit(ed with)? code 3/)

  // 3 mended, it turns ready while one looks
  await rest.servers(fixture('fails', 'echo'))
  await on.getByText('Held back: ExitedEarly').waitFor({ state: 'detached' })
  await on.getByText('Ready', { exact: true }).first().waitFor()
  await settled(rest)
})
