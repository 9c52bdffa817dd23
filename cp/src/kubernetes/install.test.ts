import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { violationsOf } from '../../test/kubernetes-schemas.ts'
import { chartFiles, chartSchema, chartValues } from './chart.ts'
import { kubernetesManifests, type InstallOptions } from './install.ts'
import { alertRules } from './objects/monitoring.ts'

const urls = { externalUrl: 'https://mcpg.example.com', externalGrpc: 'https://gateways.mcpg.example.com:7844' }
const everything: InstallOptions = {
  ...urls,
  namespace: 'other',
  databaseSecret: 'database',
  tlsSecret: 'tls',
  gateway: 'public',
  monitoring: true,
  storageClass: 'fast',
}
const kinds = (options: InstallOptions) => kubernetesManifests(options).map(({ kind }) => kind)

describe('the manifests of a control plane', () => {
  test('are what the schemas of Kubernetes, of the Prometheus operator and of Gateway API allow', async () => {
    expect(await violationsOf(kubernetesManifests(urls))).toEqual([])
    expect(await violationsOf(kubernetesManifests({ accessOnly: true }))).toEqual([])
    expect(await violationsOf(kubernetesManifests(everything))).toEqual([])
  })

  test('hold a budget, a way of its own for gateways, and the role for this cluster', () => {
    expect(kinds(urls)).toEqual(
      expect.arrayContaining(['Namespace', 'StatefulSet', 'Service', 'PodDisruptionBudget', 'ClusterRole', 'ClusterRoleBinding']),
    )
    expect(kinds({ accessOnly: true })).toEqual(['Namespace', 'ServiceAccount', 'ClusterRole', 'ClusterRoleBinding'])
    const text = JSON.stringify(kubernetesManifests(everything))
    for (const one of [
      '--database-url-file',
      '--tls-cert-file',
      'gateways.mcpg.example.com',
      '"secretName":"database"',
      '"storageClassName":"fast"',
    ])
      expect(text).toContain(one)
  })

  test('are refused with everything that is wrong', () => {
    const refuse = (options: InstallOptions) => () => kubernetesManifests(options)
    expect(refuse({ replicas: 3, externalUrl: 'http://x' })).toThrow(
      /--external-url must be an https.*--external-grpc is missing.*SQLite is a file/,
    )
    expect(refuse({ ...urls, replicas: 2, databaseSecret: 'database' })).toThrow(/a database belongs to one control plane/)
  })

  test('say with metrics that there are', () => {
    const told = alertRules().groups.flatMap(({ rules }) => rules.map(({ expr }) => expr))
    const names = told.flatMap((expr) => expr.match(/mcpg_[a-z_]+/g) ?? [])
    const metrics = readFileSync(new URL('../control/metrics.ts', import.meta.url), 'utf8')
    expect(names.length).toBeGreaterThan(1)
    for (const name of names) expect(metrics).toContain(`'${name}'`)
  })
})

describe('the chart', () => {
  const folder = new URL('../../../deploy/helm/mcpg/', import.meta.url)

  test('is what the code writes', async () => {
    const files = chartFiles()
    for (const [path, text] of Object.entries(files)) await expect(text).toMatchFileSnapshot(new URL(path, folder).pathname)
    const templates = readdirSync(new URL('templates/', folder)).map((name) => `templates/${name}`)
    expect(Object.keys(files)).toEqual(expect.arrayContaining(templates))
  })

  test('uses every value that its schema has, and no other', () => {
    const used = new Set(
      Object.values(chartFiles()).flatMap((text) => [...text.matchAll(/\.Values\.([A-Za-z.]+)/g)].map(([, path]) => path!)),
    )
    expect([...used].sort()).toEqual(Object.keys(chartSchema().properties).sort())
    expect(Object.keys(chartValues()).sort()).toEqual(Object.keys(chartSchema().properties).sort())
  })

  test('holds the objects that mcpg-ctl writes, with the values in their places', () => {
    const rendered = Object.entries(chartFiles())
      .filter(([path]) => path === 'templates/control-plane.yaml')
      .map(([, text]) => text)
      .join('\n')
      .replaceAll('{{ .Release.Namespace }}', 'mcpg')
      .replaceAll(/\{\{ \.Values\.(\w+) \}\}/g, (_, name: string) => ({ ...chartValues(), ...urls } as Record<string, string>)[name]!)
    const objects = rendered.split(/^---$/m).map((text) => parse(text) as unknown)
    // The namespace is made by helm itself, and the role is applied with the access of the cluster.
    expect(objects).toEqual(
      kubernetesManifests(urls)
        .filter(({ kind }) => kind !== 'Namespace')
        .slice(0, objects.length),
    )
  })
})
