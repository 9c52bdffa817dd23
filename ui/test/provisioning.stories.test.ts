import type { Operation } from '@mcpg/proto/rest/operations'
import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FakeControlPlane } from './fake-control-plane.ts'
import { gateway } from './fleet.ts'
import { lowContrast } from './low-contrast.ts'
import { cluster, deployment, managedGateway, operation, operationEvents } from './managed.ts'
import { stories, until } from './story.ts'

const story = stories()
let cp: FakeControlPlane
let page: Page
beforeEach(() => {
  ;({ cp, page } = story)
})

const gateways = '/v1/orgs/default/workspaces/default/environments/default/gateways'
const button = (name: string) => page.getByRole('button', { name, exact: true })
const dialog = () => page.getByRole('dialog')
const rung = (name: string, state: string) => page.locator(`[data-rung=${name}][data-state=${state}]`).waitFor()
const step = (name: string, status: string) => page.locator(`[data-step="${name}"][data-status=${status}]`).waitFor()

/** What is read beside lists of objects; `rights` are the operations that the reader may do. */
function reading({ operations = [], rights = ['provision', 'cluster-admin'] }: { operations?: Operation[]; rights?: string[] } = {}) {
  const asked: string[] = []
  cp.knobs.onRead = (path, search) => {
    if (path === '/v1/access/can-i') {
      const allowed = search.has('verb') || rights.includes(search.get('operation') ?? '')
      return { status: 200, body: { allowed, subject: 'ada', place: {} } }
    }
    if (path === '/v1/clusters')
      return { status: 200, body: { items: [cluster('berlin'), cluster('oslo', { region: 'eu-north', isolationTier: 'dedicated' })] } }
    if (path.endsWith('/operations')) {
      asked.push(search.toString())
      const matches = (one: Operation) =>
        (search.get('state') ?? one.state) === one.state &&
        (search.get('kind') ?? one.kind) === one.kind &&
        (search.get('gateway') ?? one.gateway.name) === one.gateway.name
      return { status: 200, body: { items: operations.filter(matches) } }
    }
    const found = operations.find(({ id }) => path === `/v1/operations/${id}`)
    if (found) return { status: 200, body: found }
    if (path.endsWith('/deployment')) return { status: 200, body: deployment({ size: 'm' }) }
    return undefined
  }
  return asked
}

describe('a gateway that is provisioned', () => {
  it('is asked for in a dialog, with its command, and leads to its ladder', async () => {
    const operations: Operation[] = []
    reading({ operations })
    const events = operationEvents(cp, 'op-1')
    cp.knobs.onWrite = () => {
      operations.push(operation('op-1'))
      return { status: 202, body: { operationId: 'op-1', instanceUid: 'edge-1-9f3c2a' } }
    }
    await story.open('/gateways')
    await button('Provision a gateway').first().click()
    await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill('edge-1')
    await dialog().getByRole('radio', { name: 'Medium: 0.5 CPU, 1 GiB' }).click()
    await dialog().getByText('It can go to berlin (30 of 40 places free).').waitFor()
    await dialog().getByLabel('Isolation tier').selectOption('sandboxed')
    await dialog().getByText('No cluster that is ready has this region and tier.').waitFor()
    await dialog().getByLabel('Isolation tier').selectOption('shared')
    await dialog().getByLabel('Region').selectOption('eu-central')
    await dialog().getByLabel('Replicas by load, at most').fill('3')
    await dialog().getByText('Show CLI').click()
    const command = 'mcpg-ctl provision create --org default --workspace default --env default --name edge-1 --size m'
    await dialog().getByText(`${command} --max-replicas 3 --region eu-central`, { exact: true }).waitFor()
    await button('Provision').click()
    await page.waitForURL(/\/operations\/op-1$/)
    const { method, path, body, headers } = cp.writes[0]!
    expect([method, path, headers.accept]).toEqual(['POST', gateways, 'application/json'])
    expect(body).toEqual({ name: 'edge-1', size: 'm', replicas: 1, maxReplicas: 3, imageTag: 'latest', region: 'eu-central' })

    // Each step as it happens, up to the end.
    events.tell({ phase: 'allocating', step: 'reserved', status: 'done', message: 'reserved on berlin' })
    await step('reserved', 'done')
    await rung('applying', 'ahead')
    events.tell({ phase: 'applying', step: 'workload', status: 'doing', message: '' })
    await rung('allocating', 'done')
    await step('workload', 'doing')
    operations[0] = operation('op-1', { state: 'succeeded', phase: 'ready', finishedAt: new Date().toISOString() })
    events.tell(
      { phase: 'applying', step: 'workload', status: 'done', message: 'the workload is there' },
      {
        phase: 'ready',
        step: 'ready',
        status: 'done',
        message: 'edge-1 is ready',
        gateway: { name: 'edge-1', instanceUid: 'edge-1-9f3c2a', endpoints: ['http://10.0.0.7:7845/mcp'] },
      },
    )
    await rung('ready', 'done')
    await page.getByLabel('Endpoint').getByText('http://10.0.0.7:7845/mcp').waitFor()
    await page.getByText('Succeeded').waitFor()
    expect(await page.getByRole('link', { name: 'Open the gateway' }).getAttribute('href')).toBe('/gateways/edge-1')
    expect(await button('Cancel…').count()).toBe(0)
  })

  it('says beside the field what is wrong with it', async () => {
    story.mayComplain = true
    reading()
    const detail = 'no cluster is in the region eu-central; there are: eu-north'
    cp.knobs.onWrite = () => ({
      status: 400,
      body: { code: 'invalid', reason: 'region_unknown', detail, errors: [{ pointer: '/region', detail }] },
    })
    await story.open('/gateways')
    await button('Provision a gateway').first().click()
    await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill('edge-1')
    await dialog().getByLabel('Region').selectOption('eu-central')
    await button('Provision').click()
    await dialog().getByRole('alert').waitFor()
    const field = dialog().getByLabel('Region')
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    expect(await page.locator(`[id="${(await field.getAttribute('aria-describedby'))!.split(' ').at(-1)!}"]`).innerText()).toBe(detail)
    expect(page.url()).toMatch(/\/gateways$/)
  })

  it('is resumed after the last event when the stream is cut, and shown from the first one to whoever comes later', async () => {
    story.mayComplain = true
    reading({ operations: [operation('op-1')] })
    const events = operationEvents(cp, 'op-1')
    events.tell(
      { phase: 'allocating', step: 'reserved', status: 'done', message: 'reserved on berlin' },
      { phase: 'applying', step: 'workload', status: 'doing', message: '' },
    )
    await story.open('/operations/op-1')
    await step('workload', 'doing')
    events.cut()
    await until(() => events.asked.length === 2)
    events.tell({ phase: 'applying', step: 'workload', status: 'done', message: 'the workload is there' })
    await step('workload', 'done')
    expect(events.asked).toEqual([0, 2])
    await page.reload()
    await step('workload', 'done')
    await step('reserved', 'done')
    expect(events.asked).toEqual([0, 2, 0])
    expect(await page.locator('[data-step]').count()).toBe(2)
  })

  it('is cancelled after one question, and its ladder tells what is taken back', async () => {
    const operations = [operation('op-1')]
    reading({ operations })
    const events = operationEvents(cp, 'op-1')
    events.tell({ phase: 'applying', step: 'workload', status: 'done', message: 'the workload is there' })
    cp.knobs.onWrite = () => ({ status: 202, body: operation('op-1', { compensating: true }) })
    await story.open('/operations/op-1')
    await button('Cancel…').click()
    await dialog().getByText('What was made of edge-1 is removed again').waitFor()
    expect(cp.writes).toEqual([])
    await button('Take it back').click()
    await dialog().waitFor({ state: 'detached' })
    expect(cp.writes[0]).toMatchObject({ method: 'POST', path: '/v1/operations/op-1/cancel' })
    const error = { reason: 'cancelled', message: 'It was cancelled.' }
    events.tell({ phase: 'applying', step: 'rollout', status: 'failed', message: error.message })
    events.tell({ phase: 'applying', step: 'workload', status: 'undoing', message: '' })
    await step('workload back', 'undoing')
    await rung('failed', 'ahead')
    await page.getByText('being taken back').first().waitFor()
    expect(await button('Cancel…').count()).toBe(0)
    operations[0] = operation('op-1', { state: 'cancelled', phase: 'failed', error })
    events.tell({ phase: 'applying', step: 'workload', status: 'undone', message: 'the workload is gone' })
    events.tell({ phase: 'failed', step: 'rollout', status: 'failed', message: error.message, error })
    await page.getByText('It was cancelled, and what was done is taken back').waitFor()
    await rung('failed', 'failed')
    await button('Try again…').waitFor()
  })

  it('that found no room says why each cluster was passed over and what to do, and is tried again with what it was asked for', async () => {
    const error = { reason: 'no_capacity', message: 'No cluster can take it.' }
    const failed = operation('op-1', { state: 'failed', phase: 'failed', error, parameters: { ...deployment().parameters, size: 'l' } })
    reading({ operations: [failed] })
    operationEvents(cp, 'op-1').tell(
      { phase: 'allocating', step: 'filtering', status: 'failed', message: 'no cluster was chosen of 2' },
      {
        phase: 'failed',
        step: 'filtering',
        status: 'failed',
        message: error.message,
        error,
        passedOver: [
          { cluster: 'berlin', reason: 'cpu', detail: '500m CPU are free of 64000m; 1000m and a tenth more are needed' },
          { cluster: 'oslo', reason: 'tier', detail: 'its tier is dedicated, not shared; --allow-higher-tier takes it' },
        ],
      },
    )
    await story.open('/operations/op-1')
    const rows = page.getByRole('table', { name: 'Clusters that were passed over' }).locator('tbody tr')
    await rows.first().waitFor()
    expect(await rows.allInnerTexts()).toEqual([
      expect.stringMatching(/berlin\s+Cpu\s+500m CPU are free/),
      expect.stringMatching(/oslo\s+Tier\s+its tier is dedicated/),
    ])
    const alert = await page.getByRole('alert').innerText()
    expect(alert).toMatch(/No cluster can take it[^]*smaller size or fewer replicas[^]*allow a stricter one/)
    await button('Try again…').click()
    expect(await dialog().getByRole('textbox', { name: 'Name', exact: true }).inputValue()).toBe('edge-1')
    expect(
      await dialog()
        .getByRole('radio', { name: /^Large/ })
        .getAttribute('aria-checked'),
    ).toBe('true')
  })

  it('that a quota does not allow says which one, and by what', async () => {
    const error = { reason: 'quota_exceeded', message: 'More than the quota allows.' }
    reading({ operations: [operation('op-1', { state: 'failed', phase: 'failed', error })] })
    const exceeded = [{ quota: 'default/default', amount: 'cpuMillicores' as const, used: 1750, of: 2000, asked: 500 }]
    operationEvents(cp, 'op-1').tell({ phase: 'failed', step: 'filtering', status: 'failed', message: error.message, error, exceeded })
    await story.open('/operations/op-1')
    const row = page.getByRole('table', { name: 'Exceeded quotas' }).locator('tbody tr')
    await row.waitFor()
    expect((await row.innerText()).replaceAll(/\s+/g, ' ')).toBe('default/default 1.75 CPU 2 CPU 0.5 CPU')
    await page.getByText('mcpg-ctl get quotas').waitFor()
  })

  it('waits for what is under way with the same gateway, and leads there', async () => {
    story.mayComplain = true
    reading({ operations: [operation('op-1')] })
    cp.put(managedGateway('edge-1'))
    const detail = 'The operation op-1 is at work on the gateway edge-1.'
    cp.knobs.onWrite = () => ({ status: 409, body: { code: 'conflict', reason: 'operation_in_progress', detail } })
    await story.open('/gateways')
    await button('Provision a gateway').first().click()
    await dialog().getByRole('textbox', { name: 'Name', exact: true }).fill('edge-1')
    await dialog().getByText('It is brought to these values in place').waitFor()
    await button('Provision').click()
    await dialog().getByText(detail).waitFor()
    await dialog().getByRole('link', { name: 'Watch it: create edge-1' }).click()
    await page.waitForURL(/\/operations\/op-1$/)
  })

  it('is no offer to those who may not, and is seen by everybody while it is under way', async () => {
    reading({ operations: [operation('op-1')], rights: [] })
    await story.open('/gateways')
    await page.getByRole('link', { name: 'create edge-1' }).waitFor()
    await page.getByText('applying: workload').waitFor()
    expect(await button('Provision a gateway').count()).toBe(0)
    operationEvents(cp, 'op-1').tell({ phase: 'applying', step: 'workload', status: 'doing', message: '' })
    await page.getByRole('link', { name: 'create edge-1' }).click()
    await step('workload', 'doing')
    expect(await button('Cancel…').count()).toBe(0)
  })
})

describe('the page of a managed gateway', () => {
  it('says where it runs and with what, has its operations, and is deprovisioned after one question', async () => {
    const operations = [operation('op-1', { state: 'succeeded', phase: 'ready', finishedAt: new Date().toISOString() })]
    reading({ operations })
    cp.put(managedGateway('edge-1'))
    cp.put(gateway('lab'))
    await story.open('/gateways')
    await page.getByRole('link', { name: 'edge-1 managed' }).click()
    await page.getByText('Managed, on the cluster berlin, size m (0.5 CPU, 1 GiB), 1 replica').waitFor()
    await page.getByRole('tab', { name: 'Deployment' }).click()
    await page.getByRole('region', { name: 'Deployment' }).getByText('region eu-central, tier shared').waitFor()
    await page.getByRole('table', { name: 'Operations' }).getByRole('link', { name: 'Create edge-1' }).waitFor()
    cp.knobs.onWrite = () => {
      operations.push(operation('op-2', { kind: 'delete', step: 'drained' }))
      return { status: 202, body: { operationId: 'op-2', instanceUid: 'edge-1-9f3c2a' } }
    }
    operationEvents(cp, 'op-2').tell({ phase: 'applying', step: 'drained', status: 'doing', message: '' })
    await button('Deprovision…').click()
    await dialog().getByText('This cannot be taken back or cancelled').waitFor()
    await dialog()
      .getByText('mcpg-ctl provision delete --org default --workspace default --env default --instance-uid edge-1-9f3c2a')
      .waitFor()
    expect(cp.writes).toEqual([])
    await button('Deprovision').click()
    await page.waitForURL(/\/operations\/op-2$/)
    expect(cp.writes[0]).toMatchObject({ method: 'DELETE', path: `${gateways}/edge-1` })
    await step('drained', 'doing')
    expect(await button('Cancel…').count()).toBe(0)
  })

  it('changes it in place, and leaves where it is alone', async () => {
    reading({ operations: [operation('op-1', { kind: 'update' })] })
    operationEvents(cp, 'op-1').tell({ phase: 'allocating', step: 'reserved', status: 'done', message: 'stays on berlin' })
    cp.put(managedGateway('edge-1'))
    cp.knobs.onWrite = () => ({ status: 202, body: { operationId: 'op-1', instanceUid: 'edge-1-9f3c2a' } })
    await story.open('/gateways/edge-1')
    await button('Change…').click()
    expect(await dialog().getByRole('textbox', { name: 'Name', exact: true }).isDisabled()).toBe(true)
    expect(await dialog().getByLabel('Region').count()).toBe(0)
    await dialog()
      .getByRole('radio', { name: /^Large/ })
      .click()
    await button('Change it').click()
    await page.waitForURL(/\/operations\/op-1$/)
    expect(cp.writes[0]!.body).toEqual({ name: 'edge-1', size: 'l', replicas: 1, imageTag: 'latest' })
  })

  it('of one that enrolled by itself has nothing of this', async () => {
    reading()
    cp.put(gateway('lab'))
    await story.open('/gateways/lab')
    await page.getByRole('tab', { name: 'Config' }).waitFor()
    expect(await page.getByRole('tab', { name: 'Deployment' }).count()).toBe(0)
    expect(await button('Deprovision…').count()).toBe(0)
  })
})

describe('operations', () => {
  it('are found by kind, state and gateway, which stand in the address', async () => {
    const asked = reading({
      operations: [
        operation('op-3', { kind: 'delete', gateway: { name: 'edge-2', instanceUid: 'edge-2-aaaaaa' } }),
        operation('op-2', { kind: 'update', state: 'failed', error: { reason: 'workload_failed', message: 'It does not start.' } }),
        operation('op-1', { state: 'succeeded', phase: 'ready', finishedAt: new Date().toISOString() }),
      ],
    })
    await story.open('/operations')
    const rows = page.getByRole('table', { name: 'Operations' }).locator('tbody tr')
    const shows = async (...texts: string[]) => {
      await until(async () => (await rows.count()) === texts.length)
      expect(await rows.locator('td:first-child').allInnerTexts()).toEqual(texts)
    }
    await shows('Delete edge-2', 'Update edge-1', 'Create edge-1')
    await page.getByText('workload failed', { exact: true }).waitFor()
    await page.getByLabel('State').selectOption('failed')
    await shows('Update edge-1')
    await page.getByLabel('State').selectOption('')
    await page.getByLabel('Gateway').fill('edge-2')
    await page.keyboard.press('Enter')
    await shows('Delete edge-2')
    expect(page.url()).toMatch(/\?gateway=edge-2$/)
    await page.getByLabel('Kind').selectOption('create')
    await page.getByText('No operation matches').waitFor()
    expect(asked).toContain('limit=100&gateway=edge-2&kind=create')
  })

  it.each(['/operations', '/operations/op-1', '/gateways/edge-1?tab=deployment', '/clusters', '/clusters/berlin'])(
    'and everything about them fit a phone: %s',
    async (path) => {
      await story.reopen({ width: 375 })
      ;({ page } = story)
      reading({ operations: [operation('op-1')] })
      cp.put(managedGateway('edge-1'))
      operationEvents(cp, 'op-1').tell({ phase: 'applying', step: 'rollout', status: 'retrying', message: `attempt 2: ${'x'.repeat(80)}` })
      await story.open(path)
      await page.getByRole('main').getByText('berlin').first().waitFor()
      const wide = await page.evaluate(() =>
        [document.documentElement, ...document.querySelectorAll('[role=table]')]
          .filter((one) => one.scrollWidth > document.documentElement.clientWidth)
          .map((one) => one.tagName),
      )
      expect(wide).toEqual([])
    },
  )

  it.each([false, true])('have enough contrast for their texts (dark: %s)', async (dark) => {
    await story.reopen({ dark })
    ;({ page } = story)
    const error = { reason: 'workload_failed', message: 'It does not start.' }
    reading({ operations: [operation('op-1'), operation('op-2', { state: 'failed', error })] })
    cp.put(managedGateway('edge-1'))
    operationEvents(cp, 'op-1').tell(
      { phase: 'applying', step: 'rollout', status: 'failed', message: error.message },
      { phase: 'applying', step: 'workload', status: 'undoing', message: '' },
    )
    for (const path of ['/operations', '/operations/op-1', '/gateways', '/clusters', '/clusters/berlin']) {
      await story.open(path)
      await page.getByRole('main').getByText('berlin').or(page.getByText('edge-1 managed')).first().waitFor()
      expect({ path, low: await page.evaluate(lowContrast) }).toEqual({ path, low: [] })
    }
    await story.open('/gateways')
    await button('Provision a gateway').first().click()
    await dialog().getByText('It can go to').waitFor()
    await dialog().getByLabel('Isolation tier').selectOption('sandboxed')
    await dialog().getByText('No cluster that is ready').waitFor()
    expect(await page.evaluate(lowContrast)).toEqual([])
  })

  it('are walked by keys alone, and a dialog gives the focus back', async () => {
    reading()
    cp.put(gateway('lab'))
    await story.open('/gateways')
    await page.getByRole('link', { name: 'lab' }).waitFor()
    await button('Provision a gateway').focus()
    await page.keyboard.press('Enter')
    await dialog().getByRole('link', { name: 'add a domain' }).waitFor()
    const reached: string[] = []
    for (let index = 0; index < 20; index++) {
      await page.keyboard.press('Tab')
      reached.push(
        await page.evaluate(() => document.activeElement?.closest('a, label, [aria-label], button, summary')?.textContent?.trim() ?? ''),
      )
    }
    expect(reached.join('|')).toMatch(/Small.*More about where\|add a domain\|Show CLI\|Provision/)
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'detached' })
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Provision a gateway')
  })
})
