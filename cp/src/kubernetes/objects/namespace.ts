import { managedSelector, namespaceName } from './names.ts'
import type { GatewayWorkload, KubernetesObject } from './workload.ts'

/**
 * The namespace that the gateways of a workspace share, one per tier, and its limits. They are the same whichever of its gateways is
 * applied; how many gateways there may be is decided by the allocator. One of somebody else is as it is.
 */
export function namespaceObjects(workload: GatewayWorkload): KubernetesObject[] {
  if (workload.namespace !== undefined) return []
  const namespace = namespaceName(workload)
  const labels = {
    'app.kubernetes.io/name': 'mcpg-gateways',
    'app.kubernetes.io/part-of': 'mcpg',
    ...managedSelector,
    'mcpg.dev/org': workload.org,
    'mcpg.dev/workspace': workload.workspace,
  }
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { ...labels, ...restricted(workload) } },
    },
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'mcpg', namespace, labels },
      // Nothing of a gateway opens a way in from outside by itself.
      spec: { hard: { 'services.loadbalancers': '0', 'services.nodeports': '0' } },
    },
    {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'mcpg', namespace, labels },
      spec: {
        limits: [{ type: 'Container', default: { memory: '512Mi' }, defaultRequest: { cpu: '250m', memory: '512Mi' } }],
      },
    },
  ]
}

/** `restricted` forbids volumes of the node, and so does `baseline`: a cluster that keeps state there is told of what it breaks. */
function restricted({ volume }: GatewayWorkload): Record<string, string> {
  const level = volume.type === 'hostPath' ? 'privileged' : 'restricted'
  return {
    'pod-security.kubernetes.io/enforce': level,
    'pod-security.kubernetes.io/enforce-version': 'latest',
    'pod-security.kubernetes.io/warn': 'restricted',
    'pod-security.kubernetes.io/audit': 'restricted',
  }
}
