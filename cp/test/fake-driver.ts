import { McpgError } from '@mcpg/proto/errors'
import type { Driver, Workload, Workloads } from '../src/clusters/drivers/driver.ts'
import type { FakeAgent, Knobs } from './fake-agent.ts'
import type { TestFleet } from './fleet.ts'
import { isMember, mostReplicas, ordinalOf, replicaUid } from '../src/clusters/group.ts'
import { enrollRequest, newIdentity } from './identity.ts'

export type FakeDriver = ReturnType<typeof fakeDriver>

/**
 * A cluster in memory that outlives the control plane of a test: its workloads are agents that enroll and connect as real ones do, and
 * start nothing. With `attests`, replicas enroll by the word of the cluster, for which the token of a pod is `pod <uid>`. `fails` names what goes wrong next, each as often as it stands there.
 */
export function fakeDriver({ fleet, knobs = {}, attests = false }: { fleet: () => TestFleet; knobs?: Knobs; attests?: boolean }) {
  const workloads = new Map<string, { workload: Workload; agent: FakeAgent }>()
  const pods = new Map<string, FakeAgent>()
  const applied: string[] = []
  const drifted = new Set<string>()
  /** What nodes say of tags. */
  const digests: Record<string, string> = {}
  const asleep = new Set<string>()
  const fails: ('probe' | 'apply' | 'prune' | 'observe' | 'stop' | 'remove')[] = []
  const here: Workloads = {
    async probe() {
      failAt('probe')
      return { cpuMillicores: 8_000, memoryBytes: 16 * 2 ** 30 }
    },
    async resolve(imageTag, before) {
      return before?.startsWith(`${imageTag}@`) ? before : (digests[imageTag] ?? null)
    },
    async apply(workload) {
      failAt('apply')
      drifted.delete(workload.instanceUid)
      applied.push(`${workload.instanceUid} ${workload.parameters.size}`)
      if (mostReplicas(workload.parameters) > 1 || podsOf(workload.instanceUid).length > 0) return await applyGroup(workload)
      const known = workloads.get(workload.instanceUid)
      if (known) return void (known.workload = workload)
      const url = await workload.enrollmentUrl()
      const { status, body } = await fleet().redeem(url.split('/enroll/')[1]!, await newIdentity(), workload.instanceUid)
      if (status !== 200) throw new McpgError('unavailable', 'not_enrolled', JSON.stringify(body))
      const agent = fleet().agentOf(body.credential.bearerToken, workload.instanceUid, knobs)
      workloads.set(workload.instanceUid, { workload, agent })
      agent.connect()
    },
    async prune({ instanceUid, parameters }) {
      failAt('prune')
      for (const pod of podsOf(instanceUid)) if (ordinalOf(pod, instanceUid)! >= mostReplicas(parameters)) end(pod)
    },
    async drift({ instanceUid }) {
      return drifted.has(instanceUid) ? ['something was changed'] : []
    },
    async observe(uid) {
      failAt('observe')
      return { state: workloads.has(uid) || podsOf(uid).length > 0 ? 'running' : 'absent' }
    },
    async stop(uid) {
      failAt('stop')
      workloads.get(uid)?.agent.disconnect()
      for (const pod of podsOf(uid)) pods.get(pod)!.disconnect()
    },
    async remove(uid) {
      failAt('remove')
      workloads.get(uid)?.agent.disconnect()
      workloads.delete(uid)
      for (const pod of podsOf(uid)) end(pod)
    },
    ...(attests && {
      attest: async (token: string, { instanceUid }: { instanceUid: string }) => {
        const [, pod = '', ordinal] = /^pod (.*-(\d+))$/.exec(token) ?? []
        if (pod !== `${instanceUid}-${ordinal}`) throw new McpgError('forbidden', 'attestation_refused', `${token} is none of it.`)
        return { instanceUid: pod, ordinal: Number(ordinal) }
      },
    }),
    list: async () => [...workloads.keys()],
  }
  const driver: Driver = {
    kind: 'local',
    check: ({ replicas }) => (replicas === 1 || attests ? [] : [{ pointer: '/replicas', detail: 'one replica is all there is' }]),
    on: () => here,
  }
  return { driver, workloads, pods, applied, drifted, digests, fails, join }

  function podsOf(uid: string): string[] {
    return [...pods.keys()].filter((pod) => isMember(pod, uid))
  }

  function end(pod: string): void {
    pods.get(pod)!.disconnect()
    pods.delete(pod)
    asleep.delete(pod)
  }

  async function applyGroup(workload: Workload): Promise<void> {
    const { instanceUid, parameters } = workload
    const alone = workloads.get(instanceUid)
    if (alone) {
      alone.workload = workload
      pods.set(instanceUid, alone.agent)
    }
    for (const pod of podsOf(instanceUid)) {
      // Its volume stays until it is pruned.
      if (ordinalOf(pod, instanceUid)! >= mostReplicas(parameters)) {
        pods.get(pod)!.disconnect()
        asleep.add(pod)
      } else if (asleep.delete(pod)) pods.get(pod)!.connect()
    }
    const has = (ordinal: number) => podsOf(instanceUid).some((pod) => ordinalOf(pod, instanceUid) === ordinal)
    const missing = Array.from({ length: parameters.replicas }, (_, ordinal) => ordinal).filter((ordinal) => !has(ordinal))
    if (missing.length === 0) return
    const url = await workload.enrollmentUrl({ byAttestation: true })
    for (const ordinal of missing) {
      const { status, body } = await join(url, replicaUid(instanceUid, ordinal))
      if (status !== 200) throw new McpgError('unavailable', 'not_enrolled', JSON.stringify(body))
    }
  }

  /** A pod with an empty volume begins. */
  async function join(url: string, pod: string, attestationToken = `pod ${pod}`) {
    const request = { ...(enrollRequest(await newIdentity(), pod) as object), ...(attestationToken !== '' && { attestationToken }) }
    const answer = await fleet().call('POST', url.slice(url.indexOf('/enroll/')), request)
    if (answer.status !== 200) return answer
    const agent = fleet().agentOf(answer.body.credential.bearerToken, pod, knobs)
    pods.get(pod)?.disconnect()
    pods.set(pod, agent)
    agent.connect()
    return answer
  }

  function failAt(what: (typeof fails)[number]): void {
    const index = fails.indexOf(what)
    if (index < 0) return
    fails.splice(index, 1)
    throw new McpgError('unavailable', 'planned', `${what} fails as planned`)
  }
}
