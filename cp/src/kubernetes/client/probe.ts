import { McpgError } from '@mcpg/proto/errors'
import { attestationPermission, permissionsIn, routePermissions, type Permission } from '../objects/permissions.ts'
import type { Discovery, KubernetesObject, Routing } from '../objects/workload.ts'
import type { Api } from './api.ts'
import { isMissing } from './errors.ts'

export type ClusterFacts = {
  version: string
  discovery: Discovery
  /** Sum of what its nodes can give to pods. */
  capacity: { cpuMillicores: number; memoryBytes: number; nodes: number }
  /** What works less well there than it could, in sentences. */
  warnings: string[]
}

const oldestMinor = 20
const recommendedMinor = 29

/** What each version brought, of what our objects make use of. */
const since: { minor: number; what: string }[] = [
  { minor: 21, what: 'policy/v1 disruption budgets' },
  { minor: 23, what: 'pod security admission and autoscaling/v2' },
  { minor: 27, what: 'eviction of pods that are not ready, and volumes that are deleted with their workload' },
  { minor: 29, what: 'the versions that are still maintained' },
]

/**
 * What a cluster is and has, asked now. Throws McpgError: `unavailable` where it cannot be reached, `failed_precondition` where it is
 * older than 1.20, or where the account may not do all that is needed, with every missing permission, or where the namespace that is given
 * for gateways is not there.
 */
export async function probeCluster(
  api: Api,
  { routing, namespace }: { routing?: Routing | undefined; namespace?: string | undefined } = {},
): Promise<ClusterFacts> {
  const { version, discovery } = await discover(api)
  if (routing?.type === 'gateway' && !discovery.httpRoute)
    throw new McpgError('failed_precondition', 'gateway_api_missing', 'The cluster does not serve HTTPRoutes of the Gateway API.', {
      hint: 'install the Gateway API there, or register the cluster with --ingress-class',
    })
  const needed = [...permissionsIn(namespace), ...(routing ? [routePermissions[routing.type]] : [])]
  const missing = await missingPermissions(api, needed, namespace)
  if (missing.length > 0)
    throw new McpgError(
      'failed_precondition',
      'cluster_permissions_missing',
      `The account of the control plane lacks permissions on the cluster: ${missing.map(permissionText).join('; ')}.`,
      {
        hint: 'grant it the published role: mcpg-ctl install kubernetes --access-only -o yaml | kubectl apply -f -',
        violations: missing.map((permission) => ({ pointer: '/credentials', detail: `may not ${permissionText(permission)}` })),
      },
    )
  if (namespace !== undefined) await requireNamespace(api, namespace)
  return {
    version,
    discovery,
    capacity: await askCapacity(api),
    warnings: [
      ...(discovery.minor >= recommendedMinor ? [] : [oldWarning(version, discovery.minor)]),
      ...((await canAttest(api)) ? [] : [unattested]),
    ],
  }
}

const unattested =
  'The account of the control plane may not create tokenreviews.authentication.k8s.io: gateways with several replicas are refused there, and those with one work.'

async function requireNamespace(api: Api, name: string): Promise<void> {
  const found = await api.get<KubernetesObject>(`/api/v1/namespaces/${name}`).catch((error: unknown) => {
    if (isMissing(error)) return null
    throw error
  })
  if (found && found.metadata['deletionTimestamp'] === undefined) return
  const what = found ? 'is being deleted' : 'is not there'
  throw new McpgError('failed_precondition', 'cluster_namespace_missing', `The namespace ${name}, where gateways are to live, ${what}.`, {
    hint: `kubectl create namespace ${name}, or leave --namespace out`,
  })
}

/** Whether the cluster tells the control plane which pod a token is of. */
export async function canAttest(api: Api): Promise<boolean> {
  return (await missingPermissions(api, [attestationPermission])).length === 0
}

/** Which versions of which APIs a cluster serves. Throws McpgError, also where it is older than 1.20. */
export async function discover(api: Api): Promise<Pick<ClusterFacts, 'version' | 'discovery'>> {
  const { version, minor } = await askVersion(api)
  if (minor < oldestMinor)
    throw new McpgError(
      'failed_precondition',
      'cluster_too_old',
      `The cluster runs Kubernetes ${version}; 1.${oldestMinor} is the oldest that works.`,
      { hint: `upgrade it, best to 1.${recommendedMinor} or later` },
    )
  const { groups } = await api.get<{ groups: { versions: { groupVersion: string }[] }[] }>('/apis')
  const served = new Set(groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion)))
  const httpRoute = (['gateway.networking.k8s.io/v1', 'gateway.networking.k8s.io/v1beta1'] as const).find((one) => served.has(one))
  return {
    version,
    discovery: {
      minor,
      podDisruptionBudget: served.has('policy/v1') ? 'policy/v1' : 'policy/v1beta1',
      horizontalPodAutoscaler: served.has('autoscaling/v2') ? 'autoscaling/v2' : 'autoscaling/v2beta2',
      ...(httpRoute && { httpRoute }),
    },
  }
}

const oldWarning = (version: string, minor: number) =>
  `Kubernetes ${version} is older than 1.${recommendedMinor}; it lacks ${since
    .filter((one) => one.minor > minor)
    .map(({ what }) => what)
    .join(', ')}.`

/** Providers add a sign to the number, e.g. `27+`. */
async function askVersion(api: Api): Promise<{ version: string; minor: number }> {
  const { major, minor, gitVersion } = await api.get<{ major: string; minor: string; gitVersion: string }>('/version')
  const number = Number(/^\d+/.exec(minor)?.[0])
  if (major !== '1' || !Number.isInteger(number))
    throw new McpgError(
      'failed_precondition',
      'cluster_version_unknown',
      `The cluster says it runs Kubernetes ${gitVersion}, which is not known here.`,
    )
  return { version: gitVersion.replace(/^v/, ''), minor: number }
}

/** Asked verb by verb: what an account may do can depend on more than its roles. */
async function missingPermissions(api: Api, needed: readonly Permission[], namespace?: string): Promise<Permission[]> {
  const asked = needed.flatMap(({ group, resource, verbs }) => verbs.map((verb) => ({ group, resource, verb })))
  const answers = await Promise.all(
    asked.map(async (attributes) => {
      const review = await api.post<{ status: { allowed?: boolean } }>('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        // Nodes are in no namespace.
        spec: { resourceAttributes: { ...attributes, ...(namespace && attributes.resource !== 'nodes' && { namespace }) } },
      })
      return review.status.allowed === true
    }),
  )
  return needed
    .map(({ group, resource, verbs }) => ({
      group,
      resource,
      verbs: verbs.filter(
        (verb) => !answers[asked.findIndex((one) => one.group === group && one.resource === resource && one.verb === verb)],
      ),
    }))
    .filter(({ verbs }) => verbs.length > 0)
}

const permissionText = ({ group, resource, verbs }: Permission) => `${verbs.join(', ')} ${resource}${group ? `.${group}` : ''}`

type Node = { spec?: { unschedulable?: boolean }; status?: { allocatable?: { cpu?: string; memory?: string } } }

/** Nodes that take no pods do not count. */
async function askCapacity(api: Api): Promise<ClusterFacts['capacity']> {
  const { items } = await api.get<{ items: Node[] }>('/api/v1/nodes')
  const nodes = items.filter((node) => !node.spec?.unschedulable)
  const sum = (field: 'cpu' | 'memory') => nodes.reduce((total, node) => total + quantity(node.status?.allocatable?.[field] ?? '0'), 0)
  return { cpuMillicores: Math.floor(sum('cpu') * 1000), memoryBytes: Math.floor(sum('memory')), nodes: nodes.length }
}

const units: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** A quantity as Kubernetes writes it: `1500m`, `16Gi`, `1e3`. Throws Error for anything else. */
export function quantity(text: string): number {
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?\d+)?)([numkKMGTPE]?i?)$/.exec(text)
  const unit = units[match?.[2] ?? '?']
  const number = Number(match?.[1])
  if (unit === undefined || !Number.isFinite(number)) throw new Error(`${JSON.stringify(text)} is not a quantity`)
  return number * unit
}
