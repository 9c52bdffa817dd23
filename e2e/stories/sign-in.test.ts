import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openBrowser, openPage } from '../../ui/test/browser.ts'
import { closeLater, temporaryFolder } from '../harness/cleanup.ts'
import { ctl as run, startControlPlane } from '../harness/programs.ts'
import { until } from '../harness/until.ts'

const password = 'correct horse battery'
const local = ['--auth-mode', 'local']

/** A laptop of its own: another state dir, and the control plane named by its URL. */
function laptop(http: string) {
  const stateDir = temporaryFolder()
  const ctl = (args: string[], { stdin, env = {} }: { stdin?: string; env?: Record<string, string> } = {}) =>
    run([...args, '--cp-url', http], { stateDir, env, ...(stdin === undefined ? {} : { stdin }) })
  const signIn = (stdin: string, more: string[] = []) =>
    ctl(['login', '--username', 'ada@example.com', '--password-stdin', ...more], { stdin: `${stdin}\n` })
  return { stateDir, ctl, signIn, file: join(stateDir, 'credentials.json') }
}

it('is set up on its machine, signed in to from another, and left again, with the exit codes that scripts expect', async () => {
  const stateDir = temporaryFolder()
  const controlPlane = await startControlPlane({ stateDir, args: local })
  const code = readFileSync(join(stateDir, 'setup-code'), 'utf8').trim()
  await until('the setup code is printed', () => controlPlane.output().includes(code) || null)

  // 1 nobody is signed in: exit 3, and what to do
  const here = (args: string[], stdin?: string) => run(args, { stateDir, ...(stdin === undefined ? {} : { stdin }) })
  const refused = await here(['get', 'servers'])
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringMatching(/error: You are not signed in\.\nhint: mcpg-ctl login/)])
  expect((await here(['status'])).stdout).toMatch(/sign-in: local, not signed in; mcpg-ctl login/)

  // 2 the first user needs no code here: the file is read
  const first = await here(['login', '--username', 'Ada@Example.com', '--password-stdin'], `${password}\n`)
  expect([first.code, first.stdout]).toEqual([0, `signed in at ${controlPlane.http} as ada@example.com\n`])
  expect(statSync(join(stateDir, 'credentials.json')).mode & 0o777).toBe(0o600)
  expect((await here(['get', 'servers'])).code).toBe(0)
  expect(await here(['can-i', 'delete', 'server/files'])).toMatchObject({ code: 0, stdout: 'yes\n' })
  expect((await here(['can-i', '--list'])).stdout).toMatch(/^PLACE +VERBS +ON[^]*everywhere +edit,run +\*/)
  expect((await here(['status'])).stdout).toMatch(/sign-in:\s+local, signed in as ada@example\.com/)
  expect((await here(['doctor', '-o', 'json'])).stdout).toContain(`kept for ${controlPlane.http}`)

  // 3 from elsewhere: a wrong password is exit 3, the right one holds for every command
  const there = laptop(controlPlane.http)
  const wrong = await there.signIn('not this one')
  expect([wrong.code, wrong.stderr]).toEqual([3, expect.stringContaining('do not belong together')])
  expect((await there.signIn(password)).code).toBe(0)
  expect((await there.ctl(['get', 'servers'])).code).toBe(0)

  // 4 a session that is given counts instead of the kept one; a made-up bearer is refused
  const kept = JSON.parse(readFileSync(there.file, 'utf8')).controlPlanes[controlPlane.http].cookie as string
  const stranger = laptop(controlPlane.http)
  expect((await stranger.ctl(['get', 'servers'], { env: { MCPG_SESSION_COOKIE: kept } })).code).toBe(0)
  expect((await there.ctl(['get', 'servers'], { env: { MCPG_TOKEN: 'made-up' } })).code).toBe(3)

  // 5 out, here only; then everywhere
  expect((await there.ctl(['logout'])).stdout).toBe(`signed out of ${controlPlane.http}\n`)
  expect((await there.ctl(['get', 'servers'])).code).toBe(3)
  expect((await stranger.ctl(['get', 'servers'], { env: { MCPG_SESSION_COOKIE: kept } })).code).toBe(3)
  expect((await there.signIn(password)).code).toBe(0)

  // 6 another password: this sign-in goes on, every other one has ended
  const other = 'another horse battery'
  expect((await here(['passwd', '--password-stdin'], `not this one\n${other}\n`)).code).toBe(3)
  const changed = await here(['passwd', '--password-stdin'], `${password}\n${other}\n`)
  expect([changed.code, changed.stdout]).toEqual([0, expect.stringContaining('password of ada@example.com changed')])
  expect([(await here(['get', 'servers'])).code, (await there.ctl(['get', 'servers'])).code]).toEqual([0, 3])
  expect([(await there.signIn(password)).code, (await there.signIn(other)).code]).toEqual([3, 0])
  expect((await here(['logout', '--everywhere'])).code).toBe(0)
  expect((await there.ctl(['get', 'servers'])).code).toBe(3)
}, 180_000)

it('asks nobody to sign in on loopback, shows no session to another control plane, and names a damaged file', async () => {
  const open = await startControlPlane({ stateDir: temporaryFolder() })
  const { ctl, file, stateDir } = laptop(open.http)
  const nothing = await ctl(['login'])
  expect([nothing.code, nothing.stderr]).toEqual([0, `nothing to do: nobody has to sign in at ${open.http}\n`])
  mkdirSync(stateDir, { recursive: true })
  writeFileSync(file, '{"version":1,"controlPlanes":{', { mode: 0o600 })
  const damaged = await ctl(['get', 'servers'])
  expect([damaged.code, damaged.stderr]).toEqual([
    6,
    expect.stringMatching(/credentials\.json is not what mcpg-ctl wrote[^]*mcpg-ctl login/),
  ])
}, 60_000)

it('lets the first user in through the console, out again, and back to the page that was asked for', async () => {
  const stateDir = temporaryFolder()
  const controlPlane = await startControlPlane({ stateDir, args: local })
  const browser = await openBrowser()
  closeLater(() => browser.close())
  const { page, complaints } = await openPage(browser)
  page.setDefaultTimeout(30_000)
  const shot = (name: string) => {
    const folder = process.env['MCPG_SCREENSHOTS']
    return folder ? page.screenshot({ path: join(folder, `${name}.png`) }) : undefined
  }

  await page.goto(`${controlPlane.http}/servers`)
  await page.getByLabel('Setup code').fill('guess')
  await page.getByLabel('E-mail').fill('ada@example.com')
  await page.locator('input[type=password]').fill(password)
  await page.getByRole('button', { name: 'Create user and sign in' }).click()
  await page.getByRole('alert').getByText('This is not the setup code').waitFor()
  await shot('first-user')
  await page.getByLabel('Setup code').fill(readFileSync(join(stateDir, 'setup-code'), 'utf8').trim())
  await page.getByRole('button', { name: 'Create user and sign in' }).click()
  await page.waitForURL(`${controlPlane.http}/servers`)

  const account = page.getByRole('button', { name: 'Account: ada@example.com' })
  await account.click()
  await shot('account-menu')
  await page.getByRole('menuitem', { name: 'Change password…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Change password' })
  await dialog.getByLabel('Password of today').fill('not this one')
  await dialog.getByLabel('New password').fill('another horse battery')
  await dialog.getByRole('button', { name: 'Change password' }).click()
  await dialog.getByRole('alert').getByText('This is not your password of today').waitFor()
  await dialog.getByLabel('Password of today').fill(password)
  await dialog.getByRole('button', { name: 'Change password' }).click()
  await dialog.getByText('The password is changed').waitFor()
  await shot('password-changed')
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await account.click()
  await page.getByRole('menuitem', { name: 'Sign out', exact: true }).click()
  await page.waitForURL(/\/login/)
  await page.goto(`${controlPlane.http}/gateways`)
  await page.waitForURL(/\/login\?returnTo=%2Fgateways/)
  await shot('sign-in')
  await page.getByLabel('E-mail').fill('ada@example.com')
  await page.locator('input[type=password]').fill('another horse battery')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(`${controlPlane.http}/gateways`)
  await page.getByRole('heading', { name: 'Gateways' }).first().waitFor()
  // What Chromium says of the refused requests; anything else, above all of the Content-Security-Policy, is a fault.
  expect(complaints.filter((text) => !/status of 40[13]/.test(text))).toEqual([])
}, 180_000)
