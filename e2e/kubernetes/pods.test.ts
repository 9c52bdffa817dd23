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
import { ctl, startControlPlane, type ControlPlane } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { publishedAccount } from './account.ts'
import { startCluster, type Cluster } from './control-plane.ts'
import { buildImages, testImage } from './images.ts'
import { joinNode, startEngine, type Node } from './node.ts'

let cluster: Cluster
let node: Node
let api: ClusterApi
let client: Client
let facts: ClusterFacts
let controlPlane: ControlPlane
let volume: string
beforeAll(async () => {
  await shareWithFile(async () => {
    cluster = await startCluster()
    node = await startEngine(cluster)
    buildImages(cluster.folder, node)
    await joinNode(cluster, node)
    controlPlane = await startControlPlane({
      stateDir: temporaryFolder(),
      http: `${node.address}:0`,
      grpc: `${node.address}:0`,
      args: ['--insecure-allow-unauthenticated'],
    })
    volume = temporaryFolder()
    chownSync(volume, 1000, 1000)
  })
  ;({ api } = await publishedAccount(cluster))
  client = clusterClient(api)
  facts = await probeCluster(api)
}, 400_000)

const instanceUid = 'edge-0a1b2c'

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
    controlPlane: { grpcUrl: controlPlane.grpc, restPort: Number(new URL(controlPlane.http).port) },
    enrollmentUrl: null,
    volume: { type: 'hostPath', path: volume },
    egress: ['0.0.0.0/0'],
    ...rest,
  }
}

async function ask<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await ctl([...args, '-o', 'json'], controlPlane)
  if (code !== 0) throw new Error(`mcpg-ctl ${args.join(' ')}: ${code} ${stdout} ${stderr}`)
  return JSON.parse(stdout) as T
}

type Gateway = { metadata: { uid: string }; status: { connection: string } }
const edge = () => ask<Gateway>('get', 'gateway', 'edge')
type Pod = { metadata: { name: string; uid: string }; status: { podIP?: string } }
const pods = async (given: GatewayWorkload) => (await api.get<{ items: Pod[] }>(`/api/v1/namespaces/${namespaceName(given)}/pods`)).items

/** What a client sees of a server of the gateway, over the stream that the pod holds. */
async function toolsOf(server: string): Promise<string[]> {
  const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'story', version: '1' } }
  const messages = [
    { jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 2, method: 'tools/list' },
  ]
  const { stdout } = await ctl(['mcp', '--via-control-plane', '--gateway', 'edge', '--server', server], {
    ...controlPlane,
    stdin: messages.map((message) => `${JSON.stringify(message)}\n`).join(''),
  })
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id?: number; result?: { tools?: { name: string }[] } })
  return answers.find(({ id }) => id === 2)?.result?.tools?.map(({ name }) => name) ?? []
}

async function running(given: GatewayWorkload): Promise<void> {
  const logs = () => {
    const ids = node.docker(['ps', '-aq', '--filter', 'label=io.kubernetes.container.name=gateway']).split('\n').filter(Boolean)
    return ids.map((id) => node.docker(['logs', '--tail', '20', id])).join('\n')
  }
  let last: unknown
  await until(
    'the pod to be ready',
    async () => {
      last = await rolloutOf(api, given)
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
  await ask('create', 'server', 'echo', '--command', 'node /servers/echo.ts')
  const { url } = await ask<{ url: string }>('enroll', 'create', '--name', 'edge')
  const given = await workload({ enrollmentUrl: url })
  const started = performance.now()
  for (const object of gatewayObjects(given, facts.discovery)) await client.apply(object)
  await running(given)
  console.log(`ready after ${Math.round(performance.now() - started)} ms`)
  const before = await until('the gateway to be online', async () => {
    const found = await edge()
    return found.status.connection === 'online' ? found : null
  })
  await until('the tool', async () => (await toolsOf('echo')).includes('echo'))

  // The token was used, and the pod needs it no more.
  const [secret] = gatewayObjects(given, facts.discovery).filter(({ kind }) => kind === 'Secret')
  expect(await client.remove(secret!)).toBe(true)

  const [pod] = await pods(given)
  await ask('create', 'server', 'again', '--command', 'node /servers/echo.ts')
  await until('the second server', async () => (await toolsOf('again')).includes('echo'), 60_000)
  expect((await pods(given)).map(({ metadata }) => metadata.uid)).toEqual([pod!.metadata.uid])
  for (const object of gatewayObjects({ ...given, operationId: 'another', enrollmentUrl: null }, facts.discovery))
    await client.apply(object)
  expect((await pods(given)).map(({ metadata }) => metadata.uid)).toEqual([pod!.metadata.uid])

  await cluster.admin.delete(`/api/v1/namespaces/${namespaceName(given)}/pods/${pod!.metadata.name}`)
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
  await until('the tool', async () => (await toolsOf('again')).includes('echo'))
})

test('what keeps a pod from becoming ready is told in words', async () => {
  const given = (name: string, rest: Partial<GatewayWorkload>) => workload({ name, instanceUid: `${name}-0a1b2c`, ...rest })
  const failure = async (one: GatewayWorkload, state: 'failed' | 'starting', words: RegExp) => {
    for (const object of gatewayObjects(one, facts.discovery)) await client.apply(object)
    await until(
      `${one.name} to be ${state}`,
      async () => {
        const rollout = await rolloutOf(api, one)
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
