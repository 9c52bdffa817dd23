import { createServer, type Server } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { testAuthority } from '@mcpg/core/test-authority'
import type { McpgError } from '@mcpg/proto/errors'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openApi } from './api.ts'
import { clusterClient } from './client.ts'
import { accountCredentials, credentialsOf } from './credentials.ts'
import { differences } from './drift.ts'
import { probeCluster, quantity } from './probe.ts'

const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const base64 = (text: string) => Buffer.from(text).toString('base64')

function kubeconfig({ cluster = {}, user = { token: 't' } }: { cluster?: object; user?: object } = {}): string {
  return JSON.stringify({
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'n' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', 'certificate-authority-data': base64(pem), ...cluster } }],
    users: [{ name: 'u', user }],
  })
}

const refusal = (text: string, context?: string) => {
  try {
    credentialsOf(text, context)
  } catch (error) {
    return (error as McpgError).violations.map(({ pointer, detail }) => `${pointer} ${detail}`)
  }
  return []
}

describe('credentials', () => {
  test('are those of the current context', () => {
    expect(credentialsOf(kubeconfig())).toEqual({ server: 'https://10.0.0.1:6443', ca: pem, namespace: 'n', user: { token: 't' } })
    const user = { 'client-certificate-data': base64(pem), 'client-key-data': base64(pem) }
    expect(credentialsOf(kubeconfig({ user })).user).toEqual({ certificate: pem, key: pem })
  })

  test('that would run a program or read a file are refused, each with the way out', () => {
    expect(refusal(kubeconfig({ user: { exec: { command: 'aws' } } }))).toEqual([
      expect.stringMatching(/^\/users\/u\/exec it would run a program/),
    ])
    expect(refusal(kubeconfig({ user: { 'auth-provider': { name: 'gcp' } } }))).toEqual([expect.stringContaining('/users/u/auth-provider')])
    expect(
      refusal(
        kubeconfig({
          cluster: { 'certificate-authority': '/home/ada/ca.crt', 'insecure-skip-tls-verify': true, 'proxy-url': 'http://p' },
          user: { 'client-certificate': '/home/ada/a.crt', 'client-key': '/home/ada/a.key', as: 'root' },
        }),
      ),
    ).toEqual([
      expect.stringContaining('/clusters/c/insecure-skip-tls-verify the certificate of the API server must be checked'),
      expect.stringContaining('/clusters/c/certificate-authority /home/ada/ca.crt is a file that the control plane does not read'),
      expect.stringContaining('/clusters/c/proxy-url'),
      expect.stringContaining('/users/u/client-certificate /home/ada/a.crt'),
      expect.stringContaining('/users/u/client-key /home/ada/a.key'),
      expect.stringContaining('/users/u/as impersonation'),
    ])
  })

  test('that are no kubeconfig, or name what is not in it, say what is there', () => {
    expect(refusal('[1')).toEqual([expect.stringContaining('no YAML object')])
    expect(refusal('{}')).toEqual([expect.stringContaining('/current-context')])
    expect(refusal(kubeconfig(), 'prod')).toEqual(['/contexts there is no context prod; there are: x'])
    expect(refusal(kubeconfig({ user: {} }))).toEqual([expect.stringContaining('/users/u it has no token')])
    expect(refusal(kubeconfig({ cluster: { server: 'http://10.0.0.1' } }))).toEqual([expect.stringContaining('https:// only')])
  })

  test('of an account are checked too', () => {
    expect(accountCredentials({ server: 'https://c:6443', ca: pem, token: ' t\n' })).toMatchObject({ user: { token: 't' } })
    expect(() => accountCredentials({ server: 'c:6443', ca: 'x', token: '' })).toThrow(/\/server.*\/ca.*\/token/)
  })
})

test('quantities are read as Kubernetes writes them', () => {
  expect(['1500m', '2', '16Gi', '128974848', '129e6', '129M', '7654321Ki', '0.5'].map(quantity)).toEqual([
    1.5, 2, 17179869184, 128974848, 129e6, 129e6, 7838024704, 0.5,
  ])
  expect(() => quantity('many')).toThrow('is not a quantity')
})

test('a drift names the fields, and not what the server writes for itself', () => {
  const object = (rest: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'x', resourceVersion: '1', ...rest } })
  expect(differences({ ...object({}), spec: { a: 1 }, status: {} }, { ...object({ resourceVersion: '2' }), spec: { a: 1 } })).toEqual([])
  expect(
    differences({ ...object({ labels: { 'a/b': 'x' } }), spec: { ports: [1, 2] } }, { ...object({ labels: {} }), spec: { ports: [1] } }),
  ).toEqual(['/metadata/labels/a~1b', '/spec/ports/1'])
})

describe('an API server', () => {
  let authority: Awaited<ReturnType<typeof testAuthority>>
  beforeAll(async () => void (authority = await testAuthority()))
  const token = { token: 't' }

  /** Answers every request alike. */
  async function server(answer: (path: string) => { status: number; body: unknown } | null): Promise<string> {
    const { key, cert } = await authority.server(['127.0.0.1'])
    const listener: Server = createServer({ key, cert }, (request, response) => {
      const found = answer(request.url ?? '')
      if (!found) return
      response.writeHead(found.status, { 'content-type': 'application/json' }).end(JSON.stringify(found.body))
    })
    await once(listener.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => {
      listener.closeAllConnections()
      listener.close()
    })
    return `https://127.0.0.1:${(listener.address() as AddressInfo).port}`
  }

  async function closedPort(): Promise<string> {
    const listener = createServer()
    await once(listener.listen(0, '127.0.0.1'), 'listening')
    const { port } = listener.address() as AddressInfo
    await once(listener.close(), 'close')
    return `https://127.0.0.1:${port}`
  }

  const failure = async (url: string, { ca = authority.pem, timeoutMs = 15_000 } = {}) => {
    const client = clusterClient(await openApi({ server: url, ca, user: token }, { timeoutMs }))
    return (await client
      .apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } })
      .catch((error: unknown) => error)) as McpgError
  }
  const status = (code: number, message: string, details = {}) => ({
    status: code,
    body: { kind: 'Status', message, reason: 'Forbidden', details },
  })

  test.each([
    [401, status(401, 'Unauthorized'), 'cluster_credentials_refused', 'expired, revoked or of another cluster'],
    [403, status(403, 'User "u" cannot patch resource "secrets"'), 'cluster_forbidden', 'cannot patch resource "secrets"'],
    [403, status(403, 'exceeded quota: q, requested: pods=1'), 'cluster_quota_exceeded', 'exceeded quota: q'],
    [403, status(403, 'being terminated', { causes: [{ reason: 'NamespaceTerminating' }] }), 'namespace_terminating', 'is being deleted'],
    [422, status(422, 'spec.x: Required value'), 'cluster_refused_object', 'spec.x: Required value'],
    [503, status(503, 'etcd is down'), 'cluster_unavailable', 'etcd is down'],
  ])('that answers %i is told of in words', async (_, answer, reason, words) => {
    expect(await failure(await server(() => answer))).toMatchObject({ reason, message: expect.stringContaining(words) as string })
  })

  test('that another authority certified, that is silent, or that is not there, is told of', async () => {
    const other = await testAuthority('another root')
    const url = await server(() => null)
    expect(await failure(url, { ca: other.pem })).toMatchObject({ code: 'failed_precondition', reason: 'cluster_certificate_not_trusted' })
    expect(await failure(url, { timeoutMs: 500 })).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('did not answer within 0.5 s') as string,
    })
    expect(await failure(await closedPort())).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('refuses connections') as string,
    })
  })

  const answers =
    (minor: string, isAllowed: (attributes: string) => boolean = () => true) =>
    (path: string) => {
      if (path === '/version') return { status: 200, body: { major: '1', minor, gitVersion: `v1.${minor}` } }
      if (path === '/apis') return { status: 200, body: { groups: [{ versions: [{ groupVersion: 'policy/v1' }] }] } }
      if (path === '/api/v1/nodes')
        return {
          status: 200,
          body: {
            items: [
              { status: { allocatable: { cpu: '1500m', memory: '4Gi' } } },
              { status: { allocatable: { cpu: '2', memory: '1Ki' } } },
              { spec: { unschedulable: true }, status: { allocatable: { cpu: '64', memory: '1Ti' } } },
            ],
          },
        }
      if (path === '/api/v1/namespaces/tools') return { status: 200, body: { metadata: { name: 'tools' } } }
      if (path.startsWith('/api/v1/namespaces/')) return { status: 404, body: { kind: 'Status', reason: 'NotFound', message: 'not found' } }
      return { status: 201, body: { status: { allowed: isAllowed(path) } } }
    }
  const probe = async (url: string, namespace?: string) =>
    await probeCluster(await openApi({ server: url, ca: authority.pem, user: token }), { namespace })

  test('is probed for its version, what it serves and what its nodes can give', async () => {
    expect(await probe(await server(answers('33+')))).toEqual({
      version: '1.33+',
      discovery: { minor: 33, podDisruptionBudget: 'policy/v1', horizontalPodAutoscaler: 'autoscaling/v2beta2' },
      capacity: { cpuMillicores: 3500, memoryBytes: 4 * 2 ** 30 + 1024, nodes: 2 },
      warnings: [],
    })
    expect((await probe(await server(answers('26')))).warnings).toEqual([
      expect.stringMatching(/older than 1.29; it lacks eviction of pods/),
    ])
  })

  test('that is too old, or does not allow enough, is refused with all that is missing', async () => {
    await expect(probe(await server(answers('19')))).rejects.toMatchObject({ reason: 'cluster_too_old' })
    await expect(probe(await server(answers('30', () => false)))).rejects.toMatchObject({
      reason: 'cluster_permissions_missing',
      message: expect.stringMatching(/get, create, patch, delete namespaces;.*statefulsets\.apps/) as string,
    })
  })

  test('where gateways live in a namespace of somebody else must have that, and need not let us make or limit one', async () => {
    await expect(probe(await server(answers('30', () => false)), 'tools')).rejects.toMatchObject({
      message: expect.stringMatching(/cluster: get namespaces; list nodes/) as string,
    })
    await expect(probe(await server(answers('30', () => false)), 'tools')).rejects.not.toMatchObject({
      message: expect.stringMatching(/resourcequotas|limitranges/) as string,
    })
    await expect(probe(await server(answers('30')), 'nowhere')).rejects.toMatchObject({
      reason: 'cluster_namespace_missing',
      hint: expect.stringContaining('kubectl create namespace nowhere') as string,
    })
    expect((await probe(await server(answers('30')), 'tools')).version).toBe('1.30')
  })
})
