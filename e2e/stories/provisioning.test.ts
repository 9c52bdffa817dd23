import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Cluster } from '@mcpg/proto/rest/clusters'
import type { Operation, OperationEvent } from '@mcpg/proto/rest/operations'
import { api } from '../harness/api.ts'
import { closeLater, temporaryFolder } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { isRunning } from '../harness/processes.ts'
import { ctl, fastTimers, startControlPlane, talk, type ControlPlane } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { fixture } from '../scenarios/fleet.ts'

const gateways = '/v1/orgs/default/workspaces/default/environments/default/gateways'
const env = { MCPG_TIMERS: `${fastTimers},managedProbe=300,operationLease=1000,operationRetry=50` }

type Local = { pid: number; name: string; endpoints: { mcp: string } }

async function begin(): Promise<{ controlPlane: ControlPlane; stateDir: string }> {
  const stateDir = temporaryFolder()
  const controlPlane = await startControlPlane({ stateDir, env: { ...env, PLANTED: 'of the control plane' } })
  closeLater(() => ctl(['stop', '--all'], { stateDir }))
  return { controlPlane, stateDir }
}

/** The events of a gateway that is made or deleted, up to the end. */
async function follow(
  { http }: Pick<ControlPlane, 'http'>,
  method: 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<OperationEvent[]> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(http + path, { method, ...(body && { headers, body: JSON.stringify(body) }) })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${answer.status} ${text}`)
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as OperationEvent)
}

const ladder = (events: OperationEvent[]) => [...new Set(events.map(({ phase }) => phase))]
const running = async (stateDir: string): Promise<Local[]> =>
  (JSON.parse((await ctl(['status', '-o', 'json'], { stateDir })).stdout) as { gateways: Local[] }).gateways
const only = async (stateDir: string) => {
  const all = await running(stateDir)
  if (all.length !== 1) throw new Error(`${all.length} gateways run`)
  return all[0]!
}
const isOnline = async ({ http }: Pick<ControlPlane, 'http'>, name: string) =>
  (await api(http).get('gateways', name)).status['connection'] === 'online'
const reserved = async ({ http }: Pick<ControlPlane, 'http'>) =>
  (await api(http).call<Cluster>('GET', '/v1/clusters/local')).gateways.reserved

it('runs a gateway on this machine: made, kept alive, adopted after a restart, and deleted without a trace', async () => {
  const { controlPlane, stateDir } = await begin()
  await api(controlPlane.http).servers(fixture('echo', 'echo'))

  // 1 from the request to a tool that can be called
  const events = await follow(controlPlane, 'POST', gateways, { name: 'edge-1' })
  expect(ladder(events)).toEqual(['allocating', 'applying', 'ready'])
  const { instanceUid, endpoints } = events.at(-1)!.gateway!
  const session = await legacySession(endpoints[0]!)
  expect(await session.tools()).toContain('echo__pid')
  await session.close()
  const first = await only(stateDir)
  expect([first.name, first.endpoints.mcp]).toEqual([instanceUid, endpoints[0]])

  expect(readFileSync(`/proc/${controlPlane.pid}/environ`, 'utf8')).toContain('PLANTED')
  expect(readFileSync(`/proc/${first.pid}/environ`, 'utf8')).not.toMatch(/PLANTED|MCPG_STATE_DIR/)

  // 2 killed, it comes back with the same identity and address
  process.kill(first.pid, 'SIGKILL')
  const second = await until('it was started again', async () => {
    const found = await only(stateDir)
    return found.pid === first.pid ? null : found
  })
  await until('it is online again', () => isOnline(controlPlane, 'edge-1'))
  expect(second.endpoints.mcp).toBe(endpoints[0])

  // 3 it outlives the control plane, and the next one takes it as its own
  await controlPlane.kill()
  const next = await controlPlane.restart()
  await until('it is online at the next one', () => isOnline(next, 'edge-1'))
  expect((await only(stateDir)).pid).toBe(second.pid)
  expect(await reserved(next)).toBe(1)

  // 4 deleted: no process, no folder, no reservation, no row without an end
  expect(ladder(await follow(next, 'DELETE', `${gateways}/edge-1`))).toEqual(['applying', 'ready'])
  expect(isRunning(second.pid)).toBe(false)
  expect(existsSync(join(stateDir, 'gateways', instanceUid))).toBe(false)
  expect(readdirSync(join(stateDir, 'run')).filter((name) => name.startsWith('gateway-'))).toEqual([])
  expect(await reserved(next)).toBe(0)
  const history = await api(next.http).call<{ items: Operation[] }>('GET', '/v1/orgs/default/operations')
  expect(history.items.map(({ kind, state }) => `${kind} ${state}`)).toEqual(['delete succeeded', 'create succeeded'])
}, 180_000)

it('ends with everything by stop --all, and a start brings what was managed back', async () => {
  const { controlPlane, stateDir } = await begin()
  await follow(controlPlane, 'POST', gateways, { name: 'edge-1' })
  const { pid } = await only(stateDir)
  const stopped = await ctl(['stop', '--all'], { stateDir })
  expect([stopped.code, stopped.stdout]).toEqual([0, expect.stringMatching(/control plane stopped[^]*gateway edge-1-\w+ stopped/)])
  expect(isRunning(pid)).toBe(false)
  expect(await running(stateDir)).toEqual([])
  const next = await controlPlane.restart()
  closeLater(() => ctl(['stop', '--all'], { stateDir }))
  await until('the gateway is online', () => isOnline(next, 'edge-1'), 60_000)
}, 180_000)

const place = ['--org', 'default', '--workspace', 'default', '--env', 'default']

it('is done from the command line, with the published flags and exit codes', async () => {
  const { controlPlane, stateDir } = await begin()
  const run = (...args: string[]) => ctl(args, { stateDir })

  // 1 made: a line for each phase and where to connect
  const made = await run('provision', 'create', ...place, '--name', 'edge-1')
  expect([made.code, made.stderr]).toEqual([0, ''])
  expect(made.stdout).toMatch(
    /^… allocating\n✓ allocating +reserved on local\n… applying\n✓ applying +online, and[^]*\n✓ ready +edge-1 is ready\n\nMCP endpoint {2}http:.*\ninstance uid {2}edge-1-\w+\n$/,
  )
  const again = JSON.parse((await run('provision', 'create', ...place, '--name', 'edge-1', '-o', 'json')).stdout) as Operation
  expect(again).toMatchObject({ kind: 'update', state: 'succeeded' })

  // 2 the history tells it, and an operation can be watched after its end; what has ended is not cancelled
  const { stdout: history } = await run('provision', 'history', '--org', 'default', '--verbose')
  expect(history).toMatch(
    /update +default\/default\/edge-1 +local +succeeded[^]*create +default\/default\/edge-1 +local +succeeded[^]*config_applied/,
  )
  expect(await run('provision', 'watch', again.id)).toMatchObject({ code: 0, stdout: expect.stringContaining('up to date') as string })
  expect(await run('provision', 'cancel', again.id)).toMatchObject({
    code: 6,
    stderr: expect.stringContaining(`mcpg-ctl provision delete ${place.join(' ')} --instance-uid ${again.gateway.instanceUid}`) as string,
  })
  expect(await run('provision', 'watch', 'nobody')).toMatchObject({ code: 5 })

  // 3 what is missing, and where there is no room
  expect(await run('provision', 'create', '--name', 'edge-2')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--org, --workspace, --env are missing') as string,
  })
  expect(await run('provision', 'create', ...place, '--name', 'edge-2', '--region', 'lokal')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there are: local') as string,
  })
  const full = await run('provision', 'create', ...place, '--name', 'edge-2', '--isolation-tier', 'dedicated')
  expect([full.code, full.stdout]).toEqual([7, expect.stringMatching(/✗ failed[^]*CLUSTER +PASSED OVER FOR +WHY\nlocal +tier/)])

  // 4 clusters
  expect((await run('cluster', 'list')).stdout).toMatch(/^NAME +STATE[^]*\nlocal +ready +local +local +shared +1 of 10/)
  expect((await run('cluster', 'health')).stdout).toMatch(/\nlocal +ready +yes +10 %/)
  expect(await run('cluster', 'register', '--name', 'far', '--region', 'eu', '--gateways-max', '3', '--label', 'disk=ssd')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^cluster\/far registered \(cl_\w+\), registering\n$/) as string,
  })
  expect((await run('cluster', 'describe', 'far')).stdout).toMatch(/Labels: +disk=ssd\nGateways: +0 of 3/)
  expect((await run('cluster', 'cordon', 'local')).stdout).toBe('cluster/local cordoned\n')
  expect((await run('provision', 'create', ...place, '--name', 'edge-2')).code).toBe(7)
  expect((await run('cluster', 'uncordon', 'local')).stdout).toBe('cluster/local ready\n')
  expect(await run('cluster', 'decommission', '--id', 'local')).toMatchObject({
    code: 6,
    stderr: expect.stringContaining('edge-1') as string,
  })
  expect((await run('cluster', 'decommission', '--id', 'far')).stdout).toBe('cluster/far decommissioned\n')

  // 5 deleted
  const deleted = await run('provision', 'delete', ...place, '--instance-uid', again.gateway.instanceUid)
  expect([deleted.code, deleted.stdout]).toEqual([0, expect.stringMatching(/✓ ready +edge-1 is deleted/)])
  expect(await running(stateDir)).toEqual([])
  expect(await reserved(controlPlane)).toBe(0)
}, 180_000)

it('goes on when nobody watches: after Ctrl-C, a deadline, or the end of the control plane', async () => {
  const { controlPlane, stateDir } = await begin()
  // A server that takes a while to start holds the first config up.
  await api(controlPlane.http).servers(fixture('slow', 'hangs-in-initialize'))
  const watching = talk(['provision', 'create', ...place, '--name', 'edge-1'], { stateDir })
  await until('it is applied', () => watching.said().includes('applying'))
  const [operation] = (await api(controlPlane.http).call<{ items: Operation[] }>('GET', '/v1/orgs/default/operations')).items
  const resume = `mcpg-ctl provision watch ${operation!.id}`
  watching.interrupt()
  expect(await watching.finished).toMatchObject({ code: 130, stderr: expect.stringContaining(resume) as string })
  expect(await ctl(['provision', 'create', ...place, '--name', 'edge-1'], { stateDir })).toMatchObject({
    code: 6,
    stderr: expect.stringContaining(resume) as string,
  })
  expect(await ctl(['provision', 'watch', operation!.id, '--timeout', '200ms'], { stateDir })).toMatchObject({
    code: 8,
    stderr: expect.stringContaining(resume) as string,
  })

  // The stream is cut in the middle, and every event is seen once.
  const seen = talk(['provision', 'watch', operation!.id, '-o', 'ndjson'], { stateDir })
  await until('it sees the work', () => seen.said().includes('rollout'))
  await controlPlane.kill()
  const next = await controlPlane.restart()
  closeLater(() => ctl(['stop', '--all'], { stateDir }))
  await until('it is connected again', () => seen.said().includes('connected again'))
  expect((await ctl(['provision', 'cancel', operation!.id], { stateDir })).code).toBe(0)
  const { code, stdout } = await seen.finished
  const numbers = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as OperationEvent).seq)
  expect([code, numbers]).toEqual([7, numbers.map((_, index) => index + 1)])
  expect(await reserved(next)).toBe(0)
  expect(await running(stateDir)).toEqual([])
}, 180_000)

it('says no where this machine cannot run what is asked for', async () => {
  const { controlPlane } = await begin()
  await expect(follow(controlPlane, 'POST', gateways, { name: 'edge-1', imageTag: '9.9.9', maxReplicas: 2 })).rejects.toThrow(
    /400[^]*write latest or[^]*does not scale by load/,
  )
  const refused = await follow(controlPlane, 'POST', gateways, { name: 'edge-1', isolationTier: 'dedicated' })
  expect(refused.at(-1)).toMatchObject({ phase: 'failed', passedOver: [{ cluster: 'local', reason: 'tier' }] })
}, 120_000)
