import { until } from '../harness/until.ts'
import { startCalling } from './calling.ts'
import { configOf, fixture, serverUrl, serving, startFleet, type ServerInput } from './fleet.ts'

/** Servers that look well and are not; what they are when a working server is changed into one. */
export const poisons = {
  'exits at once': (): ServerInput => fixture('victim', 'exits-at-once'),
  'hangs in initialize': (): ServerInput => fixture('victim', 'hangs-in-initialize', [], { startTimeout: '5s' }),
  'dies later': (afterMs: number): ServerInput => fixture('victim', 'dies-after', [String(afterMs)]),
}
export type Poison = keyof typeof poisons

/**
 * Changes the working server `victim` into a poisoned one while it and an unchanged server are being called, waits for the verdict, and
 * then lets somebody else add a server. `dieAfterMs` must be shorter than the probation of `env`.
 */
export async function poisonServer(poison: Poison, { dieAfterMs, env }: { dieAfterMs: number; env?: Record<string, string> }) {
  const { rest, gateway, controlPlane } = await startFleet([fixture('unchanged', 'echo'), fixture('victim', 'echo')], env)
  const unchanged = await startCalling(serverUrl(gateway, 'unchanged'), { callsPerSecond: 50 })
  const victim = await startCalling(serverUrl(gateway, 'victim'), { callsPerSecond: 50 })

  await rest.servers(poisons[poison](dieAfterMs))
  const held = await until(
    `${poison}: its revision is held back`,
    async () => (await configOf(rest)).heldBack.find(({ server }) => server === 'victim'),
    dieAfterMs + 120_000,
  )

  const changed = performance.now()
  await rest.servers(fixture('of-another-person', 'echo'))
  await serving(serverUrl(gateway, 'of-another-person'))
  const nextChangeMs = performance.now() - changed
  const status = (await rest.get('servers', 'victim')).status as {
    gateways: { heldBack?: object; reason?: string }[]
    conditions: object[]
  }
  await serving(serverUrl(gateway, 'victim'))
  const [unchangedCalls, victimCalls] = await Promise.all([unchanged.stop(), victim.stop()])
  await gateway.stop()
  await controlPlane.stop()
  return { poison, held, nextChangeMs, status, unchanged: unchangedCalls, victim: victimCalls }
}
