// From the commit of a change to STAGED at many gateways.
import { join } from 'node:path'
import { api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { startControlPlane } from '../harness/programs.ts'
import { goal } from './calls.ts'
import { monotonicMs } from './clock.ts'
import { productTimers } from '../scenarios/fleet.ts'
import { fromSecret, scrape, storeSecret } from './equipped.ts'
import type { Join } from './horde.ts'
import { startPeer } from './peer.ts'
import { percentile, spread } from './percentile.ts'
import { cpuSeconds, residentMebibytes } from './process-cost.ts'
import type { Say } from './say.ts'

/** `equipped`: every server of the document has a secret, and the metrics are read. */
export type PropagationSettings = { gateways: number; rounds: number; documentBytes: number; equipped?: boolean }

/**
 * The commit lies between sending the apply and its answer. Times are counted from the sending, so that they are upper bounds; those from
 * the answer are given beside them.
 */
export async function benchPropagation({ gateways, rounds, documentBytes, equipped = false }: PropagationSettings, say: Say) {
  const controlPlane = await startControlPlane({ stateDir: join(temporaryFolder(), 'control-plane'), env: productTimers })
  const rest = api(controlPlane.http)
  const horde = await startPeer(new URL('./horde.ts', import.meta.url).pathname)
  for (let joined = 0; joined < gateways; joined += 100) {
    const count = Math.min(100, gateways - joined)
    const { url } = await rest.enroll({ maxUses: count })
    await horde.ask('join', { enrollmentUrl: url, grpc: controlPlane.grpc, count, stem: `virtual-${joined}` } satisfies Join)
  }
  say(`propagation: ${gateways} gateways are connected`)
  if (equipped) await storeSecret(rest)
  const scraped = equipped ? scrape([controlPlane.http]) : undefined
  const env = equipped ? fromSecret : []
  await rest.servers(...filler(documentBytes).map(({ name, spec }) => ({ name, spec: { ...spec, env: [...spec.env, ...env] } })))

  const fromSending: number[][] = []
  const fromAnswer: number[][] = []
  const cpu = cpuSeconds(controlPlane.pid)
  // The first change is not counted: code that never ran is slow once.
  for (let round = 0; round <= rounds; round++) {
    const mark = `round-${round}`
    const sent = monotonicMs()
    await rest.servers({ name: 'marked', spec: { command: ['true'], env: [{ name: 'BENCH_MARK', value: mark }, ...env] } })
    const answered = monotonicMs()
    const times = await horde.ask<number[]>('stagedBy', { mark, deadlineMs: 30_000 })
    if (round === 0) continue
    fromSending.push(times.map((time) => time - sent))
    fromAnswer.push(times.map((time) => time - answered))
    say(`propagation: round ${round} of ${rounds}`)
  }
  const cpuMillis = ((cpuSeconds(controlPlane.pid) - cpu) * 1000) / (rounds + 1)
  const facts = await horde.ask<{ ended: string[]; cpuSeconds: number }>('facts')
  if (facts.ended.length > 0) throw new Error(`streams ended: ${facts.ended.slice(0, 5).join('; ')}`)
  const p99 = spread(
    fromSending.map((times) => percentile(times, 0.99)),
    1,
  )
  const result = {
    gateways,
    documentBytes,
    ...(scraped && { scrapes: await scraped.end() }),
    sendingToStaged: {
      p50Ms: spread(
        fromSending.map((times) => percentile(times, 0.5)),
        1,
      ),
      p99Ms: p99,
    },
    answerToStaged: {
      p50Ms: spread(
        fromAnswer.map((times) => percentile(times, 0.5)),
        1,
      ),
      p99Ms: spread(
        fromAnswer.map((times) => percentile(times, 0.99)),
        1,
      ),
    },
    controlPlane: { cpuMillisPerChange: Number(cpuMillis.toFixed(0)), residentMib: Math.round(residentMebibytes(controlPlane.pid)) },
  }
  await horde.ask('leave')
  await controlPlane.stop()
  return { ...result, goals: [goal(`a change staged at ${gateways} gateways, p99`, 'ms', p99.median, 500)] }
}

/** Servers that bring the compiled document to about so many bytes. */
export function filler(bytes: number) {
  const each = 400
  return Array.from({ length: Math.max(1, Math.round(bytes / each)) }, (_, index) => ({
    name: `filler-${index}`,
    spec: { command: ['true'], env: [{ name: 'FILL', value: 'x'.repeat(each - 60) }] },
  }))
}
