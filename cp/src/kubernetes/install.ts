import { McpgError, type Violation } from '@mcpg/proto/errors'
import { version } from '@mcpg/proto/version'
import { controlPlaneObjects } from './objects/control-plane.ts'
import { monitoringObjects } from './objects/monitoring.ts'
import { accessObjects } from './objects/permissions.ts'
import type { KubernetesObject } from './objects/workload.ts'

export type InstallOptions = {
  namespace?: string
  image?: string
  externalUrl?: string
  externalGrpc?: string
  replicas?: number
  storage?: string
  storageClass?: string
  databaseSecret?: string
  tlsSecret?: string
  gateway?: string
  monitoring?: boolean
  accessOnly?: boolean
}

/** What installs a control plane, or only the access that one elsewhere needs. Throws McpgError `invalid` with all violations. */
export function kubernetesManifests(options: InstallOptions): KubernetesObject[] {
  const { namespace = 'mcpg', accessOnly = false } = options
  const space: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { 'app.kubernetes.io/part-of': 'mcpg' } },
  }
  if (accessOnly) return [space, ...accessObjects(namespace)]
  const { image = `mcpg/control-plane:${version}`, storage = '10Gi', monitoring = false, replicas = 1 } = options
  const violations: Violation[] = []
  const externalUrl = httpsUrl('--external-url', options.externalUrl)
  const externalGrpc = httpsUrl('--external-grpc', options.externalGrpc)
  if (replicas !== 1)
    violations.push({
      pointer: '--replicas',
      detail: options.databaseSecret
        ? `must be 1: a database belongs to one control plane, and a second one would end; got ${replicas}`
        : `must be 1: SQLite is a file of one process; got ${replicas}`,
    })
  if (violations.length > 0)
    throw new McpgError('invalid', 'usage', violations.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; '), {
      violations,
      hint: 'mcpg-ctl install kubernetes --help',
    })
  const { storageClass, databaseSecret, tlsSecret, gateway } = options
  const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  return [
    { ...space, metadata: { ...space.metadata, labels: { ...space.metadata.labels, ...restricted } } },
    ...controlPlaneObjects({ namespace, image, externalUrl, externalGrpc, storage, storageClass, databaseSecret, tlsSecret, gateway }),
    ...(monitoring ? monitoringObjects({ namespace, tlsSecret }) : []),
    ...accessObjects(namespace),
  ]

  function httpsUrl(flag: string, text: string | undefined): string {
    if (text === undefined) violations.push({ pointer: flag, detail: 'is missing: others reach it under this URL' })
    else if (URL.parse(text)?.protocol !== 'https:')
      violations.push({ pointer: flag, detail: `must be an https:// URL, got ${JSON.stringify(text)}` })
    return text ?? ''
  }
}
