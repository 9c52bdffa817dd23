import { join } from 'node:path'
import { benchLoop } from '../bench/loop.ts'
import { api } from '../harness/api.ts'
import { closeAll, temporaryFolder } from '../harness/cleanup.ts'
import { startControlPlane } from '../harness/programs.ts'
import { fault, flipEveryField, unflippedFields } from '../scenarios/flips.ts'
import { rolledBackBeside } from '../scenarios/rolled-back.ts'
import { roundTripExamples } from '../scenarios/round-trip.ts'
import { command, count, together, type Row } from './row.ts'

export const row: Row = {
  asked:
    '`apply` → `get -o yaml` → `apply` is `unchanged`; every field of `Server` flipped once is seen by `plan` and acted on by `apply`; a 2 s transaction that rolls back beside 1,000 plain writes loses none; an apply of 1,000 objects or 5,000 audit rows/s never stall the event loop beyond 50 ms',
  command: command(7),
  async run(counts) {
    const { files, wrong } = await roundTripExamples()
    const controlPlane = await startControlPlane({ stateDir: join(temporaryFolder(), 'control-plane') })
    const flips = await flipEveryField({ rest: api(controlPlane.http), grpc: controlPlane.grpc })
    const faults = [...flips.map(fault).filter((text) => text !== ''), ...unflippedFields().map((field) => `${field} is not flipped`)]
    await controlPlane.stop()
    await closeAll()
    counts.say('truth: round trips and flips done')
    const writes = await rolledBackBeside({ writes: count(counts, 1_000, 100), seconds: 2 })
    const { goals } = await benchLoop(
      counts.isQuick
        ? { gateways: 2, rounds: 1, objects: 1_000, auditSeconds: 1, auditRowsPerSecond: 5_000 }
        : { gateways: 20, rounds: 5, objects: 1_000, auditSeconds: 10, auditRowsPerSecond: 5_000 },
      counts.say,
    )
    return together(
      {
        measured: `${files} manifests unchanged the second time${wrong.length ? `, but ${wrong.join('; ')}` : ''}`,
        ok: wrong.length === 0 && files > 0,
      },
      {
        measured: `${flips.length} flips, ${faults.length} unseen${faults.length ? `: ${faults.join('; ')}` : ''}`,
        ok: faults.length === 0,
      },
      {
        measured: `${writes.acknowledged} writes acknowledged, ${writes.stored} stored, ${writes.leaked} of the rolled back one`,
        ok: writes.acknowledged === writes.stored && writes.stored === count(counts, 1_000, 100) && writes.leaked === 0,
      },
      ...goals.map(({ goal, measured, unit, ok }) => ({ measured: `${goal}: ${measured} ${unit}`, ok })),
    )
  },
}
