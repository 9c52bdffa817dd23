import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { testAuthority } from '@mcpg/core/test-authority'
import type { KubernetesObject } from '../../cp/src/kubernetes/objects/workload.ts'
import { closeLater, temporaryFolder } from '../harness/cleanup.ts'
import { freePort } from '../harness/free-port.ts'
import { startControlPlane, type ControlPlane } from '../harness/programs.ts'
import { endManaged } from './managed.ts'
import { nodeOfProcesses } from './managed-pods.ts'

export type ApiServer = Awaited<ReturnType<typeof startApiServer>>
type Answer = { status: number; body: unknown }
type Address = { plural: string; namespace: string; name: string }
type Pod = KubernetesObject & { status: object }

/** A control plane that pods can reach, by a name that leads there through the network of the cluster; this machine calls it by its port. */
export async function startReachable({ stateDir, env, args = [] }: { stateDir: string; env: Record<string, string>; args?: string[] }) {
  const [rest, stream] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const external = { MCPG_EXTERNAL_URL: 'http://control-plane.test:7843', MCPG_EXTERNAL_GRPC: 'http://control-plane.test:7844' }
  return await begin(env)

  async function begin(given: Record<string, string>): Promise<ControlPlane> {
    const controlPlane = await startControlPlane({ stateDir, http: rest, grpc: stream, env: { ...given, ...external }, args })
    endManaged(stateDir)
    const addresses = { http: `http://${rest}`, grpc: `http://${stream}` }
    return { ...controlPlane, ...addresses, restart: (change = {}) => begin({ ...given, ...change.env }) }
  }
}

/** What registers it. */
export const registrationOf = (name: string, { server, ca, token }: Pick<ApiServer, 'server' | 'ca' | 'token'>) => ({
  name,
  region: 'eu',
  gatewaysMax: 20,
  kubernetes: { server, ca, token },
})

/**
 * An API server in a few lines: it keeps objects as they are applied, has what is in a namespace deleted with it, and runs the pods of
 * StatefulSets as processes of this machine. `gateway` says where pods reach the control plane.
 */
export async function startApiServer({ controlPlane }: { controlPlane: () => { http: string; grpc: string } }) {
  const authority = await testAuthority()
  const objects = new Map<string, KubernetesObject>()
  const node = nodeOfProcesses({ folder: temporaryFolder(), controlPlane, secretOf })
  const token = 'the-account-of-the-control-plane'
  const knobs = { acceptsToken: true, terminating: false, forbidden: new Set<string>() }
  let listener = await listen(0)
  const { port } = listener.address() as AddressInfo
  closeLater(stop)
  return {
    server: `https://127.0.0.1:${port}`,
    ca: authority.pem,
    token,
    knobs,
    node,
    /** What is there, as plural/name. */
    objects: () => [...objects].map(([, { kind, metadata }]) => `${kind}/${metadata.name}`).toSorted(),
    stop,
    async startAgain() {
      listener = await listen(port)
    },
  }

  async function listen(at: number) {
    const found = createServer(await authority.server(['127.0.0.1']), (request, response) => {
      void bodyOf(request).then(async (body) => {
        const { status, body: answer } = await respond(request, body).catch((error: unknown) => failure(500, String(error)))
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
      })
    })
    await once(found.listen(at, '127.0.0.1'), 'listening')
    return found
  }

  async function stop(): Promise<void> {
    if (!listener.listening) return
    listener.closeAllConnections()
    await once(listener.close(), 'close')
  }

  async function respond({ method, url = '', headers }: IncomingMessage, body: unknown): Promise<Answer> {
    const { pathname, searchParams } = new URL(url, 'https://cluster')
    if (headers.authorization !== `Bearer ${token}` || !knobs.acceptsToken) return failure(401, 'Unauthorized')
    if (pathname === '/version') return { status: 200, body: { major: '1', minor: '33', gitVersion: 'v1.33.0' } }
    if (pathname === '/apis') return { status: 200, body: { groups: served.map((groupVersion) => ({ versions: [{ groupVersion }] })) } }
    if (pathname.endsWith('/selfsubjectaccessreviews')) return { status: 201, body: { status: { allowed: isAllowed(body) } } }
    if (pathname.endsWith('/tokenreviews')) return { status: 201, body: { status: node.review(body as { spec: { token: string } }) } }
    const address = addressOf(pathname)
    if (!address) return failure(404, `there is no ${pathname}`)
    const labels = selectorOf(searchParams.get('labelSelector'))
    if (method === 'GET' && address.name === '') return { status: 200, body: { items: await listOf(address, labels), metadata: {} } }
    if (method === 'GET') return found(objects.get(keyOf(address)))
    if (method === 'PATCH') return await applied(address, body as KubernetesObject)
    if (method === 'DELETE') return deleted(address)
    return failure(405, `${method} is not known`)
  }

  function isAllowed(body: unknown): boolean {
    const { resource, verb } = (body as { spec: { resourceAttributes: { resource: string; verb: string } } }).spec.resourceAttributes
    return !knobs.forbidden.has(`${verb} ${resource}`)
  }

  async function listOf({ plural, namespace }: Address, labels: Record<string, string>): Promise<unknown[]> {
    const all = plural === 'nodes' ? [oneNode] : plural === 'pods' ? node.pods() : [...objects].flatMap(ofPlural)
    const chosen = (all as Pod[]).filter(
      ({ metadata }) =>
        (namespace === '' || metadata.namespace === namespace) &&
        Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value),
    )
    return plural === 'statefulsets' ? await Promise.all(chosen.map(withStatus)) : chosen

    function ofPlural([key, object]: [string, KubernetesObject]): KubernetesObject[] {
      return key.startsWith(`${plural}/`) ? [object] : []
    }
  }

  async function found(object: KubernetesObject | undefined): Promise<Answer> {
    if (!object) return failure(404, 'not found')
    return { status: 200, body: object.kind === 'StatefulSet' ? await withStatus(object) : object }
  }

  async function withStatus(set: KubernetesObject): Promise<KubernetesObject> {
    const readyReplicas = await node.readyOf(set)
    const { generation } = set.metadata
    return { ...set, status: { observedGeneration: generation, readyReplicas, updatedReplicas: readyReplicas } }
  }

  async function applied(address: Address, body: KubernetesObject): Promise<Answer> {
    const { namespace, name } = address
    if (knobs.terminating && namespace !== '')
      return failure(403, `unable to create new content in namespace ${namespace} because it is being terminated`, {
        causes: [{ reason: 'NamespaceTerminating' }],
      })
    if (namespace !== '' && !objects.has(keyOf({ plural: 'namespaces', namespace: '', name: namespace })))
      return failure(404, `namespaces "${namespace}" not found`)
    const before = objects.get(keyOf(address))
    const after = merged(before ?? {}, body) as KubernetesObject
    const isChanged = JSON.stringify(before?.['spec']) !== JSON.stringify(after['spec'])
    const generation = Number(before?.metadata['generation'] ?? 0) + (isChanged ? 1 : 0)
    const uid = before?.metadata.uid ?? `uid-${name}-${Date.now()}`
    const creationTimestamp = before?.metadata['creationTimestamp'] ?? new Date().toISOString()
    const object = {
      ...after,
      metadata: { ...after.metadata, name, ...(namespace && { namespace }), uid, generation, creationTimestamp },
    } as KubernetesObject
    objects.set(keyOf(address), object)
    if (object.kind === 'StatefulSet') for (const claim of node.run(object)) objects.set(keyOf(claimAddress(claim)), claim)
    return { status: before ? 200 : 201, body: object }
  }

  function deleted(address: Address): Answer {
    const object = objects.get(keyOf(address))
    if (!object) return failure(404, 'not found')
    take(keyOf(address), object)
    if (address.plural === 'namespaces') for (const [key, one] of objects) if (one.metadata.namespace === address.name) take(key, one)
    return { status: 200, body: { kind: 'Status', status: 'Success' } }
  }

  function take(key: string, object: KubernetesObject): void {
    objects.delete(key)
    if (object.kind === 'StatefulSet') {
      node.end(object)
      for (const [other, one] of objects) if (one.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid)) take(other, one)
    }
    if (object.kind === 'PersistentVolumeClaim') node.forgetVolume(object.metadata.name)
  }

  /** The content of a Secret by its name, as a file that is mounted. */
  function secretOf(namespace: string, name: string): string | null {
    const data = objects.get(keyOf({ plural: 'secrets', namespace, name }))?.['data'] as Record<string, string> | undefined
    const [content] = Object.values(data ?? {})
    return content === undefined ? null : Buffer.from(content, 'base64').toString()
  }
}

const served = ['policy/v1', 'autoscaling/v2']
const oneNode = { metadata: { name: 'node' }, status: { allocatable: { cpu: '64', memory: '64Gi' } } }

const keyOf = ({ plural, namespace, name }: Address) => `${plural}/${namespace}/${name}`
const claimAddress = ({ metadata: { name, namespace = '' } }: KubernetesObject) => ({ plural: 'persistentvolumeclaims', namespace, name })

function addressOf(path: string): Address | null {
  const [, namespace = '', plural = '', name = ''] =
    /^\/(?:api\/v1|apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([a-z]+)(?:\/([^/]+))?$/.exec(path) ?? []
  return plural === '' ? null : { plural, namespace, name }
}

function selectorOf(text: string | null): Record<string, string> {
  return Object.fromEntries((text ?? '').split(',').flatMap((one) => (one === '' ? [] : [one.split('=') as [string, string]])))
}

function failure(code: number, message: string, details: object = {}): Answer {
  return { status: code, body: { kind: 'Status', status: 'Failure', message, details, code } }
}

/** Of server-side apply what is used here: objects grow together, and lists are replaced. */
function merged(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after)) return after
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return Object.fromEntries([...keys].map((key) => [key, key in after ? merged(before[key], after[key]) : before[key]]))
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text === '' ? undefined : (JSON.parse(text) as unknown)
}
