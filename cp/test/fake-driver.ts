import { McpgError } from '@mcpg/proto/errors'
import type { Driver, Workload, Workloads } from '../src/clusters/drivers/driver.ts'
import type { FakeAgent, Knobs } from './fake-agent.ts'
import type { TestFleet } from './fleet.ts'
import { newIdentity } from './identity.ts'

export type FakeDriver = ReturnType<typeof fakeDriver>

/**
 * A cluster in memory that outlives the control plane of a test: its workloads are agents that enroll and connect as real ones do, and
 * start nothing. `fails` names what goes wrong next, each as often as it stands there.
 */
export function fakeDriver({ fleet, knobs = {} }: { fleet: () => TestFleet; knobs?: Knobs }) {
  const workloads = new Map<string, { workload: Workload; agent: FakeAgent }>()
  const applied: string[] = []
  const fails: ('probe' | 'apply' | 'observe' | 'stop' | 'remove')[] = []
  const here: Workloads = {
    async probe() {
      failAt('probe')
      return { cpuMillicores: 8_000, memoryBytes: 16 * 2 ** 30 }
    },
    async apply(workload) {
      failAt('apply')
      applied.push(`${workload.instanceUid} ${workload.parameters.size}`)
      const known = workloads.get(workload.instanceUid)
      if (known) return void (known.workload = workload)
      const url = await workload.enrollmentUrl()
      const { status, body } = await fleet().redeem(url.split('/enroll/')[1]!, await newIdentity(), workload.instanceUid)
      if (status !== 200) throw new McpgError('unavailable', 'not_enrolled', JSON.stringify(body))
      const agent = fleet().agentOf(body.credential.bearerToken, workload.instanceUid, knobs)
      workloads.set(workload.instanceUid, { workload, agent })
      agent.connect()
    },
    async observe(uid) {
      failAt('observe')
      return { state: workloads.has(uid) ? 'running' : 'absent' }
    },
    async stop(uid) {
      failAt('stop')
      workloads.get(uid)?.agent.disconnect()
    },
    async remove(uid) {
      failAt('remove')
      workloads.get(uid)?.agent.disconnect()
      workloads.delete(uid)
    },
    list: async () => [...workloads.keys()],
  }
  const driver: Driver = {
    kind: 'local',
    check: ({ replicas }) => (replicas === 1 ? [] : [{ pointer: '/replicas', detail: 'one replica is all there is' }]),
    on: () => here,
  }
  return { driver, workloads, applied, fails }

  function failAt(what: (typeof fails)[number]): void {
    const index = fails.indexOf(what)
    if (index < 0) return
    fails.splice(index, 1)
    throw new McpgError('unavailable', 'planned', `${what} fails as planned`)
  }
}
