import { closeAll } from '../harness/cleanup.ts'
import { acceptedPerSecond, auditedFleet, callCost, expectedOf, harms, verified } from '../scenarios/audit.ts'
import { command, count, together, type Counts, type Outcome, type Row } from './row.ts'

const maxRatio = 1.2
const minPerSecond = 5_000
/** What one of ten gateways has in 5,000 events/s. */
const callsPerSecond = 500

export const row: Row = {
  asked:
    'Audit: 5,000 events/s accepted in batches, tool-call p99 with/without ≤ 1.2 (median of five); one altered row and one missing row are found by `audit verify`',
  command: command(25),
  async run(counts) {
    return together(await accepted(counts), await cost(counts), await found(counts))
  },
}

async function accepted(counts: Counts): Promise<Outcome> {
  const gateways = 10
  const { events, perSecond, stored, ok } = await acceptedPerSecond({ gateways, eventsEach: count(counts, 10_000, 1_000) })
  await closeAll()
  return {
    measured: `${Math.round(perSecond)} events/s of ${gateways} gateways acknowledged on disk, ${stored} of ${events} stored and ${ok ? 'verified' : 'not verified'}`,
    ok: perSecond >= minPerSecond && stored === events && ok,
  }
}

async function cost(counts: Counts): Promise<Outcome> {
  const clients = 8
  // 15,000 calls a round: its p99 is 150 calls, not the 15 of a short one.
  const { steady, full } = await callCost({
    rounds: 5,
    clients,
    steadyMs: count(counts, 30_000, 500),
    fullMs: count(counts, 3_000, 500),
    callsPerSecond,
  })
  await closeAll()
  const told = ({ ratio, p99, cpuMicros, perSecond }: typeof steady) =>
    `${ratio.median} (${ratio.min}–${ratio.max} in ${ratio.rounds} rounds; ${p99.with.toFixed(2)} and ${p99.without.toFixed(2)} ms, gateway CPU ${Math.round(cpuMicros.with)} and ${Math.round(cpuMicros.without)} µs a call, ${Math.round(perSecond.with)} and ${Math.round(perSecond.without)} calls/s)`
  return {
    measured: `p99 of a call with/without, ${clients} clients at a steady rate: ${told(steady)}; as fast as they can on two cores that they share with the control plane, no goal: ${told(full)}`,
    ok: counts.isQuick || steady.ratio.median <= maxRatio,
  }
}

async function found(counts: Counts): Promise<Outcome> {
  const wrong: string[] = []
  const fleet = await auditedFleet({ calls: count(counts, 50, 5) })
  if ((await verified(fleet)).code !== 0) wrong.push('broken before anything was done')
  for (const harm of harms) {
    counts.say(harm.name)
    await harm.does(fleet.controlPlane.stateDir)
    const { code, answer } = await verified(fleet)
    if (code !== 1 || harm.shows(answer) !== expectedOf(harm)) wrong.push(`${harm.name}: ${harm.shows(answer)}, exit ${code}`)
  }
  return {
    measured: `${harms.length - wrong.length} of ${harms.length} found (${harms.map(({ name }) => name).join(', ')})${wrong.length > 0 ? `; wrong: ${wrong.join('; ')}` : ''}`,
    ok: wrong.length === 0,
  }
}
