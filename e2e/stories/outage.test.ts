import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { fastTimers, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { configOf, fixture, serverUrl, serving, settled, startFleet } from '../scenarios/fleet.ts'
import { startMeddler } from '../scenarios/meddler.ts'
import { outageOfControlPlane } from '../scenarios/outage.ts'

const env = { MCPG_TIMERS: fastTimers }

it('keeps every call when the control plane is killed with -9 and comes back', async () => {
  const { calls, failures } = await outageOfControlPlane({ seconds: 9, callsPerSecond: 50, env })
  expect(failures).toEqual([])
  expect(calls).toBeGreaterThan(9 * 50 * 0.9)
})

it('serves from its last-known-good config while nobody is there to ask, and applies nothing again afterwards', async () => {
  // 1 a gateway that runs what it should; what it says to its control plane is listened to
  const { controlPlane, rest } = await startFleet([fixture('echo', 'echo'), fixture('second', 'echo')], env)
  const meddler = await startMeddler(controlPlane.grpc)
  const { url } = await rest.enroll({ name: 'there' })
  const stateDir = temporaryFolder()
  const startAgent = (given: string | null) => startGateway({ stateDir, url: given, args: ['--cp-grpc', meddler.url], env })
  const gateway = await startAgent(url)
  await settled(rest, 'there')
  const before = await configOf(rest, 'there')

  // 2 both are gone at once, as when a machine loses power
  await controlPlane.kill()
  await gateway.kill()

  // 3 the agent alone serves both servers, and is ready by its own measure
  const alone = await startAgent(null)
  await serving(serverUrl(alone, 'echo'))
  await serving(serverUrl(alone, 'second'))
  expect((await fetch(new URL('/readyz', alone.endpoint))).status).toBe(200)
  const session = await legacySession(serverUrl(alone, 'echo'))
  const process = await session.call('pid')

  // 4 the control plane is back and the gateway too: it is offered nothing, applies nothing, and the same process answers
  const [said, offered] = [meddler.verdicts.length, meddler.offers.length]
  await controlPlane.restart()
  await until('the gateway is online', async () => (await rest.get('gateways', 'there')).status['connection'] === 'online')
  await settled(rest, 'there')
  const { desired, applied } = await configOf(rest, 'there')
  expect({ desired, applied }).toMatchObject({
    desired: { generation: before.desired?.generation, hash: before.desired?.hash },
    applied: { generation: before.applied?.generation, hash: before.applied?.hash },
  })
  expect(await session.call('pid')).toEqual(process)
  expect(meddler.offers).toHaveLength(offered)
  expect(new Set(meddler.verdicts.slice(said).map(({ state }) => state))).toEqual(new Set(['applied']))

  // 5 what is changed now arrives, and touches nothing else
  await rest.servers(fixture('third', 'echo'))
  await serving(serverUrl(alone, 'third'))
  expect(await session.call('pid')).toEqual(process)
  await session.close()
})

it('starts empty-handed with the control plane gone, and takes its first config when it can', async () => {
  // 1 enrolled and stopped before there was anything to run; then the control plane goes
  const { controlPlane, rest, folder } = await startFleet([], env)
  const { url } = await rest.enroll({ name: 'late' })
  const stateDir = join(folder, 'late')
  const first = await startGateway({ stateDir, url, env })
  await first.stop()
  await rest.servers(fixture('echo', 'echo'))
  await controlPlane.kill()

  // 2 it starts all the same
  const again = await startGateway({ stateDir, env })
  expect((await fetch(new URL('/healthz', again.endpoint))).status).toBe(200)

  // 3 and gets what it never saw
  await controlPlane.restart()
  await serving(serverUrl(again, 'echo'))
})
