import type { Clock } from '@mcpg/core/clock'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import { gatewaySizes } from '@mcpg/proto/rest/provisioning'
import type { IsolationTier, KubernetesWorkloads } from '@mcpg/proto/rest/clusters'
import { mostReplicas } from '../clusters/group.ts'
import type { Observed, Workload, WorkloadParameters, Workloads } from '../clusters/drivers/driver.ts'
import type { Api } from './client/api.ts'
import { clusterClient, type Client } from './client/client.ts'
import { attestedPod } from './client/attestation.ts'
import { digestOnNodes, imageName, tagOf } from './client/images.ts'
import { attestationVolumeName } from './objects/pod.ts'
import { canAttest, discover, probeCluster } from './client/probe.ts'
import { rolloutOf } from './client/rollout.ts'
import { isAutoscaled } from './objects/availability.ts'
import { enrollmentSecret, enrollmentSecretName, gatewayObjects } from './objects/gateway-objects.ts'
import { gatewaySelector, managedSelector, maxStatefulSetName, namespaceName, uidOf, workloadName } from './objects/names.ts'
import { stamped, stampOf } from './objects/stamp.ts'
import { isAttested, type Discovery, type GatewayWorkload, type KubernetesObject, type Routing } from './objects/workload.ts'

/** Where gateways reach the control plane; null for what only this machine reaches. */
export type Reach = { restPort: number; grpcPort: number } | null

/** A token that nobody redeemed for so long is made anew. */
const tokenAgeMs = 10 * 60_000
const patienceMs = 60_000

/** Kinds of what one gateway has, in the order in which they are taken away. */
const kinds = [
  'autoscaling/v1 HorizontalPodAutoscaler',
  'apps/v1 StatefulSet',
  'v1 Service',
  'networking.k8s.io/v1 NetworkPolicy',
  'v1 ServiceAccount',
].map((text) => ({ apiVersion: text.split(' ')[0]!, kind: text.split(' ')[1]! }))

/** Managed gateways as workloads of one cluster of Kubernetes. */
export function kubernetesWorkloads({
  connect,
  isolationTier,
  settings,
  reach,
  image,
  clock,
}: {
  /** Opened with the first request. */
  connect: () => Promise<Api>
  isolationTier: IsolationTier
  settings: KubernetesWorkloads
  reach: () => Reach
  /** Of gateways, without its tag, where the cluster has none of its own. */
  image: string
  clock: Clock
}): Workloads {
  let opened: Promise<{ api: Api; client: Client }> | null = null
  return { probe, resolve, apply, prune, drift, observe, stop, remove, attest, list }

  async function probe(): Promise<{ cpuMillicores: number; memoryBytes: number; warnings: string[] }> {
    const { api } = await open()
    const { capacity, warnings } = await probeCluster(api, { routing: routingOf(settings), namespace: settings.namespace })
    return { cpuMillicores: capacity.cpuMillicores, memoryBytes: capacity.memoryBytes, warnings }
  }

  /** As nodes have it already; where they are to fetch it each time, that is not what they will have. */
  async function resolve(imageTag: string, before?: string): Promise<string | null> {
    const tag = tagOf(imageTag)
    if (imageTag.includes('sha256:')) return null
    if (before?.startsWith(`${tag}@`)) return before
    if (settings.imagePullPolicy === 'Always') return null
    const { api } = await open()
    const digest = await digestOnNodes(api, { repository: settings.image ?? image, tag })
    return digest === null ? null : `${tag}@${digest}`
  }

  /** A namespace that is on its way out is waited for: the last gateway in it has just been taken away. */
  async function apply(workload: Workload): Promise<void> {
    const { api, client } = await open()
    const { discovery } = await discover(api)
    const [set] = await setsOf(client, workload.instanceUid)
    const wasAttested = set !== undefined && isAttestedSet(set)
    const described = { ...describe(workload, null), attested: wasAttested }
    const byAttestation = isAttested(described)
    if (mostReplicas(described) > 1) await requireAttestation(api, workload)
    if (described.hostname !== undefined && !described.routing) throw unrouted(described.hostname)
    const token = tokenReference(namespaceName(described), workload.instanceUid, byAttestation)
    const secret = await client.find(token)
    const isFresh = secret !== null && clock.now() - Date.parse(String(secret.metadata['creationTimestamp'])) < tokenAgeMs
    // Without a Secret the gateway enrolled: it is deleted then, and not before. What holds no secret stays.
    const needsToken = byAttestation ? !wasAttested || secret === null : secret === null ? set === undefined : !isFresh
    const enrollmentUrl = needsToken ? await workload.enrollmentUrl({ isRemote: true, byAttestation }) : null
    const given: GatewayWorkload = { ...described, enrollmentUrl }
    if (secret && needsToken) await client.remove(token)
    if (byAttestation && set && !wasAttested) await client.remove(tokenReference(namespaceName(described), workload.instanceUid, false))
    const objects = stamped(gatewayObjects(given, discovery))
    // First: what scales by load would go on doing so with a number that is ours again.
    await client.prune(kindsOf(discovery), {
      namespace: namespaceName(described),
      labels: { ...managedSelector, ...gatewaySelector(workload.instanceUid) },
      keep: objects,
    })
    if (set && isAutoscaled(given)) await client.scale(set, countOf(set, given))
    await patiently(async () => {
      for (const object of objects) {
        const applied = await client.apply(object)
        if (object.kind !== 'StatefulSet') continue
        // Whatever becomes of us, the token goes with the workload.
        for (const owned of enrollmentSecret(given, applied)) await client.apply(owned)
        if (!set && isAutoscaled(given)) await client.scale(applied, countOf(applied, given))
      }
    })
    // A pod that waits with a token of yesterday would wait for ever.
    if (secret && needsToken && !byAttestation) {
      const workloadSet = objects.find(({ kind }) => kind === 'StatefulSet')!
      await client.scale(workloadSet, 0)
      await gone(workload.instanceUid)
      await client.apply(workloadSet)
    }
    if (set) await surplusEnded(client, workload)
  }

  async function requireAttestation(api: Api, { name, instanceUid }: Workload): Promise<void> {
    if (instanceUid.length > maxStatefulSetName)
      throw new McpgError(
        'failed_precondition',
        'gateway_name_too_long',
        `The pods of ${name} could not be called as its replicas: with several replicas a name has ${maxStatefulSetName - 7} characters at most.`,
      )
    if (await canAttest(api)) return
    throw new McpgError(
      'failed_precondition',
      'cluster_without_attestation',
      'The cluster does not let the control plane review tokens (create tokenreviews.authentication.k8s.io), by which replicas enroll.',
      {
        hint: 'give the gateway one replica, or grant the published role: mcpg-ctl install kubernetes --access-only -o yaml | kubectl apply -f -',
      },
    )
  }

  /** Volumes of replicas that are no more: who has that number next is another gateway. */
  async function prune(workload: Workload): Promise<void> {
    const { client } = await open()
    await surplusEnded(client, workload)
    const claims = await listed(client, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' }, gatewaySelector(workload.instanceUid))
    for (const claim of claims.filter(isSurplusOf(workload))) await client.remove(claim)
  }

  /** In order, as far as their time allows: what they are at is not cut off by what follows. */
  async function surplusEnded(client: Client, workload: Workload): Promise<void> {
    const isSurplus = isSurplusOf(workload)
    await until(async () => !(await podsOf(client, workload.instanceUid)).some(isSurplus), 'the pods that are too many do not end')
  }

  /** What we would write otherwise by now, in another version or by other settings, is nobody's change: it comes with the next update. */
  async function drift(workload: Workload): Promise<string[]> {
    const { api, client } = await open()
    const { discovery } = await discover(api)
    const [set] = await setsOf(client, workload.instanceUid)
    const described = { ...describe(workload, null), attested: set !== undefined && isAttestedSet(set) }
    const objects = stamped(gatewayObjects(described, discovery))
    if (set && stampOf(set) !== stampOf(objects.find(({ kind }) => kind === 'StatefulSet')!)) return []
    const changed: string[] = []
    for (const object of objects) {
      const pointers = await client.drift(object)
      const what = `${object.kind} ${object.metadata.name}`
      if (pointers === null) changed.push(`${what} is gone`)
      else if (pointers.length > 0) changed.push(`${what} was changed at ${pointers.join(', ')}`)
    }
    return changed
  }

  async function attest(
    token: string,
    { org, workspace, instanceUid }: { org: string; workspace: string; instanceUid: string },
  ): Promise<{ instanceUid: string; ordinal: number }> {
    const { api } = await open()
    const { namespace, account, pod } = await attestedPod(api, token)
    const [, ordinal] = /^.*-(0|[1-9]\d*)$/.exec(pod) ?? []
    const isOurs =
      namespace === namespaceName({ org, workspace, isolationTier, namespace: settings.namespace }) &&
      account === workloadName(instanceUid) &&
      pod === `${workloadName(instanceUid)}-${ordinal}`
    if (!isOurs)
      throw new McpgError(
        'forbidden',
        'attestation_refused',
        `The token is of the pod ${pod} of the account ${namespace}/${account}, which is not one of ${instanceUid}.`,
      )
    return { instanceUid: pod, ordinal: Number(ordinal) }
  }

  async function observe(uid: string): Promise<Observed> {
    const { api, client } = await open()
    const [set] = await setsOf(client, uid)
    if (!set) return { state: (await podsOf(client, uid)).length > 0 ? 'starting' : 'absent' }
    const rollout = await rolloutOf(api, { namespace: set.metadata.namespace!, instanceUid: uid })
    if (rollout.state === 'failed') return { state: 'failed', message: rollout.message }
    if (rollout.state !== 'running') return { state: 'starting', ...(rollout.state === 'starting' && { message: rollout.message }) }
    // It answers as a gateway does that has an identity and runs a config.
    if (!isAttestedSet(set)) await client.remove(tokenReference(set.metadata.namespace!, uid, false))
    return { state: 'running' }
  }

  /** Its volume, and so its identity, stays. */
  async function stop(uid: string): Promise<void> {
    const { client } = await open()
    for (const set of await setsOf(client, uid)) await client.scale(set, 0)
    await gone(uid)
  }

  async function remove(uid: string): Promise<void> {
    const { api, client } = await open()
    const { discovery } = await discover(api)
    const labels = { ...managedSelector, ...gatewaySelector(uid) }
    const namespaces = new Set<string>()
    const takeAway = async (kind: { apiVersion: string; kind: string }, selected: Record<string, string>) => {
      for (const object of await listed(client, kind, selected)) {
        namespaces.add(object.metadata.namespace!)
        await client.remove(object)
      }
    }
    for (const kind of kindsOf(discovery)) await takeAway(kind, labels)
    await gone(uid)
    await takeAway({ apiVersion: 'v1', kind: 'PersistentVolumeClaim' }, gatewaySelector(uid))
    for (const namespace of namespaces) for (const attested of [false, true]) await client.remove(tokenReference(namespace, uid, attested))
    if (settings.namespace === undefined) for (const namespace of namespaces) await removeIfEmpty(client, namespace)
  }

  /** By what is applied first of a gateway and taken away last. */
  async function list(): Promise<string[]> {
    const { client } = await open()
    const accounts = await listed(client, { apiVersion: 'v1', kind: 'ServiceAccount' }, managedSelector)
    return accounts.flatMap(({ metadata }) => uidOf(metadata.labels) ?? [])
  }

  /** Once no gateway has an account in it; only a namespace that is ours. */
  async function removeIfEmpty(client: Client, name: string): Promise<void> {
    const accounts = await client.list({ apiVersion: 'v1', kind: 'ServiceAccount' }, { namespace: name, labels: managedSelector })
    if (accounts.length > 0) return
    const reference = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    const found = await client.find(reference)
    if (found?.metadata.labels?.['app.kubernetes.io/managed-by'] !== managedSelector['app.kubernetes.io/managed-by']) return
    await client.remove(reference)
    await until(async () => (await client.find(reference)) === null, `the namespace ${name} is still being deleted`)
  }

  function describe(
    { org, workspace, environment, name, instanceUid, parameters }: Workload,
    enrollmentUrl: string | null,
  ): GatewayWorkload {
    const ports = reach() ?? unreachable()
    const { imageTag, image: resolved, size, replicas, maxReplicas, customHostname: hostname } = parameters
    const { image: ownImage, imagePullPolicy, imagePullSecret, ingressNamespace, runtimeClass } = settings
    const { hostPath, storageClass, egress = ['0.0.0.0/0', '::/0'] } = settings
    return {
      ...(imagePullPolicy && { imagePullPolicy }),
      ...(imagePullSecret && { imagePullSecret }),
      ...(ingressNamespace && { ingressNamespace }),
      ...(runtimeClass && { runtimeClass }),
      hostname,
      routing: routingOf(settings),
      ...gatewaySizes[size],
      org,
      workspace,
      environment,
      name,
      instanceUid,
      isolationTier,
      namespace: settings.namespace,
      replicas,
      maxReplicas,
      image: imageName(ownImage ?? image, resolved ?? imageTag),
      controlPlane: ports,
      enrollmentUrl,
      egress,
      volume: hostPath ? { type: 'hostPath', path: hostPath } : { type: 'claim', bytes: 2 ** 30, ...(storageClass && { storageClass }) },
    }
  }

  /** Routes are looked for only where they may be: an account need not be allowed what is not used. */
  function kindsOf(discovery: Discovery): { apiVersion: string; kind: string }[] {
    const routing = routingOf(settings)
    return [
      ...(routing?.type === 'ingress' ? [{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' }] : []),
      ...(routing?.type === 'gateway' && discovery.httpRoute ? [{ apiVersion: discovery.httpRoute, kind: 'HTTPRoute' }] : []),
      { apiVersion: discovery.podDisruptionBudget, kind: 'PodDisruptionBudget' },
      ...kinds,
    ]
  }

  /** All of that kind of one gateway, where an account may have to stay within a namespace there. */
  async function listed(client: Client, kind: { apiVersion: string; kind: string }, labels: Record<string, string>) {
    return await client.list(kind, { labels, ...(settings.namespace !== undefined && { namespace: settings.namespace }) })
  }

  function setsOf(client: Client, uid: string): Promise<KubernetesObject[]> {
    return listed(client, { apiVersion: 'apps/v1', kind: 'StatefulSet' }, gatewaySelector(uid))
  }

  function podsOf(client: Client, uid: string): Promise<KubernetesObject[]> {
    return listed(client, { apiVersion: 'v1', kind: 'Pod' }, gatewaySelector(uid))
  }

  async function gone(uid: string): Promise<void> {
    const { client } = await open()
    await until(async () => (await podsOf(client, uid)).length === 0, 'its pods do not end')
  }

  async function patiently(run: () => Promise<void>): Promise<void> {
    const deadline = clock.now() + patienceMs
    for (;;)
      try {
        return await run()
      } catch (error) {
        if (!(error instanceof McpgError) || error.reason !== 'namespace_terminating') throw error
        // What did not end by now is held by somebody: to try again would only be to wait again.
        if (clock.now() > deadline) {
          const { reason, message, hint } = error
          throw new McpgError('failed_precondition', reason, message, { ...(hint !== undefined && { hint }), cause: error })
        }
        await pause(500)
      }
  }

  async function until(condition: () => Promise<boolean>, otherwise: string): Promise<void> {
    for (const deadline = clock.now() + 2 * patienceMs; !(await condition()); await pause(250))
      if (clock.now() > deadline) throw new McpgError('unavailable', 'cluster_slow', `On the cluster ${otherwise}.`)
  }

  async function pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => void clock.after(ms, resolve))
  }

  async function open(): Promise<{ api: Api; client: Client }> {
    opened ??= connect().then((api) => ({ api, client: clusterClient(api) }))
    opened.catch(() => (opened = null))
    return await opened
  }
}

/** What no cluster of Kubernetes can run. */
export function checkParameters(_: WorkloadParameters, reach: Reach): Violation[] {
  const loopback = {
    pointer: '/name',
    detail:
      'pods cannot reach this control plane, which listens on loopback: start it with --bind-http and --bind-grpc that they reach, or with --external-url and --external-grpc',
  }
  return reach ? [] : [loopback]
}

function routingOf({ ingressClass, certificateIssuer: issuer, gatewayApi }: KubernetesWorkloads): Routing | undefined {
  if (ingressClass !== undefined) return { type: 'ingress', className: ingressClass, issuer }
  const [namespace, name] = gatewayApi?.split('/') ?? []
  return namespace && name ? { type: 'gateway', namespace, name } : undefined
}

const unrouted = (hostname: string) =>
  new McpgError('failed_precondition', 'cluster_without_routes', `The cluster is not told how it routes ${hostname}.`, {
    hint: 'register it again with --ingress-class <class> or --gateway-api <namespace>/<name>, or leave --custom-hostname out',
  })

/**
 * How many pods it has that scales by load. It is set under another name than everything else of ours, beside whatever scales it: what we
 * would leave out of an apply after having set it there would fall back to one.
 */
function countOf(set: KubernetesObject, workload: GatewayWorkload): number {
  const { replicas = 1 } = set['spec'] as { replicas?: number }
  return Math.min(Math.max(replicas, workload.replicas), mostReplicas(workload))
}

/** Pods and volumes end with the number of their replica. */
function isSurplusOf({ parameters }: Workload): (object: KubernetesObject) => boolean {
  const most = mostReplicas(parameters)
  return ({ metadata: { name } }) => Number(/-(\d+)$/.exec(name)?.[1] ?? 0) >= most
}

/** As its pods are made: what they enroll by is a volume of theirs. */
function isAttestedSet(set: KubernetesObject): boolean {
  const { template } = set['spec'] as { template: { spec: { volumes?: { name: string }[] } } }
  return (template.spec.volumes ?? []).some(({ name }) => name === attestationVolumeName)
}

const tokenReference = (namespace: string, uid: string, attested: boolean) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: enrollmentSecretName(uid, { attested }), namespace },
})

function unreachable(): never {
  throw new McpgError(
    'failed_precondition',
    'control_plane_on_loopback',
    'Pods cannot reach this control plane: it listens on loopback only.',
    {
      hint: 'start it with --bind-http and --bind-grpc that pods reach',
    },
  )
}
