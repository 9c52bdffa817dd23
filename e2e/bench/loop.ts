// How long the control plane's event loop stands still while it writes much: felt from outside, by the answers to heartbeats.
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { api, type Api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { startControlPlane } from '../harness/programs.ts'
import { goal } from './calls.ts'
import { productTimers } from '../scenarios/fleet.ts'
import { fromSecret, scrape, storeSecret } from './equipped.ts'
import type { Join } from './horde.ts'
import { startPeer, type Peer } from './peer.ts'
import { spread } from './percentile.ts'
import type { Say } from './say.ts'

const crowdLabels = { role: 'crowd' }

export type LoopSettings = {
  gateways: number
  rounds: number
  objects: number
  auditSeconds: number
  auditRowsPerSecond: number
  /** Each of the servers refers to a secret, and the metrics are read. */
  equipped?: boolean
}
type Pulse = { beats: number; unanswered: number; p50Ms: number; p99Ms: number; maxMs: number }

export async function benchLoop({ gateways, rounds, objects, auditSeconds, auditRowsPerSecond, equipped = false }: LoopSettings, say: Say) {
  const controlPlane = await startControlPlane({ stateDir: join(temporaryFolder(), 'control-plane'), env: productTimers })
  const rest = api(controlPlane.http)
  const horde = await startPeer(new URL('./horde.ts', import.meta.url).pathname)
  const pulse = await startPeer(new URL('./pulse.ts', import.meta.url).pathname)
  // The pulse gets none of the servers: reading and verifying a config of 1,000 of them would hold up the one who measures.
  const [crowd, one] = [await rest.enroll({ maxUses: gateways, labels: crowdLabels }), await rest.enroll()]
  await horde.ask('join', { enrollmentUrl: crowd.url, grpc: controlPlane.grpc, count: gateways, stem: 'virtual' } satisfies Join)
  await pulse.ask('join', { enrollmentUrl: one.url, grpc: controlPlane.grpc, uid: 'pulse' })

  const idle = await feel(pulse, () => pause(3_000))
  say(`loop: idle, longest wait ${idle.maxMs.toFixed(1)} ms`)
  if (equipped) await storeSecret(rest)
  const scraped = equipped ? scrape([controlPlane.http]) : undefined
  const env = equipped ? fromSecret : []
  await applyAll(rest, objects, 'warm-up', env)
  const applied: Pulse[] = []
  for (let round = 1; round <= rounds; round++) {
    // Some time is left for the compile and the offers that follow the commit: they belong to the apply.
    applied.push(await feel(pulse, () => applyAll(rest, objects, `round-${round}`, env).then(() => pause(3_000))))
    say(`loop: apply of ${objects} objects, round ${round} of ${rounds}, longest wait ${applied.at(-1)?.maxMs.toFixed(1)} ms`)
  }
  const scrapes = await scraped?.end()
  const metric = await loopMetric(controlPlane.http)
  await horde.ask('leave')
  await controlPlane.stop()

  const writer = await startPeer(new URL('./audit-writer.ts', import.meta.url).pathname)
  const audit = []
  for (let round = 1; round <= rounds; round++) {
    audit.push(await writer.ask<AuditRound>('append', { seconds: auditSeconds, rowsPerSecond: auditRowsPerSecond }))
    say(`loop: ${auditRowsPerSecond} audit rows/s, round ${round} of ${rounds}, longest stall ${audit.at(-1)?.maxMs.toFixed(1)} ms`)
  }
  await writer.ask('close')
  const worstApply = spread(
    applied.map((round) => round.maxMs),
    1,
  )
  const worstAudit = spread(
    audit.map((round) => round.maxMs),
    1,
  )
  return {
    gateways,
    ...(scrapes !== undefined && { scrapes }),
    idle,
    apply: {
      objects,
      longestWaitMs: worstApply,
      p99Ms: spread(
        applied.map((round) => round.p99Ms),
        1,
      ),
    },
    audit: {
      rowsPerSecond: spread(
        audit.map((round) => round.rowsPerSecond),
        0,
      ),
      longestStallMs: worstAudit,
      p99Ms: spread(
        audit.map((round) => round.p99Ms),
        1,
      ),
    },
    controlPlaneMetric: metric,
    goals: [
      goal(`longest wait during an apply of ${objects} objects`, 'ms', worstApply.max, 50),
      goal(`longest stall at ${auditRowsPerSecond} audit rows/s`, 'ms', worstAudit.max, 50),
      goal(
        'audit rows/s missing of them',
        'rows/s',
        Math.max(0, auditRowsPerSecond - Math.min(...audit.map((round) => round.rowsPerSecond))),
        auditRowsPerSecond / 50,
      ),
    ],
  }
}

export type AuditRound = { rowsPerSecond: number; p99Ms: number; maxMs: number }

async function feel(pulse: Peer, work: () => Promise<unknown>): Promise<Pulse> {
  await pulse.ask('begin')
  await work()
  const felt = await pulse.ask<Pulse>('end')
  if (felt.unanswered > 0) throw new Error(`${felt.unanswered} heartbeats were never answered`)
  return felt
}

/** Every object differs from the last time in one field. */
async function applyAll(rest: Api, objects: number, mark: string, env: typeof fromSecret): Promise<void> {
  const { results } = await rest.servers(
    ...Array.from({ length: objects }, (_, index) => ({
      name: `server-${index}`,
      spec: {
        command: ['server', '--number', String(index)],
        env: [{ name: 'MARK', value: `${mark} ${'x'.repeat(200)}` }, ...env],
        placement: { gatewaySelector: crowdLabels },
      },
    })),
  )
  const written = results.filter(({ result }) => result === 'created' || result === 'configured').length
  if (written !== objects) throw new Error(`${written} of ${objects} objects were written`)
}

/** What the control plane says itself, if it does: prom-client's `nodejs_eventloop_lag_max_seconds`. */
async function loopMetric(http: string): Promise<number | null> {
  const text = await fetch(`${http}/metrics`).then((response) => response.text())
  const match = /^nodejs_eventloop_lag_max_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text)
  return match ? Number(match[1]) * 1000 : null
}
