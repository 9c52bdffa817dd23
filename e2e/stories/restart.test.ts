import { expect, it } from 'vitest'
import { legacySession } from '../harness/mcp.ts'
import { fastTimers, startGateway } from '../harness/programs.ts'
import { isRunning } from '../harness/processes.ts'
import { until } from '../harness/until.ts'
import { watchFrom } from '../harness/watch.ts'
import { configOf, fixture, serverUrl, serving, startFleet } from '../scenarios/fleet.ts'

const env = { MCPG_TIMERS: fastTimers }

it('is restarted in order: agents are told, come back by themselves, and nobody who watches misses anything', async () => {
  // 1 a gateway that serves, and somebody who watches
  const { controlPlane, rest, gateway } = await startFleet([fixture('echo', 'echo')], env)
  const session = await legacySession(serverUrl(gateway, 'echo'))
  const pid = await session.call('pid')
  const watching = await watchFrom(controlPlane.http, { kinds: 'Server' })
  await until('the first server is seen', () => watching.seen.includes('ADDED echo'))
  await until('the list is complete', () => watching.cursor() !== undefined)

  // 2 SIGTERM: the gateway hears of it on its stream, and its calls go on
  expect(await controlPlane.stop()).toBe(0)
  await until('the gateway was told', () => gateway.output().includes('it asked to come back later'))
  expect(await session.call('pid')).toEqual(pid)

  // 3 it comes back by itself, and what happened before the restart and after it is seen once
  const restarted = await controlPlane.restart()
  await until('the gateway is online', async () => (await rest.get('gateways', 'here')).status['connection'] === 'online')
  await rest.servers(fixture('after', 'echo'))
  const resumed = await watchFrom(restarted.http, { kinds: 'Server', since: watching.cursor() })
  await until('the new server is seen', () => resumed.seen.includes('ADDED after'))
  expect(resumed.seen).not.toContain('ADDED echo')
  await serving(serverUrl(gateway, 'after'))
  expect((await configOf(rest)).heldBack).toEqual([])
  expect(await session.call('pid')).toEqual(pid)
  await session.close()
})

it('ends in order by Ctrl-C, at once by a second one, and so does an agent', async () => {
  const { controlPlane, gateway, gatewayState, rest } = await startFleet([fixture('stubborn', 'forks', ['B'], { stopGrace: '20s' })], env)
  // 1 a server that ignores SIGTERM holds the agent up; the second Ctrl-C ends it, and the server with it
  const session = await legacySession(serverUrl(gateway, 'stubborn'))
  const answer = (await session.call('pid')) as { content: { text: string }[] }
  const pid = Number(answer.content[0]?.text)
  process.kill(gateway.pid, 'SIGINT')
  await until('it has said goodbye', async () => (await rest.get('gateways', 'here')).status['connection'] === 'stopped')
  // What comes within half a second of the first counts as the same Ctrl-C.
  await until('a second Ctrl-C has ended it', () => !isRunning(gateway.pid) || !process.kill(gateway.pid, 'SIGINT'))
  expect(await gateway.exited).toBe(130)
  await until('the server is gone', () => !isRunning(pid))

  // 2 the control plane
  process.kill(controlPlane.pid, 'SIGINT')
  expect([0, 130]).toContain(await controlPlane.exited)

  // 3 neither leaves anything that keeps the next one from starting
  const again = await startGateway({ stateDir: gatewayState, env })
  expect(again.endpoint).not.toBe('')
})
