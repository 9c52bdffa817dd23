import type { Cluster } from '@mcpg/proto/rest/clusters'
import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FakeControlPlane } from './fake-control-plane.ts'
import { cluster, operation } from './managed.ts'
import { stories, until } from './story.ts'

const story = stories()
let cp: FakeControlPlane
let page: Page
beforeEach(() => {
  ;({ cp, page } = story)
})

const button = (name: string) => page.getByRole('button', { name, exact: true })
const dialog = () => page.getByRole('dialog')

function reading(clusters: Cluster[], { isAdmin = true }: { isAdmin?: boolean } = {}): void {
  cp.knobs.onRead = (path) => {
    if (path === '/v1/access/can-i') return { status: 200, body: { allowed: isAdmin, subject: 'ada', place: {} } }
    if (path === '/v1/clusters') return { status: 200, body: { items: clusters } }
    if (path.endsWith('/operations')) return { status: 200, body: { items: [operation('op-1')] } }
    return undefined
  }
}

describe('clusters', () => {
  it('are listed with what is reserved of them and what is wrong with them', async () => {
    reading([
      cluster('berlin'),
      cluster('oslo', {
        state: 'unreachable',
        message: 'The API does not answer.',
        gateways: { max: 10, reserved: 9 },
        memoryBytes: { reserved: 2 ** 30 },
      }),
      cluster('old', { state: 'decommissioned' }),
    ])
    await story.open('/clusters')
    const row = (name: string) => page.getByRole('table', { name: 'Clusters' }).getByRole('row').filter({ hasText: name })
    await row('berlin').waitFor()
    const flat = (await row('berlin').innerText()).replaceAll(/\s+/g, ' ')
    expect(flat).toMatch(/berlin Ready eu-central shared 10 of 40 5 CPU of 64 CPU 12.0 GiB of 128.0 GiB Healthy/)
    const meter = page.getByRole('meter', { name: 'Gateways on oslo' })
    expect(await meter.getAttribute('aria-valuetext')).toBe('9 of 10 reserved')
    expect((await row('oslo').innerText()).replaceAll(/\s+/g, ' ')).toMatch(
      /Unreachable .* 1.0 GiB, not limited The API does not answer. Nearly full: gateways./,
    )
    expect(await row('old').count()).toBe(0)
    await button('Decommissioned 1').click()
    await row('old').waitFor()
    await page.getByText('mcpg-ctl cluster register --name <name> --region <region> --gateways-max <n>').waitFor()
  })

  it('are cordoned and uncordoned after a question', async () => {
    const clusters = [cluster('berlin')]
    reading(clusters)
    cp.knobs.onWrite = ({ path }) => {
      clusters[0] = cluster('berlin', { state: path.endsWith('/cordon') ? 'cordoned' : 'ready' })
      return { status: 200, body: clusters[0] }
    }
    await story.open('/clusters/berlin')
    await page.getByText('room for 30 more small gateways').waitFor()
    await page.getByRole('link', { name: 'Create edge-1' }).waitFor()
    await button('Cordon…').click()
    expect(cp.writes).toEqual([])
    await button('Cordon').click()
    await page.getByText('Cordoned: what runs here goes on, and nothing new is placed on it').waitFor()
    await button('Uncordon…').click()
    await button('Uncordon').click()
    await button('Cordon…').waitFor()
    expect(cp.writes.map(({ path }) => path)).toEqual(['/v1/admin/clusters/cl_berlin/cordon', '/v1/admin/clusters/cl_berlin/uncordon'])
  })

  it('are given up when they are empty; else the answer names what runs there, and force asks again and wants the name', async () => {
    story.mayComplain = true
    const clusters = [cluster('berlin')]
    reading(clusters)
    const detail = 'The cluster berlin cannot be decommissioned: 1 gateway runs on it (default/default/default/edge-1).'
    cp.knobs.onWrite = ({ body }) => {
      if (!(body as { force: boolean }).force)
        return { status: 409, body: { code: 'conflict', reason: 'cluster_not_empty', detail, hint: 'mcpg-ctl provision delete' } }
      clusters[0] = cluster('berlin', { state: 'decommissioned' })
      return { status: 200, body: clusters[0] }
    }
    await story.open('/clusters/berlin')
    await button('Decommission…').click()
    await button('Decommission').click()
    await dialog().getByText(detail).waitFor()
    await button('Force…').click()
    await dialog().getByText('Their credentials are void at once').waitFor()
    expect(await button('Decommission by force').isDisabled()).toBe(true)
    await dialog().getByLabel('Type berlin to go on').fill('berli')
    expect(await button('Decommission by force').isDisabled()).toBe(true)
    await dialog().getByLabel('Type berlin to go on').fill('berlin')
    await dialog().getByLabel('Leave them running').check()
    await dialog().getByText('mcpg-ctl cluster decommission --id berlin --force --keep-running').waitFor()
    await button('Decommission by force').click()
    await page.getByText('Decommissioned: nothing is placed here any more').waitFor()
    expect(cp.writes.map(({ body }) => body)).toEqual([
      { force: false, keepRunning: false },
      { force: true, keepRunning: true },
    ])
    expect(await button('Decommission…').count()).toBe(0)
  })

  it('are only looked at by those who do not look after them', async () => {
    reading([cluster('berlin')], { isAdmin: false })
    await story.open('/clusters')
    await page.getByRole('link', { name: 'berlin' }).click()
    await page.getByRole('meter').first().waitFor()
    expect(await page.getByRole('button', { name: /Cordon|Decommission/ }).count()).toBe(0)
    await page.goBack()
    await page.getByRole('link', { name: 'berlin' }).waitFor()
    expect(await page.getByText('cluster register').count()).toBe(0)
  })

  it('are found by keys and in the palette, and their absence is said', async () => {
    reading([])
    await story.open('/')
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('n')
    await page.getByText('No cluster yet').waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('r')
    await until(() => new URL(page.url()).pathname === '/operations')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('kubernetes')
    await page.getByRole('option', { name: /Clusters/ }).waitFor()
  })
})
