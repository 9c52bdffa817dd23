import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import type { GatewayStatus } from '@mcpg/proto/kinds/gateway'
import { expect, it } from 'vitest'
import { legacySession } from '../harness/mcp.ts'
import { ctl, fastTimers, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { configOf, fixture, serverUrl, serving, settled, startFleet } from '../scenarios/fleet.ts'

const env = { MCPG_TIMERS: fastTimers }

it('goes back to an older config, which stays whatever is applied until the gateway is resumed, and says so everywhere', async () => {
  // 1 a gateway with a history: v1, then v2
  const fleet = await startFleet([fixture('notes', 'echo', ['v1'])], env)
  const { rest, gateway, folder } = fleet
  const run = (...args: string[]) => ctl(args, { stateDir: fleet.controlPlane.stateDir, env: { MCPG_CP_URL: fleet.controlPlane.http } })
  const command = (version: string) => JSON.stringify(fixture('notes', 'echo', [version]).spec['command'])
  const manifest = join(folder, 'notes.yaml')
  const write = (version: string) => writeFileSync(manifest, `servers: [{ name: notes, command: ${command(version)} }]\n`)
  const first = (await configOf(rest)).desired!.generation
  const pidOf = async () => {
    const session = await legacySession(serverUrl(gateway, 'notes'))
    const answer = await session.call('pid')
    await session.close()
    return JSON.stringify(answer)
  }
  write('v2')
  expect((await run('apply', '-f', manifest, '--wait')).code).toBe(0)
  await settled(rest)

  // 2 the history says what led to each, and how they differ
  const described = await run('describe', 'gateway/here')
  expect(described.stdout).toMatch(new RegExp(`${first + 1} +[0-9a-f]{12} +applied +1 +.*server.update notes by local`))
  const diff = await run('diff', 'gateway/here', '--from', String(first), '--to', String(first + 1))
  expect(diff).toMatchObject({ code: 1, stdout: '~ server/notes changed\n    ~ /command/2: "v1" → "v2"\n' })
  expect((await run('diff', 'gateway/here', '--from', String(first + 1))).code).toBe(0)
  expect(JSON.parse((await run('diff', 'gateway/here', '--from', String(first), '-o', 'json')).stdout)).toMatchObject({ from: first })

  // 3 back to the first, pinned
  const back = await run('rollback', 'gateway/here', '--to', String(first))
  expect(back).toMatchObject({ code: 0, stdout: `gateway/here goes back to generation ${first}, as generation ${first + 2}\n` })
  await settled(rest)
  await serving(serverUrl(gateway, 'notes'))
  const running = await pidOf()
  expect((await run('get', 'gateways')).stdout).toMatch(/here .*applied \(pinned\)/)
  const pin = new RegExp(
    `gateway here is pinned to generation ${first} since \\S+ by local: this change reaches it after mcpg-ctl resume gateway/here`,
  )

  // 4 plan, apply and its wait say that it does not get there; nothing waits for ever, and the server that runs is the same one
  write('v3')
  expect((await run('plan', '-f', manifest)).stderr).toMatch(pin)
  const applied = await run('apply', '-f', manifest, '--wait')
  expect(applied).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/notes +here +Pinned/) as string,
    stderr: expect.stringMatching(pin) as string,
  })
  expect((await run('get', 'servers')).stdout).toMatch(/notes .* pinned /)
  expect((await run('describe', 'server/notes')).stdout).toMatch(pin)
  expect((await run('describe', 'gateway/here')).stdout).toMatch(new RegExp(`Pinned: +to generation ${first} by local .*waiting: notes`))
  expect(await pidOf()).toBe(running)

  // 5 neither a new control plane nor a new agent forgets it
  await fleet.controlPlane.kill()
  await fleet.controlPlane.restart()
  await gateway.stop()
  const again = await startGateway({ stateDir: fleet.gatewayState, env, args: ['--bind', new URL(gateway.endpoint).host] })
  await serving(serverUrl(again, 'notes'))
  const status = async () => (await rest.get('gateways', 'here')).status as GatewayStatus
  await until(
    'it is back and still pinned',
    async () => (await status()).connection === 'online' && (await status()).config.pinned?.generation === first,
  )

  // 6 what cannot be is refused with what can
  expect(await run('rollback', 'here', '--to', '99')).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('has no generation 99; it has') as string,
  })
  expect(await run('rollback', 'here', '--to', String(first))).toMatchObject({
    code: 6,
    stderr: expect.stringContaining('should run already') as string,
  })

  // 7 resumed, it gets what is wanted now
  expect((await run('resume', 'gateway/here')).stdout).toBe('gateway/here resumed\n')
  await until('v3 is applied', async () => {
    const { config } = await status()
    return (
      config.state === 'applied' &&
      config.pinned === undefined &&
      config.desired?.hash === config.applied?.hash &&
      config.desired!.generation > first + 2
    )
  })
  expect(await run('resume', 'here')).toMatchObject({ code: 6, stderr: expect.stringContaining('is not pinned') as string })
  expect((await run('apply', '-f', manifest, '--wait')).stdout).toMatch(/notes +here +ready/)
}, 120_000)
