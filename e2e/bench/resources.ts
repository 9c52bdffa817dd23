// A workspace with many objects: how long a page, an apply and a change take, and what the control plane grows by.
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ResourceList } from '@mcpg/proto/rest/list'
import { api, type Api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { startControlPlane } from '../harness/programs.ts'
import { watchFrom } from '../harness/watch.ts'
import { productTimers } from '../scenarios/fleet.ts'
import { goal } from './calls.ts'
import { percentile, spread } from './percentile.ts'
import { residentMebibytes } from './process-cost.ts'
import type { Say } from './say.ts'

export type ResourcesSettings = { objects: number; perApply: number; pages: number; changes: number; updates: number }

const servers = '/v1/orgs/default/workspaces/default/servers'

export async function benchResources({ objects, perApply, pages, changes, updates }: ResourcesSettings, say: Say) {
  const controlPlane = await startControlPlane({ stateDir: join(temporaryFolder(), 'control-plane'), env: productTimers })
  const rest = api(controlPlane.http)

  const applies: number[] = []
  for (let from = 0; from < objects; from += perApply) applies.push(await timed(() => applySome(rest, from, perApply, 'first')))
  say(`resources: ${objects} objects, an apply of ${perApply} in ${spread(applies, 0).median} ms`)

  const pageTimes = await readPages(controlPlane.http, pages)
  say(`resources: a page of 100 in ${percentile(pageTimes, 0.5).toFixed(1)} ms, p99 ${percentile(pageTimes, 0.99).toFixed(1)} ms`)

  const delays = await feelChanges(controlPlane.http, rest, changes)
  say(`resources: a change is told after ${percentile(delays, 0.5).toFixed(1)} ms, p99 ${percentile(delays, 0.99).toFixed(1)} ms`)

  // What is kept is bounded by count (history of 20,000 changes in memory) and the runtime grows its heap up to its habit, so half as many
  // updates go before the first look: what grows after that goes on growing.
  const rounds = Math.ceil(updates / perApply)
  for (let round = 1; round <= rounds / 2; round++) await applySome(rest, 0, perApply, `warm-${round}`)
  say(`resources: warm, ${residentMebibytes(controlPlane.pid).toFixed(0)} MiB`)
  const resident: number[] = []
  for (let round = 1; round <= rounds; round++) {
    await applySome(rest, 0, perApply, `round-${round}`)
    resident.push(residentMebibytes(controlPlane.pid))
    if (round % 10 === 0) say(`resources: ${round * perApply} updates, ${resident.at(-1)!.toFixed(0)} MiB`)
  }
  const third = Math.ceil(rounds / 3)
  const [before, after] = [resident.slice(0, third), resident.slice(2 * third)].map((some) => percentile(some, 0.5))
  await controlPlane.stop()
  return {
    objects,
    apply: { perApply, ms: spread(applies, 0) },
    pageMs: { p50: percentile(pageTimes, 0.5), p99: percentile(pageTimes, 0.99) },
    watchMs: { p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) },
    memoryMiB: { updates: rounds * perApply, firstThird: before, lastThird: after, all: resident.map((one) => Math.round(one)) },
    goals: [
      goal(`a page of 100 of ${objects} objects, p99`, 'ms', percentile(pageTimes, 0.99), 50),
      goal(`an apply of ${perApply} objects, slowest of ${applies.length}`, 'ms', Math.max(...applies), 5_000),
      goal('a change told to a watcher, from the request on, p99', 'ms', percentile(delays, 0.99), 100),
      goal(`memory of the last third of ${rounds * perApply} updates against the first one`, '×', after! / before!, 1.05),
    ],
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

const nameOf = (index: number) => `server-${String(index).padStart(5, '0')}`

/** Every object is another one than the time before. */
async function applySome(rest: Api, from: number, count: number, mark: string): Promise<void> {
  const { results } = await rest.apply(
    ...Array.from({ length: count }, (_, index) => ({
      kind: 'Server',
      metadata: { name: nameOf(from + index), labels: { team: `t-${index % 10}` } },
      spec: { command: ['node', 'server.js', '--mark', mark], env: [{ name: 'MARK', value: mark }], cwd: '/srv' },
    })),
  )
  if (results.some(({ result }) => result === 'unchanged')) throw new Error('an object did not change')
}

/** All pages in turn, then those of a label and of a search. */
async function readPages(base: string, count: number): Promise<number[]> {
  const times: number[] = []
  const queries = ['', '&labelSelector=team%3Dt-3', '&q=9', '&sort=-updatedAt']
  let cursor: string | undefined
  for (let page = 0; times.length < count; page++) {
    const query = queries[page % queries.length] ?? ''
    // A cursor belongs to one query; the plain one walks on.
    const from = query === '' && cursor !== undefined ? `&cursor=${cursor}` : ''
    const began = performance.now()
    const response = await fetch(`${base}${servers}?limit=100${query}${from}`)
    const text = await response.text()
    times.push(performance.now() - began)
    if (!response.ok) throw new Error(text)
    if (query === '') cursor = ResourceList.parse(JSON.parse(text)).nextCursor
  }
  return times
}

/** From the moment a change is asked for until a watcher has it. */
async function feelChanges(base: string, rest: Api, count: number): Promise<number[]> {
  let hear = (_told: string) => {}
  const next = (wanted: string) =>
    new Promise<void>((resolve) => {
      hear = (told) => told === wanted && resolve()
    })
  const begun = next('BOOKMARK')
  const watch = await watchFrom(base, { kinds: 'Server', heard: (told) => hear(told) })
  await begun
  const delays: number[] = []
  for (let index = 0; index < count; index++) {
    const name = nameOf(index * 7)
    const began = performance.now()
    const told = next(`MODIFIED ${name}`)
    await rest.call('PUT', `${servers}/${name}`, { metadata: { name }, spec: { command: ['node', `change-${index}`] } })
    await told
    delays.push(performance.now() - began)
    await pause(5)
  }
  watch.close()
  return delays
}
