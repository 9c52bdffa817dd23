import { chownSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import type { Api as ClusterApi } from '../../cp/src/kubernetes/client/api.ts'
import { clusterClient, type Client } from '../../cp/src/kubernetes/client/client.ts'
import { probeCluster, type ClusterFacts } from '../../cp/src/kubernetes/client/probe.ts'
import { rolloutOf } from '../../cp/src/kubernetes/client/rollout.ts'
import { gatewayObjects } from '../../cp/src/kubernetes/objects/gateway-objects.ts'
import { namespaceName } from '../../cp/src/kubernetes/objects/names.ts'
import type { GatewayWorkload } from '../../cp/src/kubernetes/objects/workload.ts'
import { shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { until } from '../harness/until.ts'
import { publishedAccount } from './account.ts'
import { clusterWithNode, type ClusterWithNode } from './cluster-with-node.ts'
import { testImage } from './images.ts'

let setup: ClusterWithNode
let api: ClusterApi
let client: Client
let facts: ClusterFacts
beforeAll(async () => {
  setup = await shareWithFile(clusterWithNode)
  ;({ api } = await publishedAccount(setup.cluster))
  client = clusterClient(api)
  facts = await probeCluster(api)
}, 400_000)

const instanceUid = 'edge-0a1b2c'

const placeOf = (given: GatewayWorkload) => ({ namespace: namespaceName(given), instanceUid: given.instanceUid })
const portOf = (url: string) => Number(new URL(url).port)

async function workload(rest: Partial<GatewayWorkload> = {}): Promise<GatewayWorkload> {
  return {
    org: 'default',
    workspace: 'default',
    environment: 'default',
    name: 'edge',
    instanceUid,
    isolationTier: 'shared',
    replicas: 1,
    cpuMillicores: 100,
    memoryBytes: 512 * 2 ** 20,
    image: testImage,
    imagePullPolicy: 'Never',
    controlPlane: { restPort: portOf(setup.controlPlane.http), grpcPort: portOf(setup.controlPlane.grpc) },
    enrollmentUrl: null,
    volume: { type: 'hostPath', path: setup.volume },
    egress: ['0.0.0.0/0'],
    ...rest,
  }
}

type Gateway = { metadata: { uid: string }; status: { connection: string } }
const edge = () => setup.ask<Gateway>('get', 'gateway', 'edge')
type Pod = { metadata: { name: string; uid: string }; status: { podIP?: string } }
const pods = async (given: GatewayWorkload) => (await api.get<{ items: Pod[] }>(`/api/v1/namespaces/${namespaceName(given)}/pods`)).items

async function running(given: GatewayWorkload): Promise<void> {
  const logs = () => {
    const ids = setup.node.docker(['ps', '-aq', '--filter', 'label=io.kubernetes.container.name=gateway']).split('\n').filter(Boolean)
    return ids.map((id) => setup.node.docker(['logs', '--tail', '20', id])).join('\n')
  }
  let last: unknown
  await until(
    'the pod to be ready',
    async () => {
      last = await rolloutOf(api, placeOf(given))
      return (last as { state: string }).state === 'running'
    },
    90_000,
  ).catch((error: unknown) => {
    throw new Error(`${JSON.stringify(last)}\n${logs()}`, { cause: error })
  })
}

test('a cluster with a node has what the node can give', () => {
  expect(facts.capacity).toMatchObject({ nodes: 1 })
  expect(facts.capacity.cpuMillicores).toBeGreaterThanOrEqual(1000)
  expect(facts.capacity.memoryBytes).toBeGreaterThan(2 ** 30)
})

test('a gateway becomes ready in a pod, keeps its pod when its config changes, and comes back as itself', async () => {
  await setup.ask('create', 'server', 'echo', '--command', 'node /servers/echo.ts')
  const { url } = await setup.ask<{ url: string }>('enroll', 'create', '--name', 'edge')
  const given = await workload({ enrollmentUrl: url })
  const started = performance.now()
  for (const object of gatewayObjects(given, facts.discovery)) await client.apply(object)
  await running(given)
  console.log(`ready after ${Math.round(performance.now() - started)} ms`)
  const before = await until('the gateway to be online', async () => {
    const found = await edge()
    return found.status.connection === 'online' ? found : null
  })
  await until('the tool', async () => (await setup.toolsOf('edge', 'echo')).includes('echo'))

  // The token was used, and the pod needs it no more.
  const [secret] = gatewayObjects(given, facts.discovery).filter(({ kind }) => kind === 'Secret')
  expect(await client.remove(secret!)).toBe(true)

  const [pod] = await pods(given)
  await setup.ask('create', 'server', 'again', '--command', 'node /servers/echo.ts')
  await until('the second server', async () => (await setup.toolsOf('edge', 'again')).includes('echo'), 60_000)
  expect((await pods(given)).map(({ metadata }) => metadata.uid)).toEqual([pod!.metadata.uid])
  for (const object of gatewayObjects({ ...given, enrollmentUrl: null }, facts.discovery)) await client.apply(object)
  expect((await pods(given)).map(({ metadata }) => metadata.uid)).toEqual([pod!.metadata.uid])

  await setup.cluster.admin.delete(`/api/v1/namespaces/${namespaceName(given)}/pods/${pod!.metadata.name}`)
  await until(
    'another pod',
    async () => {
      const found = await pods(given)
      return found.length === 1 && found[0]!.metadata.uid !== pod!.metadata.uid
    },
    90_000,
  )
  await running(given)
  await until('the same gateway to be online', async () => (await edge()).status.connection === 'online')
  expect((await edge()).metadata.uid).toBe(before.metadata.uid)
  await until('the tool', async () => (await setup.toolsOf('edge', 'again')).includes('echo'))
})

test('what keeps a pod from becoming ready is told in words', async () => {
  const given = (name: string, rest: Partial<GatewayWorkload>) => workload({ name, instanceUid: `${name}-0a1b2c`, ...rest })
  const failure = async (one: GatewayWorkload, state: 'failed' | 'starting', words: RegExp) => {
    for (const object of gatewayObjects(one, facts.discovery)) await client.apply(object)
    await until(
      `${one.name} to be ${state}`,
      async () => {
        const rollout = await rolloutOf(api, placeOf(one))
        return rollout.state === state && words.test(rollout.message)
      },
      60_000,
    )
  }
  await failure(await given('missing', { image: 'localhost/nothing:1' }), 'failed', /cannot get its image \(ErrImageNeverPull\)/)
  await failure(await given('huge', { memoryBytes: 2 ** 44 }), 'starting', /has no node yet: .*Insufficient memory/)
  const unused = temporaryFolder()
  chownSync(unused, 1000, 1000)
  await failure(await given('stranger', { volume: { type: 'hostPath', path: unused } }), 'starting', /keeps ending \(exit code 2/)
})
