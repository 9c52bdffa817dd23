import { managedBy } from './names.ts'
import type { KubernetesObject, Routing } from './workload.ts'

export type Permission = { group: string; resource: string; verbs: readonly string[] }

const owned = ['get', 'list', 'create', 'patch', 'delete'] as const

/** All that the control plane does on a cluster: what its role grants, and what a registration checks one by one. */
export const permissions: readonly Permission[] = [
  { group: '', resource: 'namespaces', verbs: ['get', 'create', 'patch', 'delete'] },
  { group: '', resource: 'nodes', verbs: ['list'] },
  { group: '', resource: 'pods', verbs: ['list'] },
  { group: '', resource: 'events', verbs: ['list'] },
  { group: '', resource: 'resourcequotas', verbs: ['get', 'create', 'patch'] },
  { group: '', resource: 'limitranges', verbs: ['get', 'create', 'patch'] },
  { group: '', resource: 'serviceaccounts', verbs: owned },
  { group: '', resource: 'secrets', verbs: ['get', 'create', 'patch', 'delete'] },
  { group: '', resource: 'services', verbs: owned },
  { group: '', resource: 'persistentvolumeclaims', verbs: ['list', 'delete'] },
  { group: 'apps', resource: 'statefulsets', verbs: owned },
  { group: 'networking.k8s.io', resource: 'networkpolicies', verbs: owned },
  { group: 'policy', resource: 'poddisruptionbudgets', verbs: owned },
  { group: 'autoscaling', resource: 'horizontalpodautoscalers', verbs: owned },
]

/** In a namespace of somebody else, which is not ours to make or to limit. */
export const permissionsIn = (namespace: string | undefined): readonly Permission[] =>
  namespace === undefined
    ? permissions
    : permissions.flatMap((permission) => {
        if (permission.resource === 'namespaces') return [{ ...permission, verbs: ['get'] }]
        return ['resourcequotas', 'limitranges'].includes(permission.resource) ? [] : [permission]
      })

/** For gateways with several replicas: whether a token is that of a pod of one. A cluster without it runs the others. */
export const attestationPermission: Permission = { group: 'authentication.k8s.io', resource: 'tokenreviews', verbs: ['create'] }

/** For what a pod says that does not become ready; without it that is not told. */
const logPermission: Permission = { group: '', resource: 'pods/log', verbs: ['get'] }

/** For custom host names, where the settings of the cluster say how they are routed. */
export const routePermissions: Readonly<Record<Routing['type'], Permission>> = {
  ingress: { group: 'networking.k8s.io', resource: 'ingresses', verbs: owned },
  gateway: { group: 'gateway.networking.k8s.io', resource: 'httproutes', verbs: owned },
}

/** The role, an account in `namespace` for the control plane, and the binding of the two. */
export function accessObjects(namespace: string): KubernetesObject[] {
  const labels = { 'app.kubernetes.io/name': managedBy, 'app.kubernetes.io/part-of': 'mcpg' }
  const subject = { kind: 'ServiceAccount', name: managedBy, namespace }
  return [
    // Pods of it, such as the control plane's own, have no use for its token.
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: managedBy, namespace, labels }, automountServiceAccountToken: false },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: managedBy, labels },
      rules: [...permissions, logPermission, attestationPermission, ...Object.values(routePermissions)].map(
        ({ group, resource, verbs }) => ({
          apiGroups: [group],
          resources: [resource],
          verbs: [...verbs],
        }),
      ),
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: managedBy, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: managedBy },
      subjects: [subject],
    },
  ]
}
