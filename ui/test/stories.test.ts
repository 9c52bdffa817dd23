import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FakeControlPlane } from './fake-control-plane.ts'
import { ago, enrollment, gateway, onGateway, server, troubledFleet } from './fleet.ts'
import { line, logStreams } from './log-stream.ts'
import { lowContrast } from './low-contrast.ts'
import { stories, until } from './story.ts'

const token = `mcpg_enr_${'A'.repeat(43)}_abcdef`

const story = stories()
let cp: FakeControlPlane
let page: Page

beforeEach(() => {
  ;({ cp, page } = story)
})

const { open } = story
const shows = (text: string | RegExp) => page.getByText(text).first().waitFor()
const row = (table: string, text: string) => page.getByRole('table', { name: table }).getByRole('row').filter({ hasText: text })
const names = () => page.locator('tbody tr td:first-child').allInnerTexts()
const pill = () => page.getByTestId('connection')

describe('overview', () => {
  it('leads from nothing to a first tool call, each step ticking itself', async () => {
    await open('/')
    const steps = page.getByRole('region', { name: 'First steps' })
    await steps.getByRole('link', { name: 'Enroll a gateway' }).waitFor()
    expect(await page.getByRole('table').count()).toBe(0)
    cp.put(gateway('edge-1', { activeSessions: 0 }))
    await steps.getByText('1 gateway enrolled').waitFor()
    await steps.getByText('mcpg-ctl apply -f -').waitFor()
    cp.put(server('everything', [onGateway('edge-1')]))
    await steps.getByText('claude mcp add --transport http mcpg http://127.0.0.1:7845/mcp').waitFor()
    cp.put(gateway('edge-1', { activeSessions: 1 }))
    await steps.waitFor({ state: 'detached' })
    await shows('Nothing needs attention.')
  })

  it('says what is broken, why, since when and what to press', async () => {
    for (const object of troubledFleet()) cp.put(object)
    await open('/')
    await row('Needs attention', 'Crash loop').waitFor()
    const rows = await page.getByRole('table', { name: 'Needs attention' }).locator('tbody tr').allInnerTexts()
    const flat = rows.map((text) => text.replaceAll(/\s+/g, ' '))
    expect(flat).toHaveLength(5)
    expect(flat[0]).toMatch(
      /^postgres server on lab Crash loop ExitedEarly The process ended before it answered initialize \d+ s Restart Log$/,
    )
    expect(flat.join('\n')).toMatch(/github server on lab Held back InitializeTimeout .* 2 min Restart --retry/)
    expect(flat.join('\n')).toMatch(/lab gateway Rolled back UNHEALTHY .* mcpg-ctl describe gateway lab/)
    expect(flat.join('\n')).toMatch(/edge-2 gateway Offline .* 8 min/)
    expect(flat.join('\n')).toMatch(/orphan server Unplaced NoGatewayMatches No gateway has the labels zone=b/)
  })

  it('shows the three axes of a gateway as three facts', async () => {
    for (const object of troubledFleet()) cp.put(object)
    await open('/')
    const cells = async (name: string) => {
      await row('Gateways', name).waitFor()
      const texts = await row('Gateways', name).locator('td').allInnerTexts()
      return texts.map((text) => text.replaceAll(/\s+/g, ' '))
    }
    expect((await cells('edge-1')).slice(2, 6)).toEqual(['Online', 'Applied a1b2c3d4', 'Healthy', '2/2'])
    expect((await cells('edge-2')).slice(2, 6)).toEqual(['Offline', 'Applied a1b2c3d4', 'Unknown', '0/2'])
    expect((await cells('lab')).slice(2, 6)).toEqual(['Online', 'Rolled back UNHEALTHY Held back 1 server', 'Degraded', '1/3'])
    const shapes = await row('Gateways', 'lab')
      .locator('svg[data-shape]')
      .evaluateAll((marks) => marks.map((mark) => mark.getAttribute('data-shape')))
    expect(shapes).toEqual(['circle', 'diamond', 'triangle', 'triangle'])
  })

  it('follows the stream, and its counts open the lists behind them', async () => {
    cp.put(gateway('edge-1'))
    cp.put(server('everything', [onGateway('edge-1')]))
    await open('/')
    await row('Gateways', 'Online').waitFor()
    cp.put(gateway('edge-1', { connection: 'offline', lastSeenAt: ago(70) }))
    await row('Gateways', 'Offline').waitFor()
    await row('Needs attention', 'edge-1').waitFor()
    cp.put(gateway('edge-1'))
    await shows('Nothing needs attention.')
    cp.put(gateway('edge-9', { connection: 'late' }))
    await page
      .getByRole('list', { name: 'Counts' })
      .getByRole('link', { name: /Gateways online 1\/2/ })
      .click()
    await until(async () => new URL(page.url()).pathname === '/gateways')
    await page.getByRole('button', { name: 'Late 1' }).click()
    await until(async () => (await page.locator('tbody tr').count()) === 1)
    expect(page.url()).toMatch(/connection=late$/)
  })

  it('stays readable with objects that say nothing or something unknown', async () => {
    const bare = { ...gateway('bare'), status: {}, spec: {} }
    const strange = gateway('strange', { connection: 'levitating' as never, config: null as never, servers: null as never })
    cp.put(bare)
    cp.put(strange)
    cp.put({ ...server('nothing', []), status: {}, spec: {} })
    await open('/')
    await row('Gateways', 'Levitating').waitFor()
    await row('Gateways', 'bare').waitFor()
    await open('/servers/nothing')
    await shows('No gateway reports it yet')
    await open('/gateways/bare')
    await shows('none yet')
  })
})

describe('enrollment wizard', () => {
  const issue = (name: string, text: string) => {
    cp.knobs.onWrite = () => {
      const url = `http://127.0.0.1:7843/enroll/${text}`
      cp.put(enrollment(name))
      return { status: 201, body: { name, url, command: `mcpg-ctl gateway --enrollment-url '${url}'`, expiresAt: ago(-900) } }
    }
  }

  it('goes from the options to a gateway that is online', async () => {
    issue('enr-1', token)
    await open('/enrollments/new')
    await page.getByLabel('Name').fill('edge-1')
    await page.getByLabel('Labels').fill('role=edge, zone=a')
    await page.getByRole('radio', { name: 'In the background' }).click()
    await page.getByRole('button', { name: 'Make the command' }).click()
    await shows(/Expires in/)
    expect(cp.writes).toHaveLength(1)
    expect(cp.writes[0]).toMatchObject({
      method: 'POST',
      path: '/v1/orgs/default/workspaces/default/environments/default/enrollments',
      headers: { 'x-mcpg-request': '1', 'content-type': 'application/json' },
      body: { name: 'edge-1', labels: { role: 'edge', zone: 'a' }, ttl: '15m' },
    })
    const rung = (key: string) => page.locator(`[data-rung=${key}]`)
    const isAt = (key: string, state: string) => page.locator(`[data-rung=${key}][data-state=${state}]`).waitFor()
    await isAt('issued', 'done')
    await isAt('redeemed', 'waiting')
    const redemption = { gateway: 'gateway_edge-1', source: '127.0.0.1', at: ago(1) }
    const young = { connection: 'never_seen' as const, connectedAt: undefined, config: { state: 'none' as const, heldBack: [] } }
    cp.put(gateway('edge-1', young))
    cp.put(enrollment('enr-1', { state: 'used', usedCount: 1, redemptions: [redemption] }))
    await isAt('redeemed', 'done')
    expect(await rung('redeemed').innerText()).toContain('from 127.0.0.1, linux/amd64, v0.1.0')
    await isAt('connected', 'waiting')
    cp.put(enrollment('enr-1', { state: 'used', usedCount: 1, redemptions: [{ ...redemption, confirmedAt: ago(0) }] }))
    await isAt('connected', 'done')
    cp.put(gateway('edge-1', { config: { state: 'staged', heldBack: [] } }))
    await rung('applied').getByText('It is staged.').waitFor()
    cp.put(gateway('edge-1'))
    await isAt('online', 'done')
    expect(await rung('applied').innerText()).toContain('a1b2c3d4')
    await page.getByRole('region', { name: 'Done' }).getByText('edge-1 is online').waitFor()
    await page.getByRole('link', { name: 'Open the gateway' }).click()
    await page.getByRole('heading', { name: 'edge-1' }).waitFor()
  })

  it('has the token in the page only while one points at it, and copies the whole command', async () => {
    issue('enr-1', token)
    await open('/enrollments/new')
    await page.getByLabel('Name').fill('edge-1')
    await page.getByRole('button', { name: 'Make the command' }).click()
    const command = page.getByLabel('Command', { exact: true })
    await command.waitFor()
    expect(await page.content()).not.toContain(token)
    await command.hover()
    expect(await command.innerText()).toBe(`mcpg-ctl gateway --enrollment-url 'http://127.0.0.1:7843/enroll/${token}' --name edge-1`)
    await page.getByRole('heading', { name: 'Enroll a gateway' }).hover()
    await until(async () => !(await page.content()).includes(token))
    await command.focus()
    expect(await command.innerText()).toContain(token)
    await page.getByRole('button', { name: 'Copy' }).click()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(`/enroll/${token}' --name edge-1`)
  })

  it('leaves no token in another page, the URL, the history or the storage of the browser', async () => {
    issue('enr-1', 'any-opaque-string')
    await open('/enrollments/new')
    await page.getByRole('button', { name: 'Make the command' }).click()
    await page.getByLabel('Command', { exact: true }).hover()
    await shows(/any-opaque-string/)
    const kept = () =>
      page.evaluate(() => JSON.stringify([location.href, history.state, Object.entries(localStorage), Object.entries(sessionStorage)]))
    expect(await kept()).not.toContain('any-opaque-string')
    await page.getByRole('navigation').getByRole('link', { name: 'Enrollments' }).click()
    await row('Enrollments', 'enr-1').waitFor()
    expect(await page.content()).not.toContain('any-opaque-string')
    await row('Enrollments', 'enr-1').getByRole('link').click()
    await shows('The command was shown once')
    expect((await page.content()) + (await kept())).not.toContain('any-opaque-string')
  })

  it('names likely causes after a minute of silence, and a failed check with its remedy', async () => {
    cp.put(enrollment('enr-1', {}, {}, ago(61)))
    await open('/enrollments/new?enrollment=enr-1')
    await shows('Nothing has called yet. Likely causes')
    await shows('mcpg-ctl doctor')
    cp.put(enrollment('enr-1', { state: 'expired' }, { expiresAt: ago(1) }))
    await shows('The token expired before anybody used it.')
    await page.getByRole('button', { name: 'Make a new command' }).click()
    await page.getByRole('button', { name: 'Make the command' }).waitFor()
    expect(page.url()).toBe(`${cp.url}/enrollments/new`)
  })

  it('shows every violation beside its field, with hint and request id', async () => {
    story.mayComplain = true // the browser itself notes the 409
    cp.knobs.onWrite = () => ({
      status: 409,
      body: {
        code: 'conflict',
        reason: 'gateway_name_in_use',
        detail: 'There is a gateway edge-1 in default already.',
        hint: 'mcpg-ctl delete gateway/edge-1',
        requestId: 'req-7',
        errors: [{ pointer: '/name', detail: 'is taken' }],
      },
    })
    await open('/enrollments/new')
    await page.getByLabel('Name').fill('edge-1')
    await page.getByRole('button', { name: 'Make the command' }).click()
    const alert = page.getByRole('alert')
    await alert.getByText('There is a gateway edge-1 in default already.').waitFor()
    expect(await alert.innerText()).toMatch(/hint: mcpg-ctl delete gateway\/edge-1\s+request-id: req-7/)
    expect(await page.getByLabel('Name').getAttribute('aria-invalid')).toBe('true')
  })

  it('revokes an open enrollment from the list', async () => {
    cp.put(enrollment('enr-1'))
    cp.knobs.onWrite = () => {
      cp.put(enrollment('enr-1', { state: 'revoked' }))
      return { status: 204 }
    }
    await open('/enrollments')
    await page.getByRole('button', { name: 'Revoke enr-1' }).click()
    await row('Enrollments', 'Revoked').waitFor()
    expect(cp.writes.map((one) => one.path)).toEqual(['/v1/orgs/default/workspaces/default/environments/default/enrollments/enr-1/revoke'])
  })
})

describe('server page', () => {
  beforeEach(() => {
    for (const object of troubledFleet()) cp.put(object)
  })

  it('shows reason, exit code and last log lines of a server that failed', async () => {
    await open('/servers/postgres')
    const on = page.getByRole('article', { name: 'On lab' })
    await on.getByText('Error: getaddrinfo ENOTFOUND db.internal').waitFor()
    const text = (await on.innerText()).replaceAll(/\s+/g, ' ')
    expect(text).toMatch(/Failed ExitedEarly .* restarts 5 version 0\.6\.2/)
    expect(text).toContain('The process ended before it answered initialize exit code 1')
    expect(text).toMatch(/postgres-lab-0 Crash loop ExitedEarly 1 5/)
  })

  it('lifts a hold by one click', async () => {
    cp.knobs.onWrite = () => {
      cp.put(server('github', [onGateway('edge-1'), onGateway('lab')]))
      return { status: 200, body: {} }
    }
    await open('/servers/github')
    const on = page.getByRole('article', { name: 'On lab' })
    await on.getByText('Held back: InitializeTimeout').waitFor()
    expect(await on.innerText()).toContain('Revision 3 goes on running here.')
    await on.getByRole('button', { name: 'Restart --retry' }).click()
    await on.getByText('Held back').first().waitFor({ state: 'detached' })
    expect(cp.writes).toMatchObject([
      {
        method: 'POST',
        path: '/v1/orgs/default/workspaces/default/servers/github/restart',
        headers: { 'x-mcpg-request': '1' },
        body: { retry: true },
      },
    ])
  })

  it('asks before it stops, and starts again', async () => {
    cp.knobs.onWrite = ({ path }) => {
      cp.put(server('everything', [onGateway('edge-1')], {}, path.endsWith('/stop') ? { state: 'stopped' } : {}))
      return { status: 200, body: {} }
    }
    await open('/servers/everything')
    await page.getByRole('button', { name: 'Stop…' }).click()
    await shows(/Stop everything on 2 gateways/)
    expect(cp.writes).toEqual([])
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await page.getByRole('button', { name: 'Stop…' }).waitFor()
    expect(cp.writes.map((one) => one.path.split('/').at(-1))).toEqual(['stop', 'start'])
  })

  it('says why an action was refused', async () => {
    story.mayComplain = true // the browser itself notes the 409
    cp.knobs.onWrite = () => ({
      status: 409,
      body: {
        code: 'failed_precondition',
        reason: 'server_stopped',
        detail: 'everything is stopped.',
        hint: 'mcpg-ctl server start everything',
      },
    })
    await open('/servers/everything')
    await page.getByRole('button', { name: 'Restart' }).click()
    await page.getByRole('alert').getByText('everything is stopped.').waitFor()
    expect(await page.getByRole('alert').innerText()).toContain('mcpg-ctl server start everything')
  })

  it('shows tools with what they take, and the manifest, each at an address of its own', async () => {
    await open('/servers/everything?tab=tools&q=echo')
    await shows('Useful to see that the way through the gateway works.')
    const parameters = page.getByRole('table', { name: 'Parameters of echo' })
    expect((await parameters.locator('tbody').innerText()).replaceAll(/\s+/g, ' ')).toBe('message string yes What to echo')
    expect(await page.getByLabel('Input schema', { exact: true }).innerText()).toContain('"required": [')
    await page.getByRole('tab', { name: 'YAML' }).click()
    const manifest = page.getByLabel('Manifest', { exact: true })
    await manifest.waitFor()
    expect(await manifest.innerText()).toBe(
      'servers:\n  - name: everything\n    package:\n      runtime: node\n      name: "@modelcontextprotocol/server-everything"\n',
    )
    expect(page.url()).toContain('tab=yaml')
  })

  it('shows the commands that do the same', async () => {
    await open('/servers/github')
    await page.getByRole('button', { name: 'Show CLI' }).click()
    await shows('mcpg-ctl server restart github --retry')
  })

  it('says so when there is no such server', async () => {
    await open('/servers/nope')
    await shows('There is no server nope')
  })
})

describe('connection', () => {
  it('resumes a cut stream by its cursor and forgets nothing', async () => {
    story.mayComplain = true // the browser itself notes the cut
    cp.put(gateway('edge-1'))
    await open('/gateways')
    await row('Gateways', 'edge-1').waitFor()
    await pill().getByText('Live').first().waitFor()
    cp.put(gateway('edge-2'))
    await row('Gateways', 'edge-2').waitFor()
    cp.cutStreams()
    cp.put(gateway('edge-3'))
    await row('Gateways', 'edge-3').waitFor()
    expect(cp.watches.at(-1)?.cursor).toMatch(/^\d+$/)
  })

  it('lists again when its cursor expired, and drops what was deleted meanwhile', async () => {
    story.mayComplain = true // the browser itself notes the 410
    cp.put(gateway('edge-1'))
    cp.put(gateway('edge-2'))
    await open('/gateways')
    await row('Gateways', 'edge-2').waitFor()
    await pill().getByText('Live').first().waitFor()
    cp.cutStreams()
    cp.remove(gateway('edge-2'))
    cp.forgetHistory()
    await row('Gateways', 'edge-2').waitFor({ state: 'detached' })
    expect(await row('Gateways', 'edge-1').count()).toBe(1)
  })

  it('polls where streams are blocked, and says so', async () => {
    story.mayComplain = true // the browser itself notes the broken streams
    cp.knobs.streams = 'cut'
    cp.put(gateway('edge-1'))
    await open('/gateways')
    await row('Gateways', 'edge-1').waitFor()
    await pill().getByText('Polling every 10 s').waitFor()
    const lists = cp.knobs.lists
    expect(lists).toBeGreaterThan(4)
  })

  it('keeps what it has while the control plane is gone, says from when, and catches up', async () => {
    story.mayComplain = true // the browser itself notes the refused connections
    cp.put(gateway('edge-1'))
    await open('/gateways')
    await row('Gateways', 'Online').waitFor()
    await pill().getByText('Live').first().waitFor()
    cp.knobs.down = true
    cp.cutStreams()
    await pill()
      .getByText(/^Offline – showing data from \d\d:\d\d/)
      .waitFor()
    expect(await row('Gateways', 'edge-1').count()).toBe(1)
    cp.knobs.down = false
    cp.put(gateway('edge-1', { connection: 'late' }))
    await row('Gateways', 'Late').waitFor({ timeout: 20_000 })
    await pill().getByText('Live').first().waitFor()
  })

  it('lets new rows wait while the pointer is on the list', async () => {
    cp.put(gateway('b'))
    await open('/gateways')
    await row('Gateways', 'b').hover()
    cp.put(gateway('a'))
    await page.getByRole('button', { name: '1 new – show' }).click()
    await row('Gateways', 'a').first().waitFor()
    expect(await names()).toEqual(['a', 'b'])
  })
})

describe('shell', () => {
  beforeEach(() => {
    for (const object of troubledFleet()) cp.put(object)
  })

  it('is driven by keys alone', async () => {
    logStreams(cp)
    await open('/')
    await row('Needs attention', 'postgres').waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('s')
    await page.getByRole('heading', { name: 'Servers' }).waitFor()
    await row('Servers', 'github').waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('o')
    await page.getByRole('heading', { name: 'github' }).waitFor()
    await page.keyboard.press('y')
    await page.getByLabel('Manifest', { exact: true }).waitFor()
    await page.keyboard.press('l')
    await page.getByRole('log').waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search and go to' }).fill('echo')
    await page.getByRole('option', { name: /everything__echo/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'echo', level: 1 }).waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('g')
    await page.getByRole('heading', { name: 'Gateways' }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('lab')
    await until(async () => (await page.locator('tbody tr').count()) === 1)
    expect(page.url()).toBe(`${cp.url}/gateways?q=lab`)
  })

  it('reaches every control by Tab with a visible focus, and keeps single keys off when asked', async () => {
    await open('/servers')
    await row('Servers', 'github').waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content')
    const reached = new Set<string>()
    const invisible: string[] = []
    for (let index = 0; index < 60; index++) {
      await page.keyboard.press('Tab')
      const focused = await page.evaluate(() => {
        const element = document.activeElement
        if (!element || element === document.body) return null
        const style = getComputedStyle(element)
        const wrapper = element.parentElement ? getComputedStyle(element.parentElement) : style
        const isVisible = style.outlineStyle !== 'none' || style.borderColor !== 'rgba(0, 0, 0, 0)' || wrapper.outlineStyle !== 'none'
        return { name: element.getAttribute('aria-label') ?? element.textContent ?? '', isVisible }
      })
      if (!focused) break
      if (!focused.isVisible) invisible.push(focused.name)
      reached.add(focused.name)
    }
    expect([...reached]).toEqual(
      expect.arrayContaining(['Gateways', 'Keyboard shortcuts', 'Show CLI', 'Filter by name, source or gateway', 'github']),
    )
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
    await page.getByRole('switch', { name: 'Single-key shortcuts' }).click({ force: true })
    await page.keyboard.press('Escape')
    await page.keyboard.press('g')
    await page.keyboard.press('g')
    await page.keyboard.press('?')
    await until(async () => (await page.getByRole('dialog').count()) === 0)
    expect(page.url()).toBe(`${cp.url}/servers`)
  })

  it('sorts by its header cells and keeps the order in the address', async () => {
    await open('/servers')
    await row('Servers', 'github').waitFor()
    // The address changes in a transition: a click turns round what is drawn, so each is waited for.
    const isSorted = async (order: string) => (await page.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort')) === order
    for (const order of ['ascending', 'descending']) {
      await page.getByRole('button', { name: 'Name' }).click()
      await until(() => isSorted(order))
    }
    await until(async () => page.url().includes('sort=-name'))
    await page.reload()
    await row('Servers', 'github').waitFor()
    await until(async () => (await names()).join() === 'postgres,orphan,github,everything')
  })

  it('shows one environment, chosen at the top and kept by every link', async () => {
    cp.put(gateway('far', {}, 'us'))
    await open('/')
    await row('Gateways', 'far').waitFor()
    await page.getByRole('button', { name: /^Scope/ }).click()
    await page.getByRole('menuitem', { name: 'us' }).click()
    await row('Gateways', 'edge-1').waitFor({ state: 'detached' })
    await page.getByRole('navigation').getByRole('link', { name: 'Gateways' }).click()
    await row('Gateways', 'far').waitFor()
    expect(page.url()).toBe(`${cp.url}/gateways?env=us`)
    await until(async () => (await names()).join() === 'far')
  })

  it('is dark where the system is, changes by one button and remembers it', async () => {
    await story.reopen({ dark: true })
    ;({ page } = story)
    await open('/')
    await row('Needs attention', 'postgres').waitFor()
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    expect(await background()).toBe('rgb(14, 17, 22)')
    await page.getByRole('button', { name: 'Switch to the light theme' }).click()
    await until(async () => (await background()) === 'rgb(246, 247, 249)')
    await page.reload()
    await row('Needs attention', 'postgres').waitFor()
    expect(await background()).toBe('rgb(246, 247, 249)')
  })

  it.each([false, true])('has enough contrast for its texts (dark: %s)', async (dark) => {
    await story.reopen({ dark })
    ;({ page } = story)
    logStreams(cp, [line('one'), line('[error] two'), line('WARN three', { source: 'stdout' }), { type: 'dropped', lines: 1 }])
    for (const path of ['/', '/servers/postgres', '/servers/github?tab=logs', '/tools/everything/echo', '/events', '/enrollments/new']) {
      await open(path)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await pill().getByText('Live').first().waitFor()
      expect({ path, low: await page.evaluate(lowContrast) }).toEqual({ path, low: [] })
    }
  })

  it('fits a phone: no page and no table is wider than the window', async () => {
    await story.reopen({ width: 390 })
    ;({ page } = story)
    for (const path of [
      '/',
      '/gateways',
      '/gateways/lab',
      '/servers',
      '/servers/postgres',
      '/servers/github',
      '/tools',
      '/enrollments/new',
    ]) {
      await open(path)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await until(async () => (await pill().getAttribute('data-tone')) === 'green')
      const wide = await page.evaluate(() =>
        [document.documentElement, ...document.querySelectorAll('[role=table]')]
          .filter((one) => one.scrollWidth > document.documentElement.clientWidth)
          .map((one) => one.tagName),
      )
      expect({ path, wide }).toEqual({ path, wide: [] })
    }
  })

  it('would notice a violation of its policy', async () => {
    story.mayComplain = true
    await open('/')
    await page.evaluate(() => document.head.append(Object.assign(document.createElement('style'), { textContent: 'body{}' })))
    await until(() => story.complaints.some((one) => one.includes('Content Security Policy')))
  })

  it('loads at most 200 kB of compressed script before the first page shows', async () => {
    const html = await readFile(join(story.folder, 'index.html'), 'utf8')
    const scripts = [...html.matchAll(/(?:src|href)="(\/[^"]+\.js)"/g)].map((match) => match[1]!)
    const sizes = await Promise.all(scripts.map(async (script) => gzipSync(await readFile(join(story.folder, script))).length))
    expect(scripts.length).toBeGreaterThan(1)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(200_000)
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=/)
  })
})
