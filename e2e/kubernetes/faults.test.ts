import { beforeAll, expect, test } from 'vitest'
import { shareWithFile } from '../harness/cleanup.ts'
import { until } from '../harness/until.ts'
import { nodeName } from './control-plane.ts'
import { managedCluster, type ManagedCluster } from './managed.ts'

let setup: ManagedCluster
beforeAll(async () => {
  setup = await shareWithFile(() => managedCluster({ timers: 'provisionStep=25000,clusterProbe=2000' }))
  await setup.run(...setup.registration('kube'))
}, 400_000)

const nothingIsLeft = () => until('nothing to be left', async () => (await setup.nothingLeft()).length === 0, 120_000)

async function refusal(name: string, ...rest: string[]): Promise<string> {
  const { code, stdout, stderr } = await setup.create(name, ...rest)
  return `${code} ${stdout}${stderr}`
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
})

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
  await nothingIsLeft()
  await nothingIsTaken()
})

test('an API server that stops in the middle is named, and what was there is removed once it is back', async () => {
  const { cluster } = setup
  const creating = refusal('halfway')
  await until('the workload', async () => (await setup.nothingLeft()).some((path) => path.includes('statefulsets/halfway')), 60_000)
  await cluster.apiServer.stop()
  expect(await creating).toMatch(/^7 [^]*The API server https:\/\/127\.0\.0\.1:\d+ refuses connections/)
  await cluster.startApiServer()
  await nothingIsLeft()
  await nothingIsTaken()
}, 300_000)
