import { createHash } from 'node:crypto'

/** A name of an object; what is too long is cut and ends with 8 hex of its SHA-256, so that two of them stay two. */
export function fitted(name: string, max = 63): string {
  if (name.length <= max) return name
  return `${name.slice(0, max - 9)}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
}

/** Of a StatefulSet: the label with its revision on its pods adds eleven characters, and a label holds 63. */
export const maxStatefulSetName = 52

type Place = { org: string; workspace: string; isolationTier: string; namespace?: string | undefined }
export const namespaceName = ({ org, workspace, isolationTier, namespace }: Place): string =>
  namespace ?? fitted(`mcpg-${org}-${workspace}-${isolationTier}`)

/** Of the workload and what belongs to it; the instance uid of a gateway is its name and six hex. */
export const workloadName = (instanceUid: string) => fitted(instanceUid, maxStatefulSetName)

export const managedBy = 'mcpg-control-plane'
/** Marks the namespaces from which every gateway may be reached, whatever else is set. */
export const clientsLabel = 'mcpg.dev/gateway-clients'
const gatewayLabel = 'mcpg.dev/gateway-uid'

/** Selects the objects of one gateway; the value of a label holds as many characters as an instance uid. */
export const gatewaySelector = (instanceUid: string): Record<string, string> => ({ [gatewayLabel]: instanceUid })
export const uidOf = (labels: Record<string, string> | undefined): string | undefined => labels?.[gatewayLabel]
export const managedSelector: Record<string, string> = { 'app.kubernetes.io/managed-by': managedBy }

export const selectorText = (labels: Record<string, string>) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
