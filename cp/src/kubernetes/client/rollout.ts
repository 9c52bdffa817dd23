import { gatewaySelector, selectorText, workloadName } from '../objects/names.ts'
import type { KubernetesObject } from '../objects/workload.ts'
import type { Api } from './api.ts'
import { isMissing } from './errors.ts'

/** `failed` only where waiting does not help; what it waits for stands in `message`. */
export type Rollout = { state: 'absent' } | { state: 'starting' | 'failed'; message: string } | { state: 'running' }

type StatefulSet = KubernetesObject & {
  spec: { replicas?: number }
  status?: {
    observedGeneration?: number
    readyReplicas?: number
    updatedReplicas?: number
    currentRevision?: string
    updateRevision?: string
  }
}

type ContainerStatus = { restartCount?: number; state?: State; lastState?: State; ready?: boolean }
type State = {
  running?: { startedAt: string }
  waiting?: { reason?: string; message?: string }
  terminated?: { exitCode?: number; reason?: string; message?: string }
}
type Pod = KubernetesObject & {
  status?: {
    phase?: string
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
    containerStatuses?: ContainerStatus[]
  }
}

/** A pod that runs for so long and is not ready is asked why. */
const quietMs = 10_000
/** Restarts after which a container that keeps ending is given up. */
const crashes = 5

/** How far the pods of a gateway are, and in words why they are no further. */
export async function rolloutOf(api: Api, { namespace, instanceUid }: { namespace: string; instanceUid: string }): Promise<Rollout> {
  const name = workloadName(instanceUid)
  const set = await api.get<StatefulSet>(`/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`).catch((error: unknown) => {
    if (isMissing(error)) return null
    throw error
  })
  if (!set) return { state: 'absent' }
  const { replicas = 1 } = set.spec
  const { observedGeneration = 0, readyReplicas = 0, updatedReplicas = 0, currentRevision, updateRevision } = set.status ?? {}
  const isSeen = observedGeneration >= Number(set.metadata['generation'] ?? 0)
  // Once all are of the new revision, the number of those that were updated is no longer kept.
  const isUpdated = currentRevision === updateRevision || updatedReplicas >= replicas
  if (isSeen && isUpdated && readyReplicas >= replicas) return { state: 'running' }

  const selector = { labelSelector: selectorText(gatewaySelector(instanceUid)) }
  const { items: pods } = await api.get<{ items: Pod[] }>(`/api/v1/namespaces/${namespace}/pods`, selector)
  const told = pods.map(trouble).find((one) => one !== null)
  if (told) return told
  if (pods.length === 0) {
    const refused = await newestWarning(api, namespace, { kind: 'StatefulSet', name })
    if (refused) return { state: /exceeded quota|forbidden/.test(refused) ? 'failed' : 'starting', message: refused }
  }
  const quiet = pods.find((pod) => pod.status?.containerStatuses?.some(isQuiet))
  return { state: 'starting', message: quiet ? await wordsOf(api, quiet) : `${readyReplicas} of ${replicas} pods are ready` }
}

const isQuiet = ({ ready, state }: ContainerStatus) =>
  ready === false && state?.running !== undefined && Date.now() - Date.parse(state.running.startedAt) > quietMs

/** What its probe meets, and the last line that it wrote. Neither is needed to go on, so what cannot be had is left out. */
async function wordsOf(api: Api, { metadata }: Pod): Promise<string> {
  const { name, namespace = '' } = metadata
  const [met, log] = await Promise.all([
    newestWarning(api, namespace, { kind: 'Pod', name, reason: 'Unhealthy' }).catch(() => null),
    api.text(`/api/v1/namespaces/${namespace}/pods/${name}/log`, { tailLines: '1' }).catch(() => ''),
  ])
  const said = messageOf(log.trim()).slice(0, 300)
  return `pod ${name} runs and is not ready${met ? ` (${met.trim()})` : ''}${said ? `; the last that it said: ${said}` : ''}`
}

/** A line of a log is JSON, one for a person is not. */
function messageOf(line: string): string {
  try {
    return (JSON.parse(line) as { msg?: string }).msg ?? line
  } catch {
    return line
  }
}

function trouble(pod: Pod): { state: 'starting' | 'failed'; message: string } | null {
  const of = `pod ${pod.metadata.name}`
  for (const { state, lastState, ready, restartCount = 0 } of pod.status?.containerStatuses ?? []) {
    const { reason = '', message = '' } = state?.waiting ?? {}
    if (['ImagePullBackOff', 'ErrImagePull', 'ErrImageNeverPull', 'InvalidImageName'].includes(reason))
      return { state: 'failed', message: `${of} cannot get its image (${reason}): ${message || 'the node does not have it'}` }
    if (['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'].includes(reason))
      return { state: 'failed', message: `${of} cannot be started (${reason}): ${message}` }
    // Told also while it runs once more: it is what keeps it from being ready.
    const last = ready ? undefined : (state?.terminated ?? lastState?.terminated)
    if (last) {
      const { exitCode, reason: ended, message: said } = last
      const why = `${of} keeps ending (exit code ${exitCode ?? '?'}${ended ? `, ${ended}` : ''})${said ? `: ${said.trim()}` : ''}`
      return { state: restartCount >= crashes ? 'failed' : 'starting', message: why }
    }
  }
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False')
    return { state: 'starting', message: `${of} has no node yet: ${scheduled.message ?? scheduled.reason ?? ''}` }
  return null
}

type Event = { type?: string; message?: string; lastTimestamp?: string }

/** E.g. that a workload cannot make its pods because of a quota. */
async function newestWarning(
  api: Api,
  namespace: string,
  { kind, name, reason }: { kind: string; name: string; reason?: string },
): Promise<string | null> {
  const selected = `involvedObject.kind=${kind},involvedObject.name=${name},type=Warning${reason ? `,reason=${reason}` : ''}`
  const { items } = await api.get<{ items: Event[] }>(`/api/v1/namespaces/${namespace}/events`, { fieldSelector: selected })
  const newest = items.toSorted((a, b) => (b.lastTimestamp ?? '').localeCompare(a.lastTimestamp ?? ''))[0]
  return newest?.message ?? null
}
