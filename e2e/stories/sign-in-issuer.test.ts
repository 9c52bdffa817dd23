import { beforeAll, it } from 'vitest'
import { shareWithFile } from '../harness/cleanup.ts'
import { whyNoShiftedClock } from '../harness/clock.ts'
import { cases, startWorld, type World } from '../scenarios/issuer-sign-in.ts'

let world: World
beforeAll(async () => void (world = await shareWithFile(startWorld)), 60_000)

const noClock = whyNoShiftedClock()
for (const [name, run] of Object.entries(cases()))
  it.skipIf(name === 'clock skew' && noClock !== null)(`signs in at the issuer: ${name}`, async () => run(world), 120_000)
