import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { violationsOf } from '../../../test/kubernetes-schemas.ts'
import { gatewayObjects } from './gateway-objects.ts'
import { fitted, workloadName } from './names.ts'
import { accessObjects } from './permissions.ts'
import { stamped, stampOf } from './stamp.ts'
import type { Discovery, GatewayWorkload, KubernetesObject } from './workload.ts'

const modern: Discovery = { minor: 33, podDisruptionBudget: 'policy/v1', horizontalPodAutoscaler: 'autoscaling/v2' }
const old: Discovery = { minor: 20, podDisruptionBudget: 'policy/v1beta1', horizontalPodAutoscaler: 'autoscaling/v2beta2' }

const workload = (rest: Partial<GatewayWorkload> = {}): GatewayWorkload => ({
  org: 'default',
  workspace: 'shop',
  environment: 'live',
  name: 'edge-1',
  instanceUid: 'edge-1-0a1b2c',
  isolationTier: 'shared',
  replicas: 1,
  cpuMillicores: 250,
  memoryBytes: 512 * 2 ** 20,
  image: 'mcpg/gateway@sha256:0000',
  controlPlane: { restPort: 7843, grpcPort: 7844 },
  enrollmentUrl: 'https://cp.example.com:7843/enroll/mcpg_enr_secret#pin=sha256:x',
  volume: { type: 'claim', bytes: 2 ** 30 },
  egress: ['0.0.0.0/0', '10.1.0.0/16', '::/0'],
  ...rest,
})
const several = workload({
  replicas: 3,
  maxReplicas: 6,
  isolationTier: 'sandboxed',
  ingressNamespace: 'ingress',
  hosts: ['mcp.example.com'],
  imagePullSecret: 'pull',
})

const find = (objects: KubernetesObject[], kind: string) => objects.find((object) => object.kind === kind)

describe.each([
  ['one', workload(), modern],
  ['several', several, modern],
  ['dedicated', workload({ isolationTier: 'dedicated', enrollmentUrl: null, volume: { type: 'hostPath', path: '/srv/mcpg' } }), modern],
])('the objects of a gateway: %s', (name, workload, discovery) => {
  const objects = gatewayObjects(workload, discovery)

  test('are what the schemas of Kubernetes allow', async () => {
    expect(await violationsOf(objects)).toEqual([])
  })

  test('are those that were written down', async () => {
    await expect(objects.map((object) => stringify(object)).join('---\n')).toMatchFileSnapshot(`golden/${name}.yaml`)
  })

  test('carry the token in one Secret only', () => {
    for (const object of objects) {
      const text = JSON.stringify(object)
      expect(text).not.toContain('mcpg_enr_')
      if (object.kind !== 'Secret') expect(text).not.toContain(Buffer.from('mcpg_enr_secret').toString('base64').slice(0, 12))
    }
  })
})

describe('a custom host name', () => {
  const hostname = 'mcp.tools.example.com'
  const routed = (routing: NonNullable<GatewayWorkload['routing']>) => gatewayObjects(workload({ hostname, routing }), modern)

  test('is routed by an Ingress of the class, with a certificate of the issuer', async () => {
    const objects = routed({ type: 'ingress', className: 'nginx', issuer: 'letsencrypt' })
    expect(await violationsOf(objects)).toEqual([])
    expect(find(objects, 'Ingress')).toMatchObject({
      metadata: { annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt' } },
      spec: {
        ingressClassName: 'nginx',
        tls: [{ hosts: [hostname], secretName: 'edge-1-0a1b2c-tls' }],
        rules: [{ host: hostname, http: { paths: [{ backend: { service: { name: 'edge-1-0a1b2c', port: { name: 'mcp' } } } }] } }],
      },
    })
    expect(JSON.stringify(find(objects, 'StatefulSet'))).toContain(`"--allowed-host","${hostname}"`)
  })

  test('is routed by an HTTPRoute of the Gateway', async () => {
    const objects = routed({ type: 'gateway', namespace: 'edge', name: 'public' })
    expect(await violationsOf(objects)).toEqual([])
    expect(find(objects, 'HTTPRoute')).toMatchObject({
      apiVersion: 'gateway.networking.k8s.io/v1',
      spec: {
        parentRefs: [{ namespace: 'edge', name: 'public' }],
        hostnames: [hostname],
        rules: [{ backendRefs: [{ name: 'edge-1-0a1b2c', port: 7845 }] }],
      },
    })
  })

  test('has no route where none is said', () => {
    const kinds = gatewayObjects(workload({ hostname }), modern).map(({ kind }) => kind)
    expect(kinds).not.toContain('Ingress')
    expect(kinds).not.toContain('HTTPRoute')
  })
})

test('the schemas notice what is wrong', async () => {
  const [namespace] = gatewayObjects(workload(), modern)
  expect(await violationsOf([{ ...namespace!, metadata: { name: 5 as unknown as string } }])).toEqual([
    expect.stringContaining('Namespace 5: /metadata/name') as string,
  ])
  expect(await violationsOf([{ apiVersion: 'v9', kind: 'Nothing', metadata: { name: 'x' } }])).toEqual([
    'Nothing x: no schema of v9 Nothing',
  ])
})

test('an older Kubernetes gets the versions that it serves, and no fields that it does not know', () => {
  const objects = gatewayObjects(several, old)
  expect(find(objects, 'PodDisruptionBudget')).toMatchObject({ apiVersion: 'policy/v1beta1', spec: { maxUnavailable: 1 } })
  expect(find(objects, 'HorizontalPodAutoscaler')).toMatchObject({ apiVersion: 'autoscaling/v2beta2' })
  expect(JSON.stringify(objects)).not.toMatch(/unhealthyPodEvictionPolicy|persistentVolumeClaimRetentionPolicy/)
  expect(JSON.stringify(gatewayObjects(several, modern))).toMatch(/unhealthyPodEvictionPolicy.*AlwaysAllow/)
})

test('one replica has no disruption budget, and who scales by load is not told a number of replicas', () => {
  const kinds = gatewayObjects(workload(), modern).map(({ kind }) => kind)
  expect(kinds).not.toContain('PodDisruptionBudget')
  expect(kinds).not.toContain('HorizontalPodAutoscaler')
  expect(find(gatewayObjects(several, modern), 'StatefulSet')!['spec']).not.toHaveProperty('replicas')
})

test('the template of the pods is the same in the next operation, with and without a token', () => {
  const template = (rest: Partial<GatewayWorkload>) =>
    (find(gatewayObjects(workload(rest), modern), 'StatefulSet')!['spec'] as { template: unknown }).template
  expect(template({ enrollmentUrl: null })).toEqual(template({}))
})

test('metadata addresses are cut out of the networks that hold them, and only of those', () => {
  const policy = find(gatewayObjects(workload(), modern), 'NetworkPolicy')!['spec'] as {
    egress: { to: { ipBlock?: { cidr: string; except?: string[] } }[] }[]
  }
  expect(policy.egress.at(-1)!.to.map(({ ipBlock }) => ipBlock)).toEqual([
    { cidr: '0.0.0.0/0', except: ['169.254.169.254/32'] },
    { cidr: '10.1.0.0/16' },
    { cidr: '::/0', except: ['fd00:ec2::254/128'] },
  ])
})

test('names that are too long are cut and stay different', () => {
  const long = 'a'.repeat(70)
  const digest = createHash('sha256').update(long).digest('hex').slice(0, 8)
  expect(fitted(long)).toBe(`${'a'.repeat(54)}-${digest}`)
  expect(fitted('short')).toBe('short')
  expect(workloadName('b'.repeat(63))).toHaveLength(52)
  const objects = gatewayObjects(workload({ org: 'o'.repeat(60), workspace: 'w'.repeat(60), instanceUid: 'i'.repeat(63) }), modern)
  for (const { metadata } of objects) {
    expect(metadata.name.length).toBeLessThanOrEqual(63)
    expect(metadata.namespace?.length ?? 0).toBeLessThanOrEqual(63)
    for (const value of Object.values(metadata.labels ?? {})) expect(value.length).toBeLessThanOrEqual(63)
  }
})

test('the workload says what everything was written as, with and without a token', () => {
  const stamp = (rest: Partial<GatewayWorkload>) => stampOf(find(stamped(gatewayObjects(workload(rest), modern)), 'StatefulSet')!)
  expect(stamp({})).toMatch(/^[0-9a-f]{16}$/)
  expect(stamp({ enrollmentUrl: null })).toBe(stamp({}))
  for (const rest of [{ image: 'other:1' }, { egress: [] }, { replicas: 2 }])
    expect([rest, stamp(rest) === stamp({})]).toEqual([rest, false])
})

test('in a namespace of somebody else everything is in it, and it stays as it is', () => {
  const objects = gatewayObjects(workload({ namespace: 'tools' }), modern)
  expect(objects.map(({ kind }) => kind)).toEqual(expect.not.arrayContaining(['Namespace', 'ResourceQuota', 'LimitRange']))
  expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['tools']))
})

test('the published role is what the schemas allow, and asks for no wildcard', async () => {
  const objects = accessObjects('mcpg')
  expect(await violationsOf(objects)).toEqual([])
  expect(JSON.stringify(objects)).not.toContain('"*"')
})
