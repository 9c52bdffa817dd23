import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../harness/until.ts'
import { startCalling } from './calling.ts'
import { fixture, serverUrl, startFleet } from './fleet.ts'

/**
 * Calls through a gateway for `seconds`; the control plane is killed with -9 after a sixth of them and comes back after two thirds, so that
 * losing it and finding it again both happen under load.
 */
export async function outageOfControlPlane({
  seconds,
  callsPerSecond,
  env,
}: {
  seconds: number
  callsPerSecond: number
  env?: Record<string, string>
}) {
  const { controlPlane, rest, gateway } = await startFleet([fixture('echo', 'echo')], env)
  const calling = await startCalling(serverUrl(gateway, 'echo'), { callsPerSecond })
  await pause((seconds * 1000) / 6)
  await controlPlane.kill()
  await pause((seconds * 1000) / 2)
  await controlPlane.restart()
  await pause((seconds * 1000) / 3)
  const result = await calling.stop()
  await until(
    'the gateway has found its control plane again',
    async () => (await rest.get('gateways', 'here')).status['connection'] === 'online',
    90_000,
  )
  return result
}
