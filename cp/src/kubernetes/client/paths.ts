import type { KubernetesObject } from '../objects/workload.ts'

type Kind = { plural: string; isNamespaced: boolean }

/** The kinds that we write; a server is not asked for what does not change. */
const kinds: Readonly<Record<string, Kind>> = {
  Namespace: { plural: 'namespaces', isNamespaced: false },
  ResourceQuota: { plural: 'resourcequotas', isNamespaced: true },
  LimitRange: { plural: 'limitranges', isNamespaced: true },
  ServiceAccount: { plural: 'serviceaccounts', isNamespaced: true },
  Secret: { plural: 'secrets', isNamespaced: true },
  ConfigMap: { plural: 'configmaps', isNamespaced: true },
  Service: { plural: 'services', isNamespaced: true },
  PersistentVolumeClaim: { plural: 'persistentvolumeclaims', isNamespaced: true },
  Pod: { plural: 'pods', isNamespaced: true },
  StatefulSet: { plural: 'statefulsets', isNamespaced: true },
  NetworkPolicy: { plural: 'networkpolicies', isNamespaced: true },
  PodDisruptionBudget: { plural: 'poddisruptionbudgets', isNamespaced: true },
  HorizontalPodAutoscaler: { plural: 'horizontalpodautoscalers', isNamespaced: true },
  Ingress: { plural: 'ingresses', isNamespaced: true },
  HTTPRoute: { plural: 'httproutes', isNamespaced: true },
  ClusterRole: { plural: 'clusterroles', isNamespaced: false },
  ClusterRoleBinding: { plural: 'clusterrolebindings', isNamespaced: false },
}

export type Kinded = { apiVersion: string; kind: string }

export function listPath({ apiVersion, kind }: Kinded, namespace?: string): string {
  const known = kinds[kind]
  if (!known) throw new Error(`no path is known for ${kind}`)
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return `${root}${known.isNamespaced && namespace ? `/namespaces/${namespace}` : ''}/${known.plural}`
}

export const objectPath = (object: Pick<KubernetesObject, 'apiVersion' | 'kind'> & { metadata: { name: string; namespace?: string } }) =>
  `${listPath(object, object.metadata.namespace)}/${object.metadata.name}`
