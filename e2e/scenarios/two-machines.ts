import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { CreatedEnrollment } from '@mcpg/proto/rest/enrollments'
import { bridged } from '../harness/bridge.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { shiftedClock } from '../harness/clock.ts'
import { databaseOf } from '../harness/database.ts'
import { lendPort, twoMachines } from '../harness/machines.ts'
import { ctl, fastTimers, startControlPlane, startGateway, type Place } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { fixture } from './fleet.ts'

export type Machines = Awaited<ReturnType<typeof controlPlaneAndMachine>>

/**
 * A control plane that listens on one machine, over TLS since others reach it, and a second machine with nothing on it yet. All that is asked
 * of either goes through `mcpg-ctl` on that machine.
 */
export async function controlPlaneAndMachine({ timers = '', env = {} }: { timers?: string; env?: Record<string, string> } = {}) {
  const [here, there] = twoMachines()
  const folder = temporaryFolder()
  const variables = { MCPG_TIMERS: [fastTimers, timers].filter(Boolean).join(','), ...env }
  const log = join(folder, 'control-plane.log')
  const centre: Place = { stateDir: join(folder, 'control-plane'), within: here.within, env: variables }
  const database = (await databaseOf(centre.stateDir))['MCPG_DATABASE_URL']
  if (database) await lendPort(here, Number(new URL(database).port))
  const controlPlane = await startControlPlane({
    ...centre,
    http: `${here.address}:0`,
    grpc: `${here.address}:0`,
    args: ['--insecure-allow-unauthenticated', '--log-level', 'debug', '--log-file', log],
  })
  const edge: Place = { stateDir: join(folder, 'gateway'), within: there.within, env: variables }
  return { here, there, folder, controlPlane, centre, edge, ask, enroll, gateway, connected, serve, requests }

  /** A command on the machine of the control plane, which trusts it by its own state dir. */
  async function ask<Answer>(...args: string[]): Promise<Answer> {
    const { code, stdout, stderr } = await ctl([...args, '-o', 'json'], centre)
    if (code !== 0) throw new Error(`mcpg-ctl ${args.join(' ')}: ${code} ${stderr}`)
    return JSON.parse(stdout) as Answer
  }

  async function enroll(name: string): Promise<string> {
    return (await ask<CreatedEnrollment>('enroll', 'create', '--name', name)).url
  }

  async function gateway(name: string): Promise<Resource> {
    return ask<Resource>('get', `gateway/${name}`)
  }

  async function connected(name: string, state = 'online'): Promise<void> {
    await until(`${name} is ${state}`, async () => (await gateway(name)).status['connection'] === state)
  }

  /** Paths that the control plane was asked for so far, in order, tokens redacted. */
  function requests(): string[] {
    return [...readFileSync(log, 'utf8').matchAll(/"path":"([^"]*)"/g)].map(([, path]) => path ?? '')
  }

  /** The echo server, for every gateway. */
  async function serve(): Promise<void> {
    const { name, spec } = fixture('echo', 'echo')
    const manifest = JSON.stringify({ servers: [{ name, ...spec }] })
    const applied = await ctl(['apply', '-f', '-'], { ...centre, stdin: manifest })
    if (applied.code !== 0) throw new Error(applied.stderr)
  }
}

/** A client on the other machine calls the echo server and gets its own words back. */
export async function callFromThere(edge: Place, text: string): Promise<string> {
  const client = await until('the bridge to be served', () => bridged(['--server', 'echo'], edge))
  const result = await client.call('echo', { text })
  return (result['content'] as { text: string }[])[0]?.text ?? JSON.stringify(result)
}

/** Calls without a pause while certificates of `lifeMs` are renewed `renewals` times; every answer is looked at. */
export async function callsDuringRenewals({ lifeMs, renewals }: { lifeMs: number; renewals: number }) {
  const machines = await controlPlaneAndMachine({ timers: `certificateLife=${lifeMs},renewalOverlap=${lifeMs}` })
  const { edge, enroll, gateway, connected, serve } = machines
  await serve()
  await startGateway({ ...edge, url: await enroll('edge') })
  await connected('edge')
  const client = await until('the bridge to be served', () => bridged(['--server', 'echo'], edge))
  const renewed = async () => (await credentialOf()).renewals ?? 0
  const before = await renewed()
  const failures: string[] = []
  let calls = 0
  let isOver = false
  const calling = (async () => {
    while (!isOver) {
      const text = `call ${calls++}`
      const answer = await client.call('echo', { text }).catch((error: unknown) => ({ error: String(error) }))
      if (!JSON.stringify(answer).includes(text)) failures.push(JSON.stringify(answer))
    }
  })()
  await until(`${renewals} renewals`, async () => (await renewed()) >= before + renewals, 30_000 + renewals * lifeMs)
  isOver = true
  await calling
  await connected('edge')
  return { calls, failures, renewals: (await renewed()) - before, epoch: (await gateway('edge')).status['sessionEpoch'] }

  async function credentialOf() {
    return (await gateway('edge')).status['credential'] as { renewals?: number }
  }
}

/** An agent that was away for `away`, e.g. `3d`; both clocks are then that much later. Serves meanwhile, and what is said of it. */
export async function backAfter(away: string) {
  const machines = await controlPlaneAndMachine()
  const { controlPlane, edge, centre, enroll, serve, connected } = machines
  await serve()
  const first = await startGateway({ ...edge, url: await enroll('edge') })
  await connected('edge')
  await until('it serves', async () => (await callFromThere(edge, 'hello')) === 'hello')
  await until('its config is proven', async () => {
    const { status } = await machines.gateway('edge')
    return (status['config'] as { state: string }).state === 'applied'
  })
  await first.stop()
  await controlPlane.stop()
  const later = shiftedClock(`+${away}`)
  // Everything on both machines from now on, commands too.
  for (const place of [centre, edge]) place.env = { ...place.env, ...later }
  await controlPlane.restart({ env: centre.env ?? {} })
  const again = await startGateway(edge)
  const answer = await callFromThere(edge, 'still here')
  return { ...machines, again, answer }
}

/** An agent of the other machine with a clock of its own, and what it says about it until `said` is among it. */
export async function withClock(machines: Machines, shift: string, said: RegExp): Promise<string> {
  const { edge, enroll } = machines
  const stateDir = join(machines.folder, `clock${shift}`)
  const place = { ...edge, stateDir, env: { ...edge.env, ...shiftedClock(shift) } }
  const { stderr } = await ctl(
    ['gateway', '--enrollment-url', await enroll(`clock${shift.replace(/\W/g, '-')}`), '--bind', '127.0.0.1:0'],
    place,
  )
  if (!said.test(stderr)) throw new Error(`it says nothing of ${String(said)}: ${stderr}`)
  return stderr
}
