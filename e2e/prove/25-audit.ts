import { closeAll } from '../harness/cleanup.ts'
import { acceptedPerSecond, auditedFleet, callCost, expectedOf, harms, verified, type Pace } from '../scenarios/audit.ts'
import { command, count, together, type Counts, type Outcome, type Row } from './row.ts'

const maxRatio = 1.2
const minPerSecond = 5_000
/** What one of 25 gateways has in 5,000 events/s. Beyond it the control plane's share of the same cores shows, which no goal speaks of. */
const goalRate = 200

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
  const sliceMs = count(counts, 4_000, 300)
  const paces: Pace[] = [
    { callsPerSecond: goalRate, slices: count(counts, 6, 1), sliceMs },
    { callsPerSecond: 500, slices: count(counts, 2, 1), sliceMs },
    { slices: 1, sliceMs },
  ]
  const costs = await callCost({ rounds: 5, clients, paces })
  await closeAll()
  const told = costs.map(({ pace, ratio, p99, cpuMicros, perSecond }) => {
    const rate = pace.callsPerSecond === undefined ? 'as fast as they can' : `at ${pace.callsPerSecond} calls/s`
    const reached = pace.callsPerSecond === undefined ? `, ${Math.round(perSecond.with)} and ${Math.round(perSecond.without)} calls/s` : ''
    return `${rate} ${ratio.median} (${ratio.min}–${ratio.max} in ${ratio.rounds} rounds; ${p99.with.toFixed(2)} and ${p99.without.toFixed(2)} ms, gateway CPU ${Math.round(cpuMicros.with)} and ${Math.round(cpuMicros.without)} µs a call${reached})`
  })
  return {
    measured: `p99 of a call with/without, ${clients} clients of one gateway on two cores that all share with the control plane: ${told.join('; ')}; the goal is for ${goalRate} calls/s`,
    ok: counts.isQuick || costs[0]!.ratio.median <= maxRatio,
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
