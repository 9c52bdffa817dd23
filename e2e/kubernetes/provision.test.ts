import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testAuthority } from '@mcpg/core/test-authority'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dnsServer } from '../../cp/test/dns-server.ts'
import { openApi } from '../../cp/src/kubernetes/client/api.ts'
import { shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { until } from '../harness/until.ts'
import { managedCluster, type ManagedCluster } from './managed.ts'

let setup: ManagedCluster
let names: Awaited<ReturnType<typeof dnsServer>>
beforeAll(async () => {
  names = await dnsServer()
  setup = await shareWithFile(() => managedCluster({ timers: 'clusterDrift=3000', dnsServer: names.address }))
}, 400_000)
afterAll(() => names.close())

const run = (...args: string[]) => setup.run(...args)
const create = (name: string, ...rest: string[]) => setup.create(name, ...rest)

type Gateway = { metadata: { uid: string }; status: { connection: string } }
const edge = () => setup.ask<Gateway>('get', 'gateway', 'edge')

test('a cluster is not registered with credentials that do not work, and is told why', async () => {
  const { cluster } = setup
  const wrong = async (rest: Record<string, string>) => {
    const { code, stderr } = await run(...setup.registration('wrong', rest))
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
  // A real one, an hour old.
  const hour = Math.floor(Date.now() / 1000) - 3600
  const account = await cluster.admin.get<{ metadata: { uid: string } }>('/api/v1/namespaces/mcpg/serviceaccounts/mcpg-control-plane')
  const claims = (exp: number) => ({
    sub: 'system:serviceaccount:mcpg:mcpg-control-plane',
    nbf: hour,
    exp,
    'kubernetes.io': { namespace: 'mcpg', serviceaccount: { name: 'mcpg-control-plane', uid: account.metadata.uid } },
  })
  const of = (exp: number) => openApi({ server: cluster.server, ca: cluster.ca, user: { token: cluster.signed(claims(exp)) } })
  expect(await (await of(hour + 7200)).get('/api/v1/nodes')).toMatchObject({ kind: 'NodeList' })
  const ended = hour + 600
  expect(await wrong({ '--token-file': file('old', cluster.signed(claims(ended))) })).toMatch(
    `does not accept the credentials: the token expired at ${new Date(ended * 1000).toISOString()}`,
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
  const registered = await run(...setup.registration('kube'))
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
  const [pod] = await setup.pods('edge')

  // The token is gone once it was used.
  const { items: secrets } = await setup.cluster.admin.get<{ items: unknown[] }>('/api/v1/secrets', {
    labelSelector: 'mcpg.dev/gateway=edge',
  })
  expect(secrets).toEqual([])

  expect(await create('edge')).toMatchObject({ code: 0 })
  expect((await setup.pods('edge')).map(({ metadata }) => metadata.uid)).toEqual([pod!.metadata.uid])
  expect(await create('edge', '--size', 'm')).toMatchObject({ code: 0 })
  const [changed, ...others] = await setup.pods('edge')
  expect([changed!.metadata.uid === pod!.metadata.uid, others]).toEqual([false, []])
  expect((await edge()).metadata.uid).toBe(before.metadata.uid)

  const uid = pod!.metadata.name.replace(/-0$/, '')
  const deleted = await setup.remove(uid)
  expect([deleted.code, deleted.stderr]).toEqual([0, ''])
  expect(await setup.nothingLeft()).toEqual([])
  expect((await run('get', 'gateway', 'edge')).code).toBe(5)
}, 240_000)

test('a gateway whose image is missing fails with the reason, and everything is undone', async () => {
  const failed = await create('lost', '--image-tag', 'nowhere')
  expect(failed.code).toBe(7)
  expect(`${failed.stdout}${failed.stderr}`).toMatch(/cannot get its image \(ErrImageNeverPull\)/)
  expect(await setup.nothingLeft()).toEqual([])
}, 240_000)

test('two replicas are a gateway each, by the word of the cluster, and go together', async () => {
  await run(...setup.registration('kube'))
  await run('create', 'server', 'echo', '--command', 'node /servers/echo.ts')
  const created = await create('pair', '--replicas', '2')
  expect([created.code, created.stderr]).toEqual([0, ''])
  const found = (await setup.pods('pair')).map(({ metadata }) => metadata.name).toSorted()
  expect(found).toHaveLength(2)
  const uid = found[0]!.replace(/-0$/, '')
  expect(found).toEqual([`${uid}-0`, `${uid}-1`])
  for (const name of found) {
    const gateway = await setup.ask<Gateway>('get', 'gateway', name)
    expect(gateway.status.connection).toBe('online')
    await until(`the tool of ${name}`, async () => (await setup.toolsOf(name, 'echo')).includes('echo'), 60_000)
  }

  // What lies in the cluster to enroll with is worth nothing without a token of a pod.
  const { items } = await setup.cluster.admin.get<{ items: { data: { url: string } }[] }>('/api/v1/secrets', {
    labelSelector: 'mcpg.dev/gateway=pair',
  })
  expect(items.map(({ data }) => Buffer.from(data.url, 'base64').toString())).toEqual([expect.stringMatching(/\/enroll\/enr_[0-9a-f]{10}/)])

  expect(await create('pair', '--replicas', '3')).toMatchObject({ code: 0 })
  expect(await setup.pods('pair')).toHaveLength(3)
  expect((await setup.ask<Gateway>('get', 'gateway', `${uid}-2`)).status.connection).toBe('online')

  // Who stays is not touched.
  const who = async () => ({
    gateway: (await setup.ask<Gateway>('get', 'gateway', `${uid}-0`)).metadata.uid,
    pod: (await setup.pods('pair')).find(({ metadata }) => metadata.name === `${uid}-0`)?.metadata.uid,
  })
  const before = await who()
  expect(await create('pair', '--replicas', '1')).toMatchObject({ code: 0 })
  expect([await who(), (await setup.pods('pair')).length]).toEqual([before, 1])
  for (const ordinal of [1, 2]) expect((await run('get', 'gateway', `${uid}-${ordinal}`)).code).toBe(5)

  const deleted = await setup.remove(uid)
  expect([deleted.code, deleted.stderr]).toEqual([0, ''])
  expect(await setup.nothingLeft()).toEqual([])
  for (const ordinal of [0, 1, 2]) expect((await run('get', 'gateway', `${uid}-${ordinal}`)).code).toBe(5)
}, 300_000)

test('one gateway becomes two and one again, and stays itself', async () => {
  await run(...setup.registration('kube'))
  expect(await create('solo')).toMatchObject({ code: 0 })
  const solo = async () => (await setup.ask<Gateway>('get', 'gateway', 'solo')).metadata.uid
  const before = await solo()
  const [pod] = await setup.pods('solo')
  const uid = pod!.metadata.name.replace(/-0$/, '')

  expect(await create('solo', '--replicas', '2')).toMatchObject({ code: 0 })
  expect([await solo(), (await setup.pods('solo')).length]).toEqual([before, 2])
  expect((await setup.ask<Gateway>('get', 'gateway', `${uid}-1`)).status.connection).toBe('online')
  const again = (await setup.pods('solo')).find(({ metadata }) => metadata.name === `${uid}-0`)

  expect(await create('solo', '--replicas', '1')).toMatchObject({ code: 0 })
  expect((await setup.pods('solo')).map(({ metadata }) => metadata.uid)).toEqual([again!.metadata.uid])
  expect([await solo(), (await run('get', 'gateway', `${uid}-1`)).code]).toEqual([before, 5])
  expect((await setup.ask<Gateway>('get', 'gateway', 'solo')).status.connection).toBe('online')

  const deleted = await setup.remove(uid)
  expect([deleted.code, deleted.stderr]).toEqual([0, ''])
  expect(await setup.nothingLeft()).toEqual([])
}, 300_000)

test('what somebody changes of a gateway is put right by an update', async () => {
  await run(...setup.registration('kube'))
  expect(await create('kept')).toMatchObject({ code: 0 })
  const [pod] = await setup.pods('kept')
  const { name, namespace } = pod!.metadata
  const uid = name.replace(/-0$/, '')
  const { admin } = setup.cluster
  const service = `/api/v1/namespaces/${namespace}/services/${uid}`
  await admin.delete(service)
  await until('the service', async () => (await admin.get(service).catch(() => null)) !== null, 60_000)
  type History = { items: { kind: string; state: string; startedBy: string; gateway: { name: string } }[] }
  const latest = async () => (await setup.ask<History>('provision', 'history', '--org', 'default')).items[0]!
  await until('the end of the update', async () => (await latest()).state !== 'running', 60_000)
  expect(await latest()).toMatchObject({ kind: 'update', state: 'succeeded', startedBy: 'control-plane', gateway: { name: 'kept' } })
  expect((await setup.pods('kept')).map(({ metadata }) => metadata.uid)).toEqual([pod!.metadata.uid])
  expect((await setup.remove(uid)).code).toBe(0)
}, 300_000)

test('gateways live in the namespace that the cluster was registered with, which is left as it was', async () => {
  const { admin } = setup.cluster
  const named = ['--driver', 'kubernetes', '--namespace']
  const registered = (namespace: string) => run(...setup.registration('placed'), ...named, namespace)
  expect(await registered('Tools')).toMatchObject({ code: 2 })
  expect(await registered('tools')).toMatchObject({ code: 6, stderr: expect.stringContaining('namespace tools') as string })
  await admin.apply(
    '/api/v1/namespaces/tools',
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tools' } },
    { fieldManager: 'test' },
  )
  expect(await registered('tools')).toMatchObject({ code: 0 })
  await run('cluster', 'cordon', 'kube')
  expect(await create('placed', '--replicas', '2')).toMatchObject({ code: 0 })
  const pods = await setup.pods('placed')
  expect(pods.map(({ metadata }) => metadata.namespace)).toEqual(['tools', 'tools'])
  expect(await run(...setup.registration('placed'))).toMatchObject({
    code: 6,
    stderr: expect.stringContaining('they live in tools') as string,
  })
  expect((await setup.remove(pods[0]!.metadata.name.replace(/-\d$/, ''))).code).toBe(0)
  expect(await setup.nothingLeft()).toEqual([])
  expect(await admin.get('/api/v1/namespaces/tools')).toMatchObject({ status: { phase: 'Active' } })
  await run('cluster', 'uncordon', 'kube')
  expect(await run('cluster', 'decommission', '--id', 'placed')).toMatchObject({ code: 0 })
}, 300_000)

test('a gateway that scales by load has as many replicas as something else says, within its limits', async () => {
  await run(...setup.registration('kube'))
  expect(await create('wide', '--max-replicas', '3')).toMatchObject({ code: 0 })
  const [pod] = await setup.pods('wide')
  const uid = pod!.metadata.name.replace(/-0$/, '')
  const labelSelector = 'mcpg.dev/gateway=wide'
  const { admin } = setup.cluster
  type Scaler = { spec: { minReplicas: number; maxReplicas: number } }
  const scalers = () => admin.get<{ items: Scaler[] }>('/apis/autoscaling/v1/horizontalpodautoscalers', { labelSelector })
  expect((await scalers()).items).toMatchObject([{ spec: { minReplicas: 1, maxReplicas: 3 } }])
  expect((await setup.ask<{ gateways: { reserved: number } }>('cluster', 'describe', 'kube')).gateways.reserved).toBe(3)

  // As the autoscaler does it: there are no metrics here for it to see.
  type Set = { metadata: { namespace: string; name: string }; spec: { replicas: number } }
  const { items } = await admin.get<{ items: Set[] }>('/apis/apps/v1/statefulsets', { labelSelector })
  const { namespace, name } = items[0]!.metadata
  const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`
  const object = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name, namespace }, spec: { replicas: 2 } }
  await admin.apply(path, object, { fieldManager: 'load', force: 'true' })
  await until('the second replica', async () => (await run('get', 'gateway', `${uid}-1`)).code === 0, 90_000)
  expect(await create('wide', '--max-replicas', '4')).toMatchObject({ code: 0 })
  expect([(await admin.get<Set>(path)).spec.replicas, (await setup.pods('wide')).length]).toEqual([2, 2])

  expect(await create('wide', '--replicas', '1')).toMatchObject({ code: 0 })
  expect([(await scalers()).items, (await setup.pods('wide')).map(({ metadata }) => metadata.uid)]).toEqual([[], [pod!.metadata.uid]])
  expect((await run('get', 'gateway', `${uid}-1`)).code).toBe(5)
  expect((await setup.remove(uid)).code).toBe(0)
  expect(await setup.nothingLeft()).toEqual([])
}, 300_000)

test('where the cluster reviews no tokens several replicas are refused in words, and one works', async () => {
  const { admin } = setup.cluster
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/mcpg-control-plane'
  type Role = { apiVersion: string; kind: string; rules: { resources: string[] }[] }
  const role = await admin.get<Role>(path)
  const rules = role.rules.filter(({ resources }) => !resources.includes('tokenreviews'))
  expect(rules).toHaveLength(role.rules.length - 1)
  const put = (some: object[]) =>
    admin.apply(path, { apiVersion: role.apiVersion, kind: role.kind, metadata: { name: 'mcpg-control-plane' }, rules: some }, owner)
  const owner = { fieldManager: 'mcpg-control-plane', force: 'true' }
  await put(rules)
  try {
    const refused = await create('poor', '--replicas', '2')
    expect([refused.code, `${refused.stdout}${refused.stderr}`]).toEqual([7, expect.stringMatching(/create tokenreviews\.authentication/)])
    expect(await setup.nothingLeft()).toEqual([])
    const registered = await run(...setup.registration('kube'))
    expect(`${registered.code} ${registered.stderr}`).toMatch(/^0 [^]*gateways with several replicas are refused there/)
  } finally {
    await put(role.rules)
  }
}, 240_000)

test('a host name of a verified domain is routed by an Ingress with its certificate, and goes with its gateway', async () => {
  const { admin } = setup.cluster
  const routes = { '--ingress-class': 'nginx', '--certificate-issuer': 'letsencrypt' }
  expect(await run(...setup.registration('kube', routes))).toMatchObject({ code: 0 })
  const hostname = ['--custom-hostname', 'mcp.example.com']
  expect(await create('named', ...hostname)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('mcpg-ctl domain add example.com') as string,
  })
  const { record } = await setup.ask<{ record: { name: string; value: string } }>('domain', 'add', 'example.com')
  expect(await run('domain', 'verify', 'example.com')).toMatchObject({ code: 6 })
  names.records.set(record.name, [record.value])
  expect(await run('domain', 'verify', 'example.com')).toMatchObject({ code: 0 })

  const created = await create('named', ...hostname)
  expect([created.code, created.stderr]).toEqual([0, ''])
  const [pod] = await setup.pods('named')
  const uid = pod!.metadata.name.replace(/-0$/, '')
  const path = `/apis/networking.k8s.io/v1/namespaces/mcpg-default-default-shared/ingresses/${uid}`
  expect(await admin.get(path)).toMatchObject({
    metadata: { annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt', 'nginx.ingress.kubernetes.io/backend-protocol': 'HTTPS' } },
    spec: {
      ingressClassName: 'nginx',
      tls: [{ hosts: ['mcp.example.com'], secretName: `${uid}-tls` }],
      rules: [{ host: 'mcp.example.com', http: { paths: [{ backend: { service: { name: uid, port: { name: 'mcp' } } } }] } }],
    },
  })
  // What the route leads to is the pod.
  type Endpoints = { subsets: { addresses: { targetRef: { name: string } }[]; ports: { name: string }[] }[] }
  const { subsets } = await admin.get<Endpoints>(`/api/v1/namespaces/mcpg-default-default-shared/endpoints/${uid}`)
  expect(subsets).toMatchObject([{ addresses: [{ targetRef: { name: `${uid}-0` } }], ports: [{ name: 'mcp' }] }])

  const deleted = await setup.remove(uid)
  expect([deleted.code, deleted.stderr]).toEqual([0, ''])
  expect(await setup.nothingLeft()).toEqual([])
}, 240_000)
