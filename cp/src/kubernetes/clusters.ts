import type { Clock } from '@mcpg/core/clock'
import { isLoopbackHost } from '@mcpg/core/http-guard'
import { McpgError } from '@mcpg/proto/errors'
import type { KubernetesAccess, KubernetesWorkloads } from '@mcpg/proto/rest/clusters'
import type { ClusterRef, Driver, Workloads } from '../clusters/drivers/driver.ts'
import type { Keys } from '../keys/keys.ts'
import { openApi } from './client/api.ts'
import { accountCredentials, credentialsOf, type ClusterCredentials } from './client/credentials.ts'
import { checkParameters, kubernetesWorkloads, type Reach } from './driver.ts'

/** How one cluster is reached, as it lies sealed in its row. */
type Stored = { credentials: ClusterCredentials; workloads: KubernetesWorkloads }

/** The driver of all clusters of Kubernetes, and how what they are reached with is kept. */
export function kubernetesClusters({
  keys,
  reach,
  image,
  clock,
}: {
  keys: Pick<Keys, 'sealValue' | 'openValue'>
  reach: () => Reach
  image: string
  clock: Clock
}) {
  /** Each keeps its connections as long as its credentials stay the same. */
  const opened = new Map<string, { ref: string; workloads: Workloads }>()
  const driver: Driver = {
    kind: 'kubernetes',
    needsCredentials: true,
    check: (parameters) => checkParameters(parameters, reach()),
    on,
    unreachableBy,
  }
  return { driver, seal }

  /** How gateways run there stays as it was `before`, where nothing is said of it. */
  function seal(clusterId: string, access: KubernetesAccess, before: string | null = null): string {
    const { kubeconfig, context, server = '', ca, token = '' } = access
    const workloads = access.workloads ?? (before === null ? {} : unseal(clusterId, before).workloads)
    const credentials = kubeconfig === undefined ? accountCredentials({ server, ca, token }) : credentialsOf(kubeconfig, context)
    const stored: Stored = { credentials, workloads }
    const { dataKeyId, sealed } = keys.sealValue(contextOf(clusterId), Buffer.from(JSON.stringify(stored)))
    return `${dataKeyId} ${Buffer.from(sealed).toString('base64')}`
  }

  function on({ id, name, isolationTier, credentialsRef }: ClusterRef): Workloads {
    if (credentialsRef === null)
      throw new McpgError('failed_precondition', 'cluster_without_credentials', `The cluster ${name} has no credentials yet.`, {
        hint: `mcpg-ctl cluster register --name ${name} … --kubeconfig <file>`,
      })
    const known = opened.get(id)
    if (known?.ref === credentialsRef) return known.workloads
    const { credentials, workloads: settings } = unseal(id, credentialsRef)
    const workloads = kubernetesWorkloads({ connect: () => openApi(credentials), isolationTier, settings, reach, image, clock })
    opened.set(id, { ref: credentialsRef, workloads })
    return workloads
  }

  /** Gateways stay in the namespace in which they were made, and what routes to them is found by its kind only. */
  function unreachableBy({ id, credentialsRef: before }: ClusterRef, { credentialsRef: after }: ClusterRef): string[] {
    if (before === null || after === null) return []
    const [was, is] = [unseal(id, before).workloads, unseal(id, after).workloads]
    const [home, routing] = [
      { was: homeOf(was), is: homeOf(is) },
      { was: routeOf(was), is: routeOf(is) },
    ]
    return [
      ...(home.was === home.is ? [] : [`they live in ${home.was}, not in ${home.is}`]),
      ...(routing.was === null || routing.was === routing.is
        ? []
        : [`their host names are routed by ${routing.was}, not by ${routing.is ?? 'anything'}`]),
    ]
  }

  function unseal(clusterId: string, credentialsRef: string): Stored {
    const [dataKeyId = '', sealed = ''] = credentialsRef.split(' ')
    const plain = keys.openValue(contextOf(clusterId), { dataKeyId, sealed: Buffer.from(sealed, 'base64') })
    return JSON.parse(plain.toString()) as Stored
  }
}

const homeOf = ({ namespace = 'namespaces of their workspaces' }: KubernetesWorkloads) => namespace
const routeOf = ({ ingressClass, gatewayApi }: KubernetesWorkloads) => (ingressClass ? 'an Ingress' : gatewayApi ? 'an HTTPRoute' : null)

/** Moved to another row it does not open. */
const contextOf = (id: string) => `cluster\0${id}`

/** Ports of the addresses that are handed out; null where they lead to the machine that asks. */
export function reachOf({ http, grpc }: { http: string; grpc: string }): Reach {
  const [rest, stream] = [new URL(http), new URL(grpc)]
  if (isLoopbackHost(rest.hostname) || isLoopbackHost(stream.hostname)) return null
  return { restPort: portOf(rest), grpcPort: portOf(stream) }
}

const portOf = ({ port, protocol }: URL) => (port ? Number(port) : protocol === 'https:' ? 443 : 80)
