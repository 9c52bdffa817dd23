import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Cluster } from '@mcpg/proto/rest/clusters'
import type { Operation } from '@mcpg/proto/rest/operations'
import { api } from '../harness/api.ts'
import { closeLater, temporaryFolder } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { ctl, fastTimers, startControlPlane } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { fixture } from '../scenarios/fleet.ts'

const env = { MCPG_TIMERS: `${fastTimers},managedProbe=300,operationLease=1000,operationRetry=50,clusterDrain=200` }
const place = ['--org', 'default', '--workspace', 'default', '--env', 'default']
const spare = ['cluster', 'register', '--name', 'spare', '--region', 'local', '--gateways-max', '5', '--driver', 'local']
type Local = { pid: number; name: string; endpoints: { mcp: string } }

const runner = (stateDir: string) => {
  const run = (...args: string[]) => ctl(args, { stateDir })
  const running = async (): Promise<Local[]> => (JSON.parse((await run('status', '-o', 'json')).stdout) as { gateways: Local[] }).gateways
  return { run, running }
}

it('limits, drains and gives up a cluster from the command line', async () => {
  const stateDir = temporaryFolder()
  const controlPlane = await startControlPlane({ stateDir, env })
  closeLater(() => ctl(['stop', '--all'], { stateDir }))
  const { run, running } = runner(stateDir)
  await api(controlPlane.http).servers(fixture('echo', 'echo'))
  expect(await run('provision', 'create', ...place, '--name', 'edge-1')).toMatchObject({ code: 0 })
  const [before] = await running()

  // 1 a quota is set, shown, and held to with its numbers
  expect((await run('quota', 'set', '--gateways', '1')).stdout).toMatch(/^QUOTA +GATEWAYS +CPU +MEMORY\norg default +1 of 1 +250m +512Mi\n/)
  expect((await run('get', 'quotas')).stdout).toMatch(/\ndefault\/default +1 +250m +512Mi\n$/)
  const above = await run('provision', 'create', ...place, '--name', 'edge-2')
  expect([above.code, above.stdout]).toEqual([7, expect.stringMatching(/QUOTA +USED +OF +ASKED\norg +1 gateway +1 gateway +1 gateway/)])
  expect(await run('quota', 'set', '--gateways', '-1', '--cpu-millicores', 'much')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--gateways must be[^]*--cpu-millicores must be/) as string,
  })

  // 2 a host name needs a domain, and this machine routes none
  expect((await run('domain', 'add', 'example.com')).stdout).toMatch(
    /TXT record: +_mcpg-challenge\.example\.com\nValue: +mcpg-domain-verification=\w{32}\n/,
  )
  expect((await run('domain', 'list')).stdout).toMatch(/\nexample\.com +pending +_mcpg/)
  expect(await run('provision', 'create', ...place, '--name', 'edge-2', '--custom-hostname', 'a.example.com')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('routes no host names') as string,
  })
  expect(await run('domain', 'remove', 'example.com', '--yes')).toMatchObject({ code: 0 })
  expect(await run('domain', 'verify', 'example.com')).toMatchObject({ code: 5 })

  // 3 with nowhere to go: why, and everything serves on
  const stuck = await run('cluster', 'drain', 'local', '--deadline', '500ms')
  expect([stuck.code, stuck.stdout]).toEqual([
    7,
    expect.stringMatching(/the deadline has passed: 1 left of 1[^]*default\/default\/default\/edge-1: local: it is draining\n$/),
  ])
  expect((await run('cluster', 'describe', 'local')).stdout).toMatch(/State: +draining\nDrain: +is not drained[^]*Waiting: +default/)
  expect((await running())[0]!.pid).toBe(before!.pid)

  // 4 with room: the same name and tools in a new installation, above any quota, and one process
  expect((await run(...spare)).code).toBe(0)
  const drained = await run('cluster', 'drain', 'local')
  expect([drained.code, drained.stdout]).toEqual([0, expect.stringMatching(/cluster\/local is drained: 1 gateway has moved\n$/)])
  const [after, ...more] = await running()
  expect([after!.name === before!.name, more]).toEqual([false, []])
  const gateway = await api(controlPlane.http).get('gateways', 'edge-1')
  expect(gateway).toMatchObject({ spec: { instanceUid: after!.name }, status: { connection: 'online' } })
  const session = await legacySession(after!.endpoints.mcp)
  expect(await session.tools()).toContain('echo__pid')
  await session.close()

  // 5 what cannot be meant
  expect((await run(...spare)).code).toBe(0)
  expect((await run(...spare, '--isolation-tier', 'sandboxed')).code).toBe(6)
  expect((await run('cluster', 'register', '--name', 'none', '--region', 'local', '--gateways-max', '0')).code).toBe(2)
  expect((await run('cluster', 'register', '--name', 'none', '--region', 'local', '--gateways-max', '-3')).code).toBe(2)
  expect((await run('cluster', 'drain', 'spare', '--deadline', 'soon')).code).toBe(2)
  expect((await run('provision', 'create', ...place, '--name', 'x'.repeat(57))).code).toBe(2)
  expect((await run('provision', 'delete', ...place, '--instance-uid', before!.name)).code).toBe(5)

  // 6 nothing is on it any more
  expect((await run('cluster', 'decommission', '--id', 'local')).stdout).toBe('cluster/local decommissioned\n')
  expect((await run('cluster', 'uncordon', 'local')).code).toBe(6)
  expect((await run('audit', 'list', '--platform', '--action', 'cluster.*')).stdout).toMatch(/cluster\.decommission[^]*cluster\.drain/)
}, 180_000)

it.each(['move/workload/after', 'move/config_applied/after', 'move/switched/after', 'move/old_drained/after', 'move/old_revoked/after'])(
  'moves a gateway once although it is killed with -9 at %s',
  async (point) => {
    const stateDir = temporaryFolder()
    writeFileSync(join(stateDir, 'crash-at-allowed'), '')
    const first = await startControlPlane({ stateDir, env: { ...env, MCPG_CRASH_AT_STEP: point } })
    closeLater(() => ctl(['stop', '--all'], { stateDir }))
    const { run, running } = runner(stateDir)
    expect((await run('provision', 'create', ...place, '--name', 'edge-1')).code).toBe(0)
    const [before] = await running()
    expect((await run(...spare)).code).toBe(0)
    expect((await run('cluster', 'drain', 'local', '--detach')).code).toBe(0)
    await first.exited
    const next = await first.restart({ env })
    closeLater(() => ctl(['stop', '--all'], { stateDir }))
    const { drain } = await until('it is drained', async () => {
      const cluster = await api(next.http).call<Cluster>('GET', '/v1/clusters/local')
      return cluster.drain?.finishedAt === undefined ? null : cluster
    })
    expect(drain).toMatchObject({ left: 0, expired: false })
    const { items } = await api(next.http).call<{ items: Operation[] }>('GET', '/v1/orgs/default/operations')
    expect(items.map(({ kind, state }) => `${kind} ${state}`)).toEqual(['move succeeded', 'create succeeded'])
    const all = await running()
    expect([all.length, all[0]!.name === before!.name]).toEqual([1, false])
    expect(await api(next.http).list('gateways')).toHaveLength(1)
  },
  120_000,
)
