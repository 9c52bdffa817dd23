import type { Cluster, ClusterGateways, ClusterMove } from '@mcpg/proto/rest/clusters'
import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FakeControlPlane } from './fake-control-plane.ts'
import { ago } from './fleet.ts'
import { lowContrast } from './low-contrast.ts'
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

const place = (name: string) => ({ org: 'acme', workspace: 'main', environment: 'prod', name })
const held = (name: string) => ({ ...place(name), instanceUid: `${name}-9f3c2a`, state: 'ready' as const })
const move = (name: string, more: Partial<ClusterMove> = {}): ClusterMove => ({
  ...place(name),
  operationId: `move-${name}`,
  cluster: 'oslo',
  state: 'running',
  phase: 'applying',
  step: 'rollout',
  compensating: false,
  startedAt: ago(3),
  ...more,
})

type Reading = { isAdmin?: boolean; gateways?: ClusterGateways }

function reading(clusters: Cluster[], { isAdmin = true, gateways = { items: [], moves: [] } }: Reading = {}): void {
  cp.knobs.onRead = (path) => {
    if (path.endsWith('/gateways') && path.startsWith('/v1/admin/')) return { status: 200, body: gateways }
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

  it('are drained: the question names who moves, and each move is followed with what keeps it, up to the end', async () => {
    const clusters = [cluster('berlin'), cluster('oslo')]
    const gateways: ClusterGateways = { items: ['alpha', 'beta', 'gamma'].map(held), moves: [] }
    reading(clusters, { gateways })
    const drain = {
      startedAt: ago(2),
      startedBy: 'ada',
      deadline: new Date(Date.now() + 3_600_000).toISOString(),
      total: 3,
      expired: false,
    }
    cp.knobs.onWrite = ({ path }) => {
      clusters[0] = path.endsWith('/drain')
        ? cluster('berlin', { state: 'draining', drain: { ...drain, left: 3, moving: 0, waiting: [] } })
        : cluster('berlin')
      return { status: 200, body: clusters[0] }
    }
    await story.open('/clusters/berlin')
    await page.getByRole('table', { name: 'Gateways here' }).getByRole('link', { name: 'alpha' }).waitFor()
    await button('Drain…').click()
    await dialog().getByText('3 gateways move to another cluster, at most 1 at once.').waitFor()
    expect(await dialog().getByRole('list', { name: 'Gateways that move' }).getByRole('listitem').allInnerTexts()).toEqual([
      'acme/main/prod/alpha',
      'acme/main/prod/beta',
      'acme/main/prod/gamma',
    ])
    await dialog().getByText('Ready to take them, as far as there is room: oslo.').waitFor()
    await dialog().getByLabel('Deadline').fill('2h')
    await dialog().getByText('mcpg-ctl cluster drain berlin --deadline 2h').waitFor()
    expect(cp.writes).toEqual([])
    await button('Drain').click()
    const row = (name: string) => page.getByRole('table', { name: 'Gateways of the drain' }).getByRole('row').filter({ hasText: name })
    await row('gamma').filter({ hasText: 'its turn comes' }).waitFor()

    // One has moved, one is on its way, and one found no room.
    const waiting = [{ gateway: 'acme/main/prod/gamma', why: 'oslo: it is full' }]
    clusters[0] = cluster('berlin', { state: 'draining', drain: { ...drain, left: 1, moving: 1, waiting } })
    Object.assign(gateways, {
      items: [held('beta'), held('gamma')],
      moves: [move('beta'), move('alpha', { state: 'succeeded', phase: 'ready' })],
    })
    await row('beta').filter({ hasText: 'applying: rollout' }).waitFor()
    await row('gamma').filter({ hasText: 'oslo: it is full' }).waitFor()
    await row('alpha').filter({ hasText: 'Moved' }).waitFor()
    await page.getByText('1 gateway cannot move yet').waitFor()
    const meter = page.getByRole('meter', { name: 'Moved from berlin' })
    await until(async () => (await meter.getAttribute('aria-valuetext')) === '1 of 3 moved, 1 on their way')
    const watch = row('beta').getByRole('link', { name: 'Watch it' })
    expect(await watch.getAttribute('href')).toBe('/operations/move-beta?ws=acme/main')

    // Its deadline passes with one left, which is drained again; then all is gone.
    const over = { finishedAt: ago(0), moving: 0 }
    clusters[0] = cluster('berlin', { state: 'draining', drain: { ...drain, ...over, left: 1, waiting, expired: true } })
    Object.assign(gateways, {
      items: [held('gamma')],
      moves: [move('beta', { state: 'succeeded' }), move('alpha', { state: 'succeeded' })],
    })
    await page.getByText('The deadline has passed: 1 gateway is still here and serves').waitFor()
    await button('Drain it again…').click()
    await dialog().getByText('1 gateway moves to another cluster').waitFor()
    await button('Leave it').click()
    await button('Uncordon…').waitFor()
    expect(cp.writes.map(({ path, body }) => [path, body])).toEqual([['/v1/admin/clusters/cl_berlin/drain', { deadline: '2h' }]])
  })

  it('are kept after all when their drain is cancelled, and say that there is nowhere to go', async () => {
    const waiting = [{ gateway: 'acme/main/prod/alpha', why: 'there is no other cluster' }]
    const drain = { startedAt: ago(2), startedBy: 'ada', total: 1, left: 1, moving: 0, waiting, expired: false }
    const clusters = [cluster('berlin', { state: 'draining', drain })]
    reading(clusters, { gateways: { items: [held('alpha')], moves: [] } })
    cp.knobs.onWrite = () => {
      clusters[0] = cluster('berlin')
      return { status: 200, body: clusters[0] }
    }
    await story.open('/clusters/berlin')
    await page.getByText('there is no other cluster').waitFor()
    await button('Cancel the drain…').click()
    await dialog().getByText('Those that have moved stay where they are').waitFor()
    await button('Cancel the drain').click()
    await button('Drain…').click()
    await dialog().getByText('No other cluster is ready').waitFor()
    expect(cp.writes.map(({ path }) => path)).toEqual(['/v1/admin/clusters/cl_berlin/uncordon'])
  })

  it('are registered with a kubeconfig that is pasted; everything that is wrong is said at once, each at its field', async () => {
    story.mayComplain = true
    reading([])
    const errors = [
      { pointer: '/region', detail: 'must be 1-63 of A-Z, a-z, 0-9, -, _ and .' },
      { pointer: '/gatewaysMax', detail: 'must be at least 1' },
      { pointer: '/kubernetes/kubeconfig', detail: 'signs in by a program (exec), which is not run here' },
    ]
    cp.knobs.onWrite = ({ body }) =>
      (body as { gatewaysMax: number }).gatewaysMax === 0
        ? { status: 400, body: { code: 'invalid', reason: 'invalid_request', detail: 'The request is not valid.', errors } }
        : { status: 201, body: { ...cluster('berlin'), hint: 'Kubernetes 1.28: pod security is not enforced.' } }
    await story.open('/clusters')
    await button('Register a cluster').first().click()
    await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill('berlin')
    await dialog().getByLabel('Region').fill('eu central')
    await dialog().getByLabel('Most gateways').fill('0')
    await dialog().getByRole('textbox', { name: 'Kubeconfig', exact: true }).fill('apiVersion: v1')
    await button('Register').click()
    for (const { detail } of errors) await dialog().getByText(detail).first().waitFor()
    expect(await dialog().getByRole('textbox', { name: 'Kubeconfig', exact: true }).getAttribute('aria-invalid')).toBe('true')
    await dialog().getByLabel('Region').fill('eu')
    await dialog().getByLabel('Most gateways').fill('20')
    await dialog().getByLabel('CPUs for them').fill('1.5')
    await dialog().getByLabel('Labels').fill('disk=ssd')
    await dialog().getByText('How gateways run there').click()
    await dialog().getByLabel('Storage class').fill('fast')
    await dialog().getByRole('textbox', { name: 'Namespace', exact: true }).fill('tools')
    await dialog().getByText('Show CLI').click()
    await dialog().getByText('--storage-class fast --namespace tools').waitFor()
    await button('Register').click()
    await dialog().getByText('Kubernetes 1.28: pod security is not enforced.').waitFor()
    expect(cp.writes.at(-1)?.body).toEqual({
      name: 'berlin',
      region: 'eu',
      isolationTier: 'shared',
      driver: 'kubernetes',
      gatewaysMax: 20,
      cpuMillicoresTotal: 1500,
      labels: { disk: 'ssd' },
      kubernetes: { kubeconfig: 'apiVersion: v1', workloads: { storageClass: 'fast', namespace: 'tools' } },
    })
  })

  it('are changed as far as gateways were not placed by it', async () => {
    const clusters = [cluster('berlin', { state: 'registering', message: 'It has no credentials yet.' })]
    reading(clusters)
    cp.knobs.onWrite = () => {
      clusters[0] = cluster('berlin')
      return { status: 200, body: clusters[0] }
    }
    await story.open('/clusters/berlin')
    await button('Give it credentials…').click()
    await dialog().getByLabel('URL and token of an account').check()
    await dialog().getByLabel('URL of its API server').fill('https://k8s:6443')
    await dialog().getByLabel('Token of the account').fill('secret')
    await button('Change it').click()
    await button('Change…').click()
    await dialog().getByLabel('Most gateways').fill('50')
    await dialog().getByLabel('Labels').fill('')
    await dialog().getByText('Show CLI').click()
    await dialog().getByText('mcpg-ctl cluster set berlin --gateways-max 50 --label =').waitFor()
    await button('Change it').click()
    await dialog().waitFor({ state: 'detached' })
    expect(cp.writes.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['PATCH', '/v1/admin/clusters/cl_berlin', { kubernetes: { server: 'https://k8s:6443', token: 'secret' } }],
      ['PATCH', '/v1/admin/clusters/cl_berlin', { gatewaysMax: 50, labels: {} }],
    ])
  })

  for (const dark of [false, true])
    it(`are readable while they are drained, and fit a phone (dark: ${dark})`, async () => {
      await story.reopen({ dark, width: 390 })
      ;({ page } = story)
      const waiting = [{ gateway: 'acme/main/prod/gamma', why: 'oslo: it is full' }]
      const drain = { startedAt: ago(2), startedBy: 'ada', total: 3, left: 1, moving: 1, waiting, expired: false }
      reading([cluster('berlin', { state: 'draining', drain })], {
        gateways: { items: [held('beta'), held('gamma')], moves: [move('beta'), move('alpha', { state: 'succeeded' })] },
      })
      await story.open('/clusters/berlin')
      await page.getByText('oslo: it is full').waitFor()
      expect(await page.evaluate(lowContrast)).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    })

  it('are only looked at by those who do not look after them', async () => {
    reading([cluster('berlin')], { isAdmin: false })
    await story.open('/clusters')
    await page.getByRole('link', { name: 'berlin' }).click()
    await page.getByRole('meter').first().waitFor()
    expect(await page.getByRole('button', { name: /Cordon|Drain|Change|Decommission/ }).count()).toBe(0)
    expect(await page.getByText('Gateways here').count()).toBe(0)
    await page.goBack()
    await page.getByRole('link', { name: 'berlin' }).waitFor()
    expect(await button('Register a cluster').count()).toBe(0)
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
    await page.getByRole('combobox', { name: 'Search and go to' }).fill('kubernetes')
    await page.getByRole('option', { name: /Clusters/ }).waitFor()
  })
})
