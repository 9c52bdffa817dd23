import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { openBrowser, openPage } from '../../ui/test/browser.ts'
import type { Api } from '../harness/api.ts'
import { closeLater, shareWithFile } from '../harness/cleanup.ts'
import { fastTimers, type ControlPlane } from '../harness/programs.ts'
import { applied, configOf, fixture, settled, startFleet } from '../scenarios/fleet.ts'
import { published } from '../scenarios/published.ts'

let controlPlane: ControlPlane
let rest: Api
let browser: Awaited<ReturnType<typeof openBrowser>>
let page: Awaited<ReturnType<typeof openPage>>['page']
let complaints: string[]

beforeAll(async () => {
  await shareWithFile(async () => {
    const servers = [published('everything'), fixture('asks', 'asks'), fixture('echo', 'echo')]
    ;({ controlPlane, rest } = await startFleet(servers, { MCPG_TIMERS: fastTimers }))
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
const result = () => page.getByRole('region', { name: 'Result' })
const button = (name: string) => page.getByRole('button', { name, exact: true })

it('finds a tool, fills in its form and shows what the server answered', async () => {
  // 1 from the search to the page of the tool
  await open('/')
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('everything__echo')
  await page.getByRole('option', { name: /everything__echo/ }).waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'echo', level: 1 }).waitFor()

  // 2 its form, and the answer of the published server
  await page.getByLabel('message').fill('through the console')
  await button('Call').click()
  await result().getByText('Echo: through the console').waitFor()
  await result()
    .getByText(/^here answered after/)
    .waitFor()

  // 3 a picture, drawn under the policy of the page
  await open('/tools/everything/get-tiny-image')
  await button('Call').click()
  await result()
    .getByText(/^image\/png, \d+ × \d+/)
    .waitFor()

  // 4 a refusal of the server in its own words
  await open('/tools/everything/get-sum')
  await page.getByRole('heading', { name: 'get-sum' }).waitFor()
  await page.getByText('JSON', { exact: true }).click()
  await page.getByLabel('Arguments as JSON').fill('{"a": "no number"}')
  await button('Call').click()
  await button('Call anyway').click()
  await result().getByText('The tool ran and failed').waitFor()
})

it('answers what a server asks in the middle of a call, and cancels a call that takes too long', async () => {
  // 1 a legacy server asks; the answer goes back into the same call
  await open('/tools/asks/ask')
  await page.getByLabel('text').fill('What is your name?')
  await button('Call').click()
  await result().getByText('What is your name?').waitFor()
  await result().getByLabel('answer', { exact: true }).fill('Ada')
  await button('Send the answer').click()
  await result()
    .getByText(/accept.*Ada/)
    .first()
    .waitFor()

  // 2 a call of ten minutes ends at once when it is cancelled, and the server serves on
  await open('/tools/echo/sleep')
  await page.getByLabel('ms').fill('600000')
  await button('Call').click()
  await button('Cancel').click()
  await result().getByText('Cancelled').waitFor()
  await page.getByLabel('ms').fill('1')
  await button('Call').click()
  await result().getByText('slept 1 ms').waitFor()
})

it('follows the log of a server through a restart, and those of its gateway and of the control plane', async () => {
  // 1 what it printed when it started
  const log = page.getByRole('log')
  const starts = log.getByText('Starting default (STDIO) server')
  await open('/servers/everything?tab=logs')
  await starts.first().waitFor()
  const before = await starts.count()

  // 2 what it prints while one looks
  await button('Restart').click()
  await starts.nth(before).waitFor()
  await page.getByText('Following').waitFor()

  // 3 the gateway has a log of its own, and so has the control plane, which has had nothing to say yet
  await open('/gateways/here?tab=logs')
  await page.getByRole('log', { name: 'Log of here' }).locator('time').first().waitFor()
  await open('/logs')
  await page.getByRole('log', { name: 'Log of the control plane' }).waitFor()
  await page.getByText('Following').waitFor()
  await settled(rest)
})

it('tells of a server that crashes by events, where one looks for them', async () => {
  await rest.servers(fixture('crashes', 'exits-at-once'))
  await open('/servers/crashes?tab=events')
  const row = page.getByRole('table', { name: 'Events' }).getByRole('row').filter({ hasText: 'Warning' })
  await row.first().waitFor()
  await open('/')
  await page.getByRole('region', { name: 'Recent warnings' }).getByText('crashes').first().waitFor()
  await rest.remove('servers', 'crashes')
  await settled(rest)
})

it('rolls a gateway back to an older config, keeps it there, and resumes it', async () => {
  // 1 a change that one wants to take back
  const before = (await configOf(rest)).desired!.generation
  await applied(rest, () => rest.servers(fixture('echo', 'echo', ['--changed'])))
  const after = (await configOf(rest)).desired!.generation

  // 2 the page says what differs, and asks
  await open('/gateways/here?tab=config')
  const row = (generation: number) =>
    page
      .getByRole('table', { name: 'History of configs' })
      .getByRole('row')
      .filter({ has: page.locator('td:first-child', { hasText: new RegExp(`^${generation}$`) }) })
  await row(after).getByText('desired').waitFor()
  await row(before).getByRole('button', { name: 'Roll back…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('region', { name: 'Changed: echo' }).waitFor()
  await button('Roll back and pin').click()
  await dialog.waitFor({ state: 'detached' })

  // 3 it is pinned, seen here and on the overview
  await page.getByText(`Pinned to generation ${before}`).waitFor()
  await page.getByText('Waiting: echo.').waitFor()
  await open('/')
  const attention = page.getByRole('table', { name: 'Needs attention' }).getByRole('row').filter({ hasText: 'Pinned' })
  await attention.getByText('1 server would change once it is resumed.').waitFor()

  // 4 and goes on when one says so
  await attention.getByRole('link', { name: 'Config' }).click()
  await button('Resume…').click()
  await button('Resume').click()
  await page.getByText(`Pinned to generation ${before}`).waitFor({ state: 'detached' })
  await settled(rest)
  expect((await configOf(rest)).desired!.generation).toBeGreaterThan(after)
})
