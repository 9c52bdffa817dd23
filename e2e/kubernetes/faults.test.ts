import { beforeAll, expect, test } from 'vitest'
import { shareWithFile } from '../harness/cleanup.ts'
import { until } from '../harness/until.ts'
import { nodeName } from './control-plane.ts'
import { managedCluster, type ManagedCluster } from './managed.ts'

let setup: ManagedCluster
beforeAll(async () => {
  setup = await shareWithFile(() => managedCluster({ timers: 'provisionStep=40000,clusterProbe=2000' }))
  await setup.run(...setup.registration('kube'))
}, 400_000)

const nothingIsLeft = () => until('nothing to be left', async () => (await setup.nothingLeft()).length === 0, 120_000)

async function refusal(name: string, ...rest: string[]): Promise<string> {
  const { code, stdout, stderr } = await setup.create(name, ...rest)
  return `${code} ${stdout}${stderr}`
}

/** A probe may have met what a story broke; registering it anew looks at once, and not when the next probe is due. */
async function usable(): Promise<void> {
  await until('the cluster to be usable', async () => (await setup.run(...setup.registration('kube'))).code === 0, 60_000)
}

async function nothingIsTaken(): Promise<void> {
  const { gateways } = await setup.ask<{ gateways: { reserved: number } }>('cluster', 'describe', 'kube')
  expect(gateways.reserved).toBe(0)
}

test('a token that is refused is told in the words of the gateway, and everything is undone', async () => {
  const enrollments = async () => (await setup.run('get', 'enrollments', '-o', 'name')).stdout.split('\n').filter((line) => line !== '')
  const before = await enrollments()
  await taint([noNewPods])
  const creating = refusal('stranger')
  try {
    const enrollment = await until(
      'the enrollment',
      async () => (await enrollments()).find((line) => line.startsWith('enrollment/') && !before.includes(line)) ?? null,
    )
    expect(await setup.run('enroll', 'revoke', enrollment, '--yes')).toMatchObject({ code: 0 })
  } finally {
    await taint([])
  }
  expect(await creating).toMatch(/^7 [^]*keeps ending \(exit code 6[^]*revoked/)
  await nothingIsLeft()
  await nothingIsTaken()
}, 240_000)

const noNewPods = { key: 'story', effect: 'NoSchedule' }
const taint = (taints: object[]) =>
  setup.cluster.admin.apply(
    `/api/v1/nodes/${nodeName}`,
    { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName }, spec: { taints } },
    { fieldManager: 'story', force: 'true' },
  )

test('an account that lost a permission is told which, and what to do', async () => {
  const { admin } = setup.cluster
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/mcpg-control-plane'
  type Rule = { resources: string[]; verbs: string[] }
  const role = await admin.get<{ apiVersion: string; kind: string; rules: Rule[] }>(path)
  const put = (rules: Rule[]) =>
    admin.apply(
      path,
      { apiVersion: role.apiVersion, kind: role.kind, metadata: { name: 'mcpg-control-plane' }, rules },
      { fieldManager: 'mcpg-control-plane', force: 'true' },
    )
  await put(
    role.rules.map((rule) =>
      rule.resources.includes('statefulsets')
        ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'create' && verb !== 'patch') }
        : rule,
    ),
  )
  try {
    expect(await refusal('poor')).toMatch(/^7 [^]*may not do this: statefulsets\.apps[^]*is forbidden/)
  } finally {
    await put(role.rules)
  }
  await usable()
  await nothingIsLeft()
  await nothingIsTaken()
})

test('an API server that stops in the middle is named, and what was there is removed once it is back', async () => {
  const { cluster } = setup
  const creating = refusal('halfway')
  await until('the workload', async () => (await setup.nothingLeft()).some((path) => path.includes('statefulsets/halfway')), 120_000)
  await cluster.apiServer.stop()
  expect(await creating).toMatch(/^7 [^]*The API server https:\/\/127\.0\.0\.1:\d+ refuses connections/)
  await cluster.startApiServer()
  await usable()
  await nothingIsLeft()
  await nothingIsTaken()
}, 300_000)

test('a quota that is used up is told in its own words, and who was there before stays', async () => {
  const { admin } = setup.cluster
  expect(await setup.create('first')).toMatchObject({ code: 0 })
  const [pod] = await setup.pods('first')
  const path = '/api/v1/namespaces/mcpg-default-default-shared/resourcequotas'
  type Quota = { status?: { used?: { pods?: string } } }
  await admin.post(path, { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'theirs' }, spec: { hard: { pods: '1' } } })
  await until('the quota to be counted', async () => (await admin.get<Quota>(`${path}/theirs`)).status?.used?.pods === '1')
  expect(await refusal('second')).toMatch(/^7 [^]*exceeded quota: theirs, requested: pods=1, used: pods=1, limited: pods=1/)
  const left = (await setup.nothingLeft()).filter((each) => each.includes('/second'))
  expect([left, (await setup.pods('first')).map(({ metadata }) => metadata.uid)]).toEqual([[], [pod!.metadata.uid]])
  expect(await setup.remove(pod!.metadata.name.replace(/-0$/, ''))).toMatchObject({ code: 0 })
  await nothingIsLeft()
  await nothingIsTaken()
}, 240_000)

test('what never becomes ready is given up: a pod that listens to nothing, one that reaches nobody, and a namespace that does not end', async () => {
  const { admin } = setup.cluster
  expect(await setup.run('create', 'workspace', 'ending')).toMatchObject({ code: 0 })
  expect(await setup.run('create', 'environment', 'default', '--workspace', 'ending')).toMatchObject({ code: 0 })
  const ending = '/api/v1/namespaces/mcpg-default-ending-shared'
  const held = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers: ['mcpg.dev/story'] } }
  await admin.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'mcpg-default-ending-shared' } })
  // Applied, so that applying it without the finalizer takes it away: what was posted belongs to somebody else.
  const owner = { fieldManager: 'story', force: 'true' }
  await admin.apply(`${ending}/configmaps/held`, held, owner)
  await admin.delete(ending)
  const [deaf, lost, late] = await Promise.all([
    refusal('deaf', '--image-tag', 'deaf'),
    refusal('lost', '--image-tag', 'misled'),
    refusal('late', '--workspace', 'ending'),
  ])
  expect(deaf).toMatch(
    /^7 [^]*pod deaf-\w+-0 runs and is not ready \(Startup probe failed[^]*; the last that it said: listening to nothing/,
  )
  expect(lost).toMatch(/^7 [^]*pod lost-\w+-0 runs and is not ready[^]*Waiting: [^]*:9/)
  expect(late).toMatch(/^7 [^]*The namespace is being deleted, and takes nothing new until it is gone/)

  await admin.apply(`${ending}/configmaps/held`, { ...held, metadata: { name: 'held' } }, owner)
  await nothingIsLeft()
  await nothingIsTaken()
}, 240_000)
