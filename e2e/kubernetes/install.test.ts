import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { expect, test } from 'vitest'
import { objectPath } from '../../cp/src/kubernetes/client/paths.ts'
import { managedBy } from '../../cp/src/kubernetes/objects/names.ts'
import { alertRules } from '../../cp/src/kubernetes/objects/monitoring.ts'
import type { KubernetesObject } from '../../cp/src/kubernetes/objects/workload.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { ctl } from '../harness/programs.ts'
import { startCluster } from './control-plane.ts'
import { helmProgram } from './helm.ts'

const urls = ['--external-url', 'https://mcpg.example.com', '--external-grpc', 'https://gateways.mcpg.example.com:7844']
const install = (...args: string[]) => ctl(['install', 'kubernetes', ...args], { stateDir: temporaryFolder() })
const objectsOf = (text: string) => parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject)

test('a real API server takes what the command prints', async () => {
  const { admin } = await startCluster()
  const printed = await install(...urls)
  expect([printed.code, printed.stderr]).toEqual([0, ''])
  const objects = objectsOf(printed.stdout)
  expect(objects.length).toBeGreaterThan(7)
  // 1.20 has the budget in the version before.
  const served = objects.map((one) => (one.apiVersion === 'policy/v1' ? { ...one, apiVersion: 'policy/v1beta1' } : one))
  for (const object of served) {
    // What lies in a namespace needs that there is one.
    const query: Record<string, string> = { fieldManager: managedBy }
    if (object.kind !== 'Namespace') query['dryRun'] = 'All'
    await admin.apply(objectPath(object), object, query)
  }
}, 120_000)

test('the command prints the access alone, as a list, and refuses what cannot work', async () => {
  const access = await install('--access-only', '--namespace', 'there')
  expect(objectsOf(access.stdout).map(({ kind }) => kind)).toEqual(['Namespace', 'ServiceAccount', 'ClusterRole', 'ClusterRoleBinding'])
  expect(access.stdout).toContain('namespace: there')
  const list = await install(...urls, '--monitoring', '--gateway', 'public', '-o', 'json')
  const { items } = JSON.parse(list.stdout) as { items: KubernetesObject[] }
  expect(items.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['ServiceMonitor', 'PrometheusRule', 'TLSRoute', 'StatefulSet']))
  expect(await install(...urls, '--replicas', '3')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('SQLite is a file of one process'),
  })
  expect(await install()).toMatchObject({ code: 2, stderr: expect.stringMatching(/--external-url is missing.*--external-grpc is missing/) })
})

test('promtool takes the alerts', () => {
  const file = join(temporaryFolder(), 'rules.json')
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(alertRules()))
  const checked = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
  expect([checked.status, checked.stdout]).toEqual([0, expect.stringContaining('3 rules found')])
})

test('helm renders the chart to what the command prints, and refuses values that it has not', async () => {
  const chart = join(import.meta.dirname, '../../deploy/helm/mcpg')
  const helm = (...args: string[]) => {
    const { stdout, stderr } = spawnSync(helmProgram(), args, { encoding: 'utf8' })
    return stdout || stderr
  }
  const values = ['--set', 'externalUrl=https://mcpg.example.com,externalGrpc=https://gateways.mcpg.example.com:7844']
  const inOrder = (objects: KubernetesObject[]) => objects.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)))
  const keyOf = ({ kind, metadata }: KubernetesObject) => `${kind}/${metadata.name}`
  const printed = objectsOf((await install(...urls)).stdout)
  const rendered = objectsOf(helm('template', 'mcpg', chart, '--namespace', 'mcpg', ...values))
  // Helm makes the namespace itself.
  expect(inOrder(rendered)).toEqual(inOrder(printed.filter(({ kind }) => kind !== 'Namespace')))
  expect(new Set(rendered.map(keyOf)).size).toBe(rendered.length)
  expect(helm('lint', chart, ...values)).toContain('0 chart(s) failed')
  const refused = helm('template', 'mcpg', chart, '--set', 'externalUrl=http://mcpg,replicas=3')
  for (const words of ["at '/externalGrpc': minLength", "'http://mcpg' does not match", "additional properties 'replicas' not allowed"])
    expect(refused).toContain(words)
}, 120_000)
