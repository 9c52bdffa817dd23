import { beforeAll, describe, expect, test } from 'vitest'
import type { Api } from '../../cp/src/kubernetes/client/api.ts'
import { openApi } from '../../cp/src/kubernetes/client/api.ts'
import { clusterClient, type Client } from '../../cp/src/kubernetes/client/client.ts'
import { probeCluster } from '../../cp/src/kubernetes/client/probe.ts'
import { rolloutOf } from '../../cp/src/kubernetes/client/rollout.ts'
import { gatewayObjects } from '../../cp/src/kubernetes/objects/gateway-objects.ts'
import { gatewaySelector, managedSelector, namespaceName } from '../../cp/src/kubernetes/objects/names.ts'
import { managedBy } from '../../cp/src/kubernetes/objects/names.ts'
import { accessObjects, permissions } from '../../cp/src/kubernetes/objects/permissions.ts'
import type { Discovery, GatewayWorkload, KubernetesObject } from '../../cp/src/kubernetes/objects/workload.ts'
import { shareWithFile } from '../harness/cleanup.ts'
import { until } from '../harness/until.ts'
import { publishedAccount } from './account.ts'
import { startCluster, type Cluster } from './control-plane.ts'

let cluster: Cluster
let api: Api
let client: Client
let discovery: Discovery
beforeAll(async () => {
  cluster = await shareWithFile(startCluster)
  ;({ api } = await publishedAccount(cluster))
  client = clusterClient(api)
  ;({ discovery } = await probeCluster(api))
}, 240_000)

const placeOf = (given: GatewayWorkload) => ({ namespace: namespaceName(given), instanceUid: given.instanceUid })

const workload = (rest: Partial<GatewayWorkload> = {}): GatewayWorkload => ({
  org: 'default',
  workspace: 'default',
  environment: 'default',
  name: 'edge',
  instanceUid: 'edge-0a1b2c',
  isolationTier: 'shared',
  replicas: 1,
  cpuMillicores: 250,
  memoryBytes: 512 * 2 ** 20,
  image: 'localhost/mcpg:test',
  imagePullPolicy: 'Never',
  controlPlane: { restPort: 7843, grpcPort: 7844 },
  enrollmentUrl: 'https://172.17.0.1:7843/enroll/mcpg_enr_x',
  volume: { type: 'claim', bytes: 2 ** 28 },
  egress: ['0.0.0.0/0'],
  ...rest,
})

describe('the published role', () => {
  test('is all that a probe asks for, and what it found is a Kubernetes without nodes', async () => {
    expect(await probeCluster(api)).toMatchObject({
      version: '1.20.2',
      discovery: { minor: 20, podDisruptionBudget: 'policy/v1beta1', horizontalPodAutoscaler: 'autoscaling/v2beta2' },
      capacity: { cpuMillicores: 0, memoryBytes: 0, nodes: 0 },
      warnings: [expect.stringMatching(/1\.20\.2 is older than 1\.29; it lacks policy\/v1/) as string],
    })
  })

  test('without one verb is refused, naming it', async () => {
    const admin = clusterClient(cluster.admin)
    const role = accessObjects('mcpg').find(({ kind }) => kind === 'ClusterRole')!
    const rules = role['rules'] as { resources: string[]; verbs: string[] }[]
    const poorer = rules.map((rule) =>
      rule.resources[0] === 'secrets' ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'delete') } : rule,
    )
    await admin.apply({ ...role, rules: poorer })
    // Authorization follows a moment later.
    await until('the role to be poorer', async () => {
      const refused = await probeCluster(api).then(
        () => null,
        (error: unknown) => error,
      )
      if (refused)
        expect(refused).toMatchObject({
          reason: 'cluster_permissions_missing',
          message: expect.stringContaining(': delete secrets.') as string,
        })
      return refused
    })
    await admin.apply(role)
    await until('the role to be whole', () => probeCluster(api))
  })

  test('allows nothing beyond it', async () => {
    const other = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: managedBy } }
    await expect(client.find(other)).rejects.toMatchObject({ reason: 'cluster_forbidden' })
    expect(permissions.flatMap(({ verbs }) => verbs)).not.toContain('*')
  })
})

describe.each([
  ['one replica', {}],
  ['several replicas, by load', { replicas: 2, maxReplicas: 4, instanceUid: 'many-0a1b2c', name: 'many', ingressNamespace: 'ingress' }],
  ['a name of 63 characters', { instanceUid: `${'n'.repeat(56)}-0a1b2c`, name: 'n'.repeat(56), isolationTier: 'dedicated' as const }],
])('the objects of a gateway with %s', (_, rest) => {
  const given = workload(rest)
  const objects = () => gatewayObjects(given, discovery)
  const namespace = namespaceName(given)

  test('are accepted, again too, and nothing drifts by itself', async () => {
    for (const object of [...objects(), ...objects()]) await client.apply(object)
    for (const object of objects()) expect([object.kind, await client.drift(object)]).toEqual([object.kind, []])
  })

  test('that somebody changed are seen, and put right by the next apply', async () => {
    const set = objects().find(({ kind }) => kind === 'StatefulSet')!
    const foreign = { apiVersion: set.apiVersion, kind: set.kind, metadata: { name: set.metadata.name, namespace } }
    const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/${set.metadata.name}`
    const spec = { template: { spec: { terminationGracePeriodSeconds: 5 } } }
    await cluster.admin.apply(path, { ...foreign, spec }, { fieldManager: 'somebody', force: 'true' })
    expect(await client.drift(set)).toEqual(['/spec/template/spec/terminationGracePeriodSeconds'])
    await client.apply(set)
    expect(await client.drift(set)).toEqual([])
    expect(await client.drift({ ...set, metadata: { ...set.metadata, name: 'nobody' } })).toBeNull()
  })

  test('that are wanted no longer are pruned, and those of others stay', async () => {
    const account: KubernetesObject = { ...objects().find(({ kind }) => kind === 'ServiceAccount')! }
    const [left, other] = [
      { ...account, metadata: { ...account.metadata, name: 'left' } },
      { ...account, metadata: { ...account.metadata, name: 'other', labels: { ...managedSelector, ...gatewaySelector('other') } } },
    ]
    await client.apply(left)
    await client.apply(other)
    const kinds = [{ apiVersion: 'v1', kind: 'ServiceAccount' }]
    const labels = { ...managedSelector, ...gatewaySelector(given.instanceUid) }
    expect(await client.prune(kinds, { namespace, labels, keep: objects() })).toEqual(['ServiceAccount/left'])
    expect(await client.find(other)).not.toBeNull()
    await client.remove(other)
  })

  test('are said not to be running as long as no pod can be', async () => {
    await until('pods that have no node', async () => {
      const rollout = await rolloutOf(api, placeOf(given))
      return rollout.state === 'starting' && /has no node yet|pods are ready/.test(rollout.message)
    })
    expect(await rolloutOf(api, placeOf({ ...given, instanceUid: 'nobody' }))).toEqual({ state: 'absent' })
  })

  test('are gone with their namespace', async () => {
    const [space] = objects()
    expect(await client.remove(space!)).toBe(true)
    await until('the namespace to be gone', async () => (await client.find(space!)) === null, 60_000)
    for (const object of objects()) expect([object.kind, await client.find(object)]).toEqual([object.kind, null])
    expect(await client.remove(space!)).toBe(false)
  })
})

test('several replicas by load have a budget and a scaler that the controllers of the cluster take up', async () => {
  const given = workload({ workspace: 'scaled', replicas: 2, maxReplicas: 4 })
  const objects = gatewayObjects(given, discovery)
  for (const object of objects) await client.apply(object)
  const statusOf = async (kind: string) => {
    const object = await client.find(objects.find((one) => one.kind === kind)!)
    return object?.['status'] as { expectedPods?: number; disruptionsAllowed?: number; conditions?: { type: string; status: string }[] }
  }
  await until('the budget to be counted', async () => (await statusOf('PodDisruptionBudget')).expectedPods === 2, 60_000)
  // No pod has a node here, so none may be taken away.
  expect(await statusOf('PodDisruptionBudget')).toMatchObject({ disruptionsAllowed: 0 })
  const isScalable = async () =>
    (await statusOf('HorizontalPodAutoscaler')).conditions?.some(({ type, status }) => type === 'AbleToScale' && status === 'True')
  await until('the scaler to have found the workload', isScalable, 60_000)
  await client.remove(objects[0]!)
}, 150_000)

describe('what keeps a cluster from taking a gateway is told in words', () => {
  test('a namespace that is being deleted', async () => {
    const given = workload({ workspace: 'ending' })
    const [space, ...rest] = gatewayObjects(given, discovery)
    await client.apply(space!)
    const account = rest.find(({ kind }) => kind === 'ServiceAccount')!
    // A finalizer that nobody answers keeps it from being gone.
    const held = { ...account, metadata: { ...account.metadata, finalizers: ['mcpg.dev/test'] } }
    await client.apply(held)
    await client.remove(space!)
    await until('the namespace to end', async () => (await client.find(space!))?.metadata['deletionTimestamp'])
    await expect(client.apply(rest.find(({ kind }) => kind === 'NetworkPolicy')!)).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'namespace_terminating',
    })
    await client.apply({ ...held, metadata: { ...held.metadata, finalizers: [] } })
    await until('the namespace to be gone', async () => (await client.find(space!)) === null, 60_000)
  })

  test('a quota that is used up', async () => {
    const given = workload({ workspace: 'quota' })
    const objects = gatewayObjects(given, discovery)
    await client.apply(objects[0]!)
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'theirs', namespace: namespaceName(given) } }
    await clusterClient(cluster.admin).apply({ ...quota, spec: { hard: { pods: '0' } } })
    await until('the quota to be counted', async () => (await clusterClient(cluster.admin).find(quota))?.['status'])
    for (const object of objects.slice(1)) await client.apply(object)
    const failed = await until('the refusal', async () => {
      const rollout = await rolloutOf(api, placeOf(given))
      return rollout.state === 'failed' && rollout
    })
    expect(failed).toMatchObject({ message: expect.stringContaining('exceeded quota: theirs') as string })
    await client.remove(objects[0]!)
  })

  test('a token of nobody, and an account without rights', async () => {
    const { server, ca } = cluster
    const stranger = clusterClient(await openApi({ server, ca, user: { token: 'nobody' } }))
    const [space] = gatewayObjects(workload(), discovery)
    await expect(stranger.apply(space!)).rejects.toMatchObject({ reason: 'cluster_credentials_refused' })
    const path = '/api/v1/namespaces/default/serviceaccounts/default/token'
    const { status } = await cluster.admin.post<{ status: { token: string } }>(path, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    })
    const powerless = await openApi({ server, ca, user: { token: status.token } })
    await expect(clusterClient(powerless).apply(space!)).rejects.toMatchObject({
      reason: 'cluster_forbidden',
      message: expect.stringMatching(/cannot patch resource "namespaces"/) as string,
    })
    await expect(probeCluster(powerless)).rejects.toMatchObject({ reason: 'cluster_permissions_missing' })
  })
})
