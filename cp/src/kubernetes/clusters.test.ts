import { expect, test } from 'vitest'
import { systemClock } from '@mcpg/core/clock'
import type { KubernetesWorkloads } from '@mcpg/proto/rest/clusters'
import { kubernetesClusters } from './clusters.ts'

/** What is sealed is readable here, and opens where it was sealed only. */
const keys = {
  sealValue: (context: string, value: Uint8Array) => ({ dataKeyId: Buffer.from(context).toString('hex'), sealed: new Uint8Array(value) }),
  openValue: (context: string, { dataKeyId, sealed }: { dataKeyId: string; sealed: Uint8Array }) => {
    if (dataKeyId !== Buffer.from(context).toString('hex')) throw new Error('sealed elsewhere')
    return Buffer.from(sealed)
  },
}

test('gateways stay in the namespace in which they were made', () => {
  const { driver, seal } = kubernetesClusters({ keys, reach: () => null, image: 'gateway', clock: systemClock })
  const ref = (workloads?: KubernetesWorkloads) => ({
    id: 'cl_1',
    name: 'kube',
    isolationTier: 'shared' as const,
    credentialsRef: seal('cl_1', { server: 'https://10.0.0.1:6443', token: 't', ...(workloads && { workloads }) }),
  })
  const change = (before?: KubernetesWorkloads, after?: KubernetesWorkloads) => driver.unreachableBy!(ref(before), ref(after))
  expect(change({ namespace: 'tools' }, { namespace: 'tools', storageClass: 'fast' })).toEqual([])
  expect(change({}, { image: 'other' })).toEqual([])
  expect(change({ namespace: 'tools' }, { namespace: 'others' })).toEqual(['they live in tools, not in others'])
  expect(change({ namespace: 'tools' })).toEqual(['they live in tools, not in namespaces of their workspaces'])
  expect(change({}, { ingressClass: 'nginx' })).toEqual([])
  expect(change({ ingressClass: 'nginx' }, { ingressClass: 'other' })).toEqual([])
  expect(change({ ingressClass: 'nginx' }, { gatewayApi: 'infra/edge' })).toEqual([
    'their host names are routed by an Ingress, not by an HTTPRoute',
  ])
  expect(driver.unreachableBy!({ ...ref(), credentialsRef: null }, ref({ namespace: 'tools' }))).toEqual([])
})
