import { readFile } from 'node:fs/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { ago, event, gateway, instance, onGateway, server } from './fleet.ts'
import { line, logStreams } from './log-stream.ts'
import { stories, until } from './story.ts'

const story = stories()
const scope = '/v1/orgs/default/workspaces/default'
const log = () => story.page.getByRole('log')
const button = (name: string | RegExp) => story.page.getByRole('button', { name, exact: typeof name === 'string' })

beforeEach(() => {
  story.cp.put(gateway('edge-1'))
  story.cp.put(server('github', [onGateway('edge-1'), onGateway('edge-2')]))
  story.cp.put(instance('github', 'edge-1'))
  story.cp.put(instance('github', 'edge-2'))
})

describe('log of a server', () => {
  it('that is not there yet says so with the next command, and as no failure', async () => {
    story.mayComplain = true // the browser itself notes the 409
    const hint = 'mcpg-ctl describe server/github says where it should run'
    const problem = { code: 'failed_precondition', reason: 'server_runs_nowhere', detail: 'No gateway has run github so far.', hint }
    story.cp.knobs.onLog = (_request, response) =>
      void response.writeHead(409, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem))
    await story.open('/servers/github?tab=logs')
    await story.page.getByText('No gateway has run github so far.').waitFor()
    await story.page.getByText(hint).waitFor()
    expect(await story.page.getByRole('alert').count()).toBe(0)
  })

  it('is followed as it is written, with its place, its source and its level', async () => {
    const streams = logStreams(story.cp, [line('listening', { gateway: 'edge-1', instance: 'github-edge-1-0' })])
    await story.open('/servers/github')
    await story.page.getByRole('tab', { name: 'Logs' }).click()
    await log().getByText('listening').waitFor()
    await story.page.getByText('Following').waitFor()
    expect(streams.asked).toEqual([`${scope}/servers/github/logs?follow=true&tail=100`])
    expect(await log().innerText()).toMatch(/\d\d:\d\d:\d\d\s+edge-1 github-edge-1-0\s+stderr\s+listening/)
    streams.send(line('[error] no database', { source: 'stdout' }), { type: 'dropped', lines: 12 })
    const failed = log().locator('[data-level=error]')
    await failed.getByText('[error] no database').waitFor()
    await log().getByText('12 lines dropped').waitFor()
  })

  it('is paused without losing a line', async () => {
    const streams = logStreams(story.cp, [line('first')])
    await story.open('/servers/github?tab=logs')
    await log().getByText('first').waitFor()
    await button('Pause').click()
    streams.send(line('second'), line('third'))
    await button('2 new lines – show').click()
    await log().getByText('third').waitFor()
    streams.send(line('fourth'))
    await log().getByText('fourth').waitFor()
  })

  it('is filtered by words and by level, and never hides that lines are missing', async () => {
    logStreams(story.cp, [line('apple'), line('WARN banana'), { type: 'dropped', lines: 3 }, line('cherry')])
    await story.open('/servers/github?tab=logs')
    await log().getByText('cherry').waitFor()
    await story.page.getByLabel('Filter the lines').fill('APP')
    await log().getByText('cherry').waitFor({ state: 'detached' })
    expect(await log().innerText()).toMatch(/apple\s+3 lines dropped$/)
    await button('Clear the filter').click()
    await button('Warnings and errors').click()
    await log().getByText('apple').waitFor({ state: 'detached' })
    expect(await log().innerText()).toMatch(/WARN banana\s+3 lines dropped$/)
  })

  it('goes on by itself after the connection broke, says so, and shows no line twice', async () => {
    story.mayComplain = true // the browser itself notes the cut
    // Written in this order: their times are of now.
    const [first, last] = [line('one'), line('two')]
    const streams = logStreams(story.cp, [first, last])
    await story.open('/servers/github?tab=logs')
    await log().getByText('two').waitFor()
    streams.cut()
    await log().getByText('The connection broke; it goes on from here').waitFor()
    await until(() => streams.openCount() === 1)
    streams.send(line('three'))
    await log().getByText('three').waitFor()
    expect(streams.asked[1]).toContain(`tail=all&since=${encodeURIComponent((last as { time: string }).time)}`)
    expect(await log().getByText('two').count()).toBe(1)
  })

  it('is read of one instance, and of its previous life without following it', async () => {
    const streams = logStreams(story.cp, [line('it was me')])
    await story.open('/servers/github?gateway=edge-1')
    await story.page.getByRole('article', { name: 'On edge-1' }).getByRole('link', { name: 'Log' }).click()
    await log().getByText('it was me').waitFor()
    await button('Previous life').click()
    await story.page.getByText('That is all of it').waitFor()
    expect(streams.asked).toEqual([
      `${scope}/servers/github/logs?instance=github-edge-1-0&follow=true&tail=100`,
      `${scope}/servers/github/logs?instance=github-edge-1-0&previous=true&tail=100`,
    ])
    expect(await button('Pause').count()).toBe(0)
    await story.page.getByLabel('Instance', { exact: true }).selectOption('')
    await until(() => streams.asked.length === 3)
    expect(streams.asked[2]).toBe(`${scope}/servers/github/logs?previous=true&tail=100`)
  })

  it('stays small and quick with a server that writes without end', async () => {
    const streams = logStreams(story.cp)
    await story.open('/servers/github?tab=logs')
    await story.page.getByText('Following').waitFor()
    for (let round = 0; round < 30; round++)
      streams.send(...Array.from({ length: 400 }, (_, index) => line(`line ${round * 400 + index} ${'x'.repeat(100)}`)))
    await log().getByText('line 11999').waitFor()
    const drawn = await log().locator('p').count()
    expect(drawn).toBeLessThanOrEqual(5_001)
    await story.page.getByText(/7,?\d\d\d older lines no longer shown/).waitFor()
    // One who scrolls up stays there.
    await log().evaluate((element) => element.scrollTo(0, 200))
    await button('To the newest line').click()
    await button('To the newest line').waitFor({ state: 'detached' })
  })

  it('is taken away as it is shown', async () => {
    logStreams(story.cp, [line('apple', { gateway: 'edge-1' }), line('banana', { gateway: 'edge-1' })])
    await story.open('/servers/github?tab=logs')
    await log().getByText('banana').waitFor()
    await story.page.getByLabel('Filter the lines').fill('apple')
    await log().getByText('banana').waitFor({ state: 'detached' })
    const download = story.page.waitForEvent('download')
    await button('Download the lines').click()
    const file = await download
    expect(file.suggestedFilename()).toBe('github.log')
    expect(await readFile(await file.path(), 'utf8')).toMatch(/^\d{4}-.*Z edge-1 stderr apple\n$/)
    await button('Copy the lines').click()
    await button('Copied').waitFor()
    expect(await story.page.evaluate(() => navigator.clipboard.readText())).toMatch(/edge-1 stderr apple\n$/)
  })

  it('says why there is none, and asks again when told to', async () => {
    story.mayComplain = true // the browser itself notes the 404
    story.cp.knobs.onLog = (_log, response) => {
      response.writeHead(404, { 'content-type': 'application/problem+json' })
      response.end(JSON.stringify({ code: 'not_found', detail: 'github runs nowhere.', hint: 'mcpg-ctl describe server github' }))
    }
    await story.open('/servers/github?tab=logs')
    await story.page.getByText('github runs nowhere.').waitFor()
    logStreams(story.cp, [line('now it does')])
    await button('Try again').click()
    await log().getByText('now it does').waitFor()
  })
})

it('waits for a gateway that is away, says so, and goes on when it is back', async () => {
  story.mayComplain = true // the browser itself notes the 503
  story.cp.knobs.onLog = (_log, response) => {
    response.writeHead(503, { 'content-type': 'application/problem+json' })
    response.end(
      JSON.stringify({ code: 'unavailable', detail: 'The gateway edge-1 is not connected.', hint: 'mcpg-ctl describe gateway/edge-1' }),
    )
  }
  await story.open('/gateways/edge-1?tab=logs')
  await story.page.getByText('The gateway edge-1 is not connected.').waitFor()
  logStreams(story.cp, [line('back again')])
  await log().getByText('back again').waitFor()
  await story.page.getByText('The gateway edge-1 is not connected.').waitFor({ state: 'detached' })
})

it('shows the logs of a gateway and of the control plane by the same means', async () => {
  const streams = logStreams(story.cp, [line('hello', { source: 'agent' })])
  await story.open('/gateways/edge-1?tab=logs')
  await log().getByText('hello').waitFor()
  await story.page.getByRole('navigation').getByRole('link', { name: 'Logs' }).click()
  await story.page.getByRole('heading', { name: 'Control plane log' }).waitFor()
  await log().getByText('hello').waitFor()
  expect(streams.asked).toEqual([
    `${scope}/environments/default/gateways/edge-1/logs?follow=true&tail=100`,
    '/v1/control/logs?follow=true&tail=100',
  ])
  await until(() => streams.openCount() === 1)
})

describe('events', () => {
  const row = (text: string) => story.page.getByRole('table', { name: 'Events' }).getByRole('row').filter({ hasText: text })
  const crash = (count: number) =>
    event(
      'crash',
      { object: { kind: 'Instance', name: 'github-edge-1-0' }, reason: 'CrashLoop', server: 'github', gateway: 'edge-1' },
      { message: 'exited with 3', count, lastAt: ago(1) },
    )

  beforeEach(() => {
    story.cp.put(event('offline'))
    story.cp.put(event('joined', { reason: 'Enrolled', type: 'Normal', object: { kind: 'Gateway', name: 'edge-2' }, gateway: 'edge-2' }))
  })

  it('stand on the page of what they are about, the newest first, and count up live', async () => {
    story.cp.put(crash(1))
    await story.open('/servers/github?tab=events')
    await row('CrashLoop').waitFor()
    expect(await row('Offline').count()).toBe(0)
    expect((await row('CrashLoop').innerText()).replaceAll(/\s+/g, ' ')).toMatch(
      /Warning: CrashLoop github-edge-1-0 instance on edge-1 exited with 3 1$/,
    )
    story.cp.put(crash(7))
    await row('CrashLoop').getByText('7 since').waitFor()
    await story.open('/gateways/edge-1?tab=events')
    await row('CrashLoop').waitFor()
    await row('Offline').waitFor()
    expect(await row('Enrolled').count()).toBe(0)
  })

  it('that warn appear on the overview, and all of them on a page of their own', async () => {
    await story.open('/')
    const recent = story.page.getByRole('region', { name: 'Recent warnings' })
    await recent.getByText('Offline').waitFor()
    expect(await recent.getByText('Enrolled').count()).toBe(0)
    story.cp.put(crash(1))
    await recent.getByText('CrashLoop').waitFor()
    await recent.getByRole('link', { name: 'All events' }).click()
    await row('Enrolled').waitFor()
    await button('Warning 2').click()
    await row('Enrolled').waitFor({ state: 'detached' })
    await story.page.getByLabel('Filter by object, reason or message').fill('crash')
    await row('Offline').waitFor({ state: 'detached' })
    await row('CrashLoop').waitFor()
  })
})
