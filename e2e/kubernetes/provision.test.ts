import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testAuthority } from '@mcpg/core/test-authority'
import { beforeAll, expect, test } from 'vitest'
import { shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { ctl } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { publishedAccount } from './account.ts'
import { clusterWithNode, type ClusterWithNode } from './cluster-with-node.ts'

let setup: ClusterWithNode
let register: (name: string, rest?: Record<string, string>) => string[]
beforeAll(async () => {
  setup = await shareWithFile(clusterWithNode)
  const { cluster, volume } = setup
  const { credentials } = await publishedAccount(cluster)
  const file = (name: string, text: string) => {
    const path = join(cluster.folder, name)
    writeFileSync(path, text)
    return path
  }
  const given = {
    '--server': cluster.server,
    '--ca-file': file('given-ca.pem', cluster.ca),
    '--token-file': file('given-token', 'token' in credentials.user ? credentials.user.token : ''),
    '--gateway-image': 'localhost/mcpg-gateway',
    '--image-pull-policy': 'Never',
    '--host-path': volume,
  }
  const required = ['cluster', 'register', '--region', 'eu', '--gateways-max', '5']
  register = (name, rest = {}) => [...required, '--name', name, ...Object.entries({ ...given, ...rest }).flat()]
}, 400_000)

const run = (...args: string[]) => ctl(args, setup.controlPlane)
const scope = ['--org', 'default', '--workspace', 'default', '--env', 'default']
const create = (name: string, ...rest: string[]) =>
  run('provision', 'create', ...scope, '--name', name, '--region', 'eu', '--image-tag', 'test', ...rest)

type Pod = { metadata: { name: string; uid: string } }
const pods = async () => (await setup.cluster.admin.get<{ items: Pod[] }>('/api/v1/pods', { labelSelector: 'mcpg.dev/gateway=edge' })).items
type Gateway = { metadata: { uid: string }; status: { connection: string } }
const edge = () => setup.ask<Gateway>('get', 'gateway', 'edge')

test('a cluster is not registered with credentials that do not work, and is told why', async () => {
  const { cluster } = setup
  const wrong = async (rest: Record<string, string>) => {
    const { code, stderr } = await run(...register('wrong', rest))
    return `${code} ${stderr}`
  }
  const folder = temporaryFolder()
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  expect(await wrong({ '--token-file': file('token', 'of-nobody') })).toMatch(/^6 .*does not accept the credentials/)
  const other = await testAuthority('another')
  expect(await wrong({ '--ca-file': file('ca', other.pem) })).toMatch(/^6 .*that the given authority did not issue/)
  const path = '/api/v1/namespaces/default/serviceaccounts/default/token'
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const { status } = await cluster.admin.post<{ status: { token: string } }>(path, body)
  expect(await wrong({ '--token-file': file('poor', status.token) })).toMatch(
    /^6 .*lacks permissions on the cluster: get, create, patch, delete namespaces/,
  )
  const kubeconfig = [
    'cluster',
    'register',
    '--name',
    'wrong',
    '--region',
    'eu',
    '--gateways-max',
    '5',
    '--kubeconfig',
    cluster.kubeconfig('admin'),
  ]
  expect(await run(...kubeconfig)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/ca\.crt is a file that the control plane does not read/) as string,
  })
})

test('a gateway is made, changed in place and taken away, with exactly the published role', async () => {
  const registered = await run(...register('kube'))
  expect(registered).toMatchObject({ code: 0, stdout: expect.stringContaining('cluster/kube registered') as string })
  expect(registered.stderr).toMatch(/1\.20\.2 is older than 1\.29; it lacks/)
  const described = await setup.ask<{ state: string; cpuMillicores: { total: number } }>('cluster', 'describe', 'kube')
  expect(described).toMatchObject({ state: 'ready' })
  expect(described.cpuMillicores.total).toBeGreaterThanOrEqual(1000)

  await setup.ask('create', 'server', 'echo', '--command', 'node /servers/echo.ts')
  const started = performance.now()
  const created = await create('edge')
  console.log(`ready after ${Math.round(performance.now() - started)} ms\n${created.stdout}`)
  expect([created.code, created.stderr]).toEqual([0, ''])
  expect(created.stdout).toMatch(/allocating[^]*applying[^]*ready/)
  const before = await edge()
  expect(before.status.connection).toBe('online')
  await until('the tool', async () => (await setup.toolsOf('edge', 'echo')).includes('echo'))
  const [pod] = await pods()

  // The token is gone once it was used.
  const { items: secrets } = await setup.cluster.admin.get<{ items: unknown[] }>('/api/v1/secrets', {
    labelSelector: 'mcpg.dev/gateway=edge',
  })
  expect(secrets).toEqual([])

  expect(await create('edge')).toMatchObject({ code: 0 })
  expect((await pods()).map(({ metadata }) => metadata.uid)).toEqual([pod!.metadata.uid])
  expect(await create('edge', '--size', 'm')).toMatchObject({ code: 0 })
  const [changed, ...others] = await pods()
  expect([changed!.metadata.uid === pod!.metadata.uid, others]).toEqual([false, []])
  expect((await edge()).metadata.uid).toBe(before.metadata.uid)

  const uid = pod!.metadata.name.replace(/-0$/, '')
  const deleted = await run('provision', 'delete', ...scope, '--instance-uid', uid)
  expect([deleted.code, deleted.stderr]).toEqual([0, ''])
  expect(await nothingLeft()).toEqual([])
  expect((await run('get', 'gateway', 'edge')).code).toBe(5)
}, 240_000)

test('a gateway whose image is missing fails with the reason, and everything is undone', async () => {
  const failed = await create('lost', '--image-tag', 'nowhere')
  expect(failed.code).toBe(7)
  expect(`${failed.stdout}${failed.stderr}`).toMatch(/cannot get its image \(ErrImageNeverPull\)/)
  expect(await nothingLeft()).toEqual([])
}, 240_000)

/** Of gateways, on the cluster: their namespaces and what carries our label. */
async function nothingLeft(): Promise<string[]> {
  const labelSelector = 'app.kubernetes.io/managed-by=mcpg-control-plane'
  const paths = [
    '/api/v1/namespaces',
    '/apis/apps/v1/statefulsets',
    '/api/v1/pods',
    '/api/v1/secrets',
    '/api/v1/services',
    '/api/v1/serviceaccounts',
  ]
  const lists = await Promise.all(
    paths.map((path) => setup.cluster.admin.get<{ items: { metadata: { name: string } }[] }>(path, { labelSelector })),
  )
  return lists.flatMap(({ items }, index) => items.map(({ metadata }) => `${paths[index]}/${metadata.name}`))
}
