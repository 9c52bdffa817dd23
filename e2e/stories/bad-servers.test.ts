import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GatewayStatus } from '@mcpg/proto/kinds/gateway'
import type { ServerStatus } from '@mcpg/proto/kinds/server'
import { describe, expect, it } from 'vitest'
import { serverFile } from '../fixtures/start.ts'
import { tinyPackage } from '../fixtures/tiny-package.ts'
import { startRegistry } from '../../gateway-agent/src/servers/test-servers/registry.ts'
import { closeLater, temporaryFolder } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { ctl, fastTimers, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { configOf, fixture, serverUrl, serving, settled, startFleet, type ServerInput } from '../scenarios/fleet.ts'
import { poisonServer } from '../scenarios/poison.ts'

const env = { MCPG_TIMERS: fastTimers }

describe('a working server that is changed into one which', () => {
  it.each([
    ['exits at once', 'ExitedEarly', /no database/, 0],
    ['hangs in initialize', 'InitializeTimeout', /initialize|handshake/, 0],
    ['dies later', 'ExitedUnexpectedly', /code 7/, 5_000],
  ] as const)(
    '%s: is held back, its old version serves on, nobody else notices, and the next change is applied at once',
    async (poison, reason, message, outageMs) => {
      const { held, status, unchanged, victim, nextChangeMs } = await poisonServer(poison, {
        dieAfterMs: 1_500,
        env: { MCPG_TIMERS: `${fastTimers},probation=4000` },
      })
      expect(held).toMatchObject({ reason, message: expect.stringMatching(message) as string })
      expect(status.gateways[0]?.heldBack).toMatchObject({ reason: held.reason })
      expect(unchanged.failures).toEqual([])
      // What never became ready never took a call; what died with calls in it is replaced at once.
      expect(victim.longestOutageMs).toBeLessThanOrEqual(outageMs)
      expect(nextChangeMs).toBeLessThan(10_000)
    },
    120_000,
  )
})

it('names what it holds back and why, tries it again when told to, and lets go when the server is changed', async () => {
  // 1 a revision that does not start is held back, and the last one that ran serves
  const { rest, controlPlane, gateway, folder } = await startFleet([fixture('fickle', 'echo')], env)
  const run = (...args: string[]) => ctl(args, { stateDir: controlPlane.stateDir, env: { MCPG_CP_URL: controlPlane.http } })
  const script = join(folder, 'fickle.sh')
  const write = (text: string) => {
    writeFileSync(script, `#!/bin/sh\n${text}\n`)
    chmodSync(script, 0o755)
  }
  write('echo "no database today" >&2; exit 3')
  const fickle: ServerInput = { name: 'fickle', spec: { command: [script] } }
  await rest.servers(fickle)
  const heldBack = async () => ((await rest.get('gateways', 'here')).status as GatewayStatus).config.heldBack
  await until('it is held back', async () => (await heldBack()).length === 1)
  await serving(serverUrl(gateway, 'fickle'))

  // 2 the command line says which server, on which gateway, why, and what to do
  const described = await run('describe', 'server', 'fickle')
  expect(described.stdout).toMatch(/here: ExitedEarly.*no database today/)
  expect(described.stdout).toContain('mcpg-ctl server restart fickle --retry')
  expect((await run('get', 'servers')).stdout).toMatch(/fickle.*ExitedEarly/)

  // 3 tried again, it is refused again; the old one serves all the while
  const [first] = await heldBack()
  expect((await run('server', 'restart', 'fickle', '--retry')).code).toBe(0)
  await until('it was tried again', async () => {
    const [again] = await heldBack()
    return again !== undefined && again.since !== first?.since
  })
  await serving(serverUrl(gateway, 'fickle'))

  // 4 what was missing is there now, and trying again is enough
  write(`exec '${process.execPath}' '${serverFile('echo')}'`)
  expect((await run('server', 'restart', 'fickle', '--retry')).code).toBe(0)
  await until('the hold is lifted', async () => (await heldBack()).length === 0)
  await settled(rest)

  // 5 broken and held once more, a change of the server lifts it
  await rest.servers(fixture('fickle', 'exits-at-once'))
  await until('it is held back', async () => (await heldBack()).length === 1)
  await rest.servers(fixture('fickle', 'echo', [], { env: [{ name: 'MENDED', value: 'yes' }] }))
  await until('the hold is lifted', async () => (await heldBack()).length === 0)
  await settled(rest)
  const session = await legacySession(serverUrl(gateway, 'fickle'))
  expect(JSON.stringify(await session.call('env'))).toContain('MENDED')
  await session.close()
})

it('holds back what cannot be started, each with its own reason, and serves the rest of the same apply', async () => {
  const folder = temporaryFolder()
  const notExecutable = join(folder, 'plain-file')
  writeFileSync(notExecutable, 'not a program')
  const { rest, gateway } = await startFleet([], env)
  await rest.servers(
    { name: 'not-found', spec: { command: ['no-such-program-anywhere'] } },
    { name: 'not-executable', spec: { command: [notExecutable] } },
    { name: 'no-folder', spec: { command: ['true'], cwd: join(folder, 'nowhere') } },
    fixture('exits', 'exits-at-once'),
    fixture('good', 'echo'),
  )
  await serving(serverUrl(gateway, 'good'))
  await until('all four are held back', async () => (await configOf(rest)).heldBack.length === 4)
  const reasons = (await configOf(rest)).heldBack.map(({ server, reason, message }) => `${server}: ${reason}: ${message}`).toSorted()
  expect(reasons).toEqual([
    expect.stringMatching(/^exits: ExitedEarly: .*no database/),
    expect.stringMatching(/^no-folder: SpawnFailed: working folder not found/),
    expect.stringMatching(/^not-executable: SpawnFailed: not executable: .*chmod \+x/),
    expect.stringMatching(/^not-found: SpawnFailed: command not found: no-such-program-anywhere/),
  ])
  await settled(rest)
  const session = await legacySession(gateway.endpoint)
  expect(await session.tools()).toContain('good__echo')
  await session.close()
})

it('tells a package nobody knows from a registry that is down, and installs when it is back', async () => {
  // 1 two gateways: the registry of one answers, that of the other is down
  const registry = await startRegistry({})
  closeLater(() => registry.close())
  const dead = await startRegistry({})
  await dead.close()
  const { rest, folder } = await startFleet([], env)
  const gatewayWith = async (name: string, url: string) =>
    startGateway({
      stateDir: join(folder, name),
      url: (await rest.enroll({ name, labels: { registry: name } })).url,
      env: { ...env, npm_config_registry: url },
    })
  const [answers] = await Promise.all([gatewayWith('answers', registry.url), gatewayWith('dead', dead.url)])
  await rest.servers(fixture('good', 'echo'), { name: 'package', spec: { package: { runtime: 'node', name: 'tiny-server' } } })

  // 2 each says what it met
  const why = async (gateway: string) => {
    const [held] = (await configOf(rest, gateway)).heldBack
    return held && `${held.server}: ${held.reason}: ${held.message}`
  }
  expect(await until('one does not know it', () => why('answers'))).toMatch(/^package: InstallFailed: .*registry does not know tiny-server/)
  expect(await until('one cannot ask', () => why('dead'))).toMatch(/^package: InstallFailed: .*registry cannot be reached/)
  await serving(serverUrl(answers, 'good'))

  // 3 published meanwhile: tried again, it is installed and serves
  registry.packages['tiny-server'] = { '1.0.0': tinyPackage }
  await rest.call('POST', '/v1/orgs/default/workspaces/default/servers/package/restart', { retry: true })
  await serving(serverUrl(answers, 'package'))
  const onGateway = async (gateway: string) =>
    ((await rest.get('servers', 'package')).status as ServerStatus).gateways.find((one) => one.gateway === gateway)
  expect(await until('its version is told', async () => (await onGateway('answers'))?.resolvedVersion)).toBe('1.0.0')
})
