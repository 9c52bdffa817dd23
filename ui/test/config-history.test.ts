import type { GatewayConfigEntry } from '@mcpg/proto/rest/gateways'
import { beforeEach, describe, expect, it } from 'vitest'
import { ago, gateway, onGateway, server } from './fleet.ts'
import { stories, until } from './story.ts'

const story = stories()
const path = '/v1/orgs/default/workspaces/default/environments/default/gateways/edge-1'
const button = (name: string) => story.page.getByRole('button', { name, exact: true })
const row = (text: string) => story.page.getByRole('table', { name: 'History of configs' }).getByRole('row').filter({ hasText: text })
const point = (generation: number) => ({ generation, hash: String(generation).repeat(64), at: ago(60) })
const pin = { generation: 5, hash: '3'.repeat(64), since: ago(30), by: 'ada', waiting: ['github'] }

const entry = (generation: number, more: Partial<GatewayConfigEntry> = {}): GatewayConfigEntry => ({
  generation,
  hash: String(generation).repeat(64),
  state: 'superseded',
  force: false,
  servers: ['everything'],
  createdAt: ago(600 - generation * 100),
  cause: { why: 'change', actions: [{ action: 'server.update', object: 'server/everything', by: 'ada' }], more: 0 },
  ...more,
})

const history = [
  entry(4, { state: 'applied' }),
  entry(3),
  entry(2, { state: 'rolled_back', reason: 'UNHEALTHY', message: 'everything ended early', cause: { why: 'start', actions: [], more: 0 } }),
]

beforeEach(() => {
  story.cp.put(gateway('edge-1', { config: { state: 'applied', desired: point(4), applied: point(4), lkg: point(4), heldBack: [] } }))
  story.cp.knobs.onRead = (at, search) => {
    if (at === `${path}/configs`) return { status: 200, body: { items: history } }
    const from = Number(search.get('diff'))
    const to = Number(at.split('/').at(-1))
    if (!at.startsWith(`${path}/configs/`)) return undefined
    const fields = [{ path: '/env/0/value', before: `v${from}`, after: `v${to}` }]
    return {
      status: 200,
      body: entry(to, { diff: { from, to, servers: [{ server: 'everything', result: 'changed', fields }], others: [] } }),
    }
  }
})

describe('history of configs', () => {
  it('says of each generation how it stands, what led to it, and what differs between two of them', async () => {
    await story.open('/gateways/edge-1')
    await story.page.getByRole('tab', { name: 'Config' }).click()
    await row('Rolled back').waitFor()
    const text = async (of: string) => (await row(of).innerText()).replaceAll(/\s+/g, ' ')
    expect(await text('Rolled back')).toMatch(
      /^2 Rolled back UNHEALTHY The control plane started everything ended early 1 22222222 .* Roll back…$/,
    )
    expect(await text('Applied')).toMatch(/^4 Applied update server\/everything by ada 1 44444444 .* desired$/)
    const diff = story.page.getByRole('region', { name: 'Changed: everything' })
    expect((await diff.innerText()).replaceAll(/\s+/g, ' ')).toContain('/env/0/value v3 v4')
    await story.page.getByLabel('From').selectOption('2')
    await diff.getByText('v2').waitFor()
    expect(story.page.url()).toContain('from=2')
  })

  it('asks before it rolls back, and says what that means', async () => {
    await story.open('/gateways/edge-1?tab=config')
    await row('Rolled back').getByRole('button', { name: 'Roll back…' }).click()
    const dialog = story.page.getByRole('dialog', { name: 'Roll edge-1 back to generation 2?' })
    await dialog.getByText('This config failed here before.').waitFor()
    await dialog.getByText('no change of any server reaches edge-1 until somebody resumes it').waitFor()
    await dialog.getByText('mcpg-ctl rollback gateway/edge-1 --to 2').waitFor()
    await dialog.getByText('v2').waitFor()
    expect(story.cp.writes).toHaveLength(0)
    await button('Roll back and pin').click()
    await dialog.waitFor({ state: 'detached' })
    expect(story.cp.writes).toMatchObject([{ method: 'POST', path: `${path}/rollback`, body: { to: 2 } }])
  })

  it('says why a rollback was refused, and keeps asking', async () => {
    story.mayComplain = true // the browser itself notes the 409
    story.cp.knobs.onWrite = () => ({
      status: 409,
      body: {
        code: 'failed_precondition',
        reason: 'secret_gone',
        detail: 'Generation 3 needs a secret that is gone.',
        hint: 'mcpg-ctl get secrets',
      },
    })
    await story.open('/gateways/edge-1?tab=config')
    await row('Superseded').getByRole('button', { name: 'Roll back…' }).click()
    await button('Roll back and pin').click()
    await story.page.getByRole('dialog').getByText('Generation 3 needs a secret that is gone.').waitFor()
    await button('Keep it as it is').click()
    await story.page.getByRole('dialog').waitFor({ state: 'detached' })
  })
})

describe('a pinned gateway', () => {
  beforeEach(() => {
    const config = { state: 'applied' as const, desired: point(5), applied: point(5), lkg: point(5), heldBack: [], pinned: pin }
    story.cp.put(gateway('edge-1', { config }))
  })

  it('is seen wherever the gateway is', async () => {
    story.cp.put(server('github', [onGateway('edge-1', { pinned: { generation: 5, since: ago(30), by: 'ada' } })]))
    await story.open('/')
    const attention = story.page.getByRole('table', { name: 'Needs attention' }).getByRole('row').filter({ hasText: 'Pinned' })
    await attention.getByText('1 server would change once it is resumed.').waitFor()
    await attention.getByText('mcpg-ctl resume gateway/edge-1').waitFor()
    const cells = story.page.getByRole('table', { name: 'Gateways' }).getByRole('row').filter({ hasText: 'edge-1' })
    expect(await cells.innerText()).toMatch(/Pinned\s+to 5/)
    await story.open('/servers/github')
    await story.page.getByText('edge-1 is pinned to generation 5').waitFor()
    await story.open('/gateways/edge-1')
    await story.page.getByText('Pinned to generation 5').waitFor()
  })

  it('is resumed after one was asked, and moves on by itself on the page', async () => {
    await story.open('/gateways/edge-1')
    await story.page.getByText('Waiting: github.').waitFor()
    await button('Resume…').click()
    const dialog = story.page.getByRole('dialog', { name: 'Resume edge-1?' })
    await dialog.getByText('1 server will change on it (github)').waitFor()
    await button('Resume').click()
    await dialog.waitFor({ state: 'detached' })
    expect(story.cp.writes).toMatchObject([{ method: 'POST', path: `${path}/resume` }])
    story.cp.put(gateway('edge-1'))
    await until(async () => (await story.page.getByText('Pinned to generation 5').count()) === 0)
  })
})
