import { mostReplicas } from '../../clusters/group.ts'
import { gatewayMeta } from './metadata.ts'
import { gatewaySelector, workloadName } from './names.ts'
import type { Discovery, GatewayWorkload, KubernetesObject } from './workload.ts'

/** With one replica a budget would only keep nodes from being drained. */
export function disruptionBudget(workload: GatewayWorkload, discovery: Discovery): KubernetesObject[] {
  if (mostReplicas(workload) < 2) return []
  return [
    {
      apiVersion: discovery.podDisruptionBudget,
      kind: 'PodDisruptionBudget',
      metadata: gatewayMeta(workload),
      spec: {
        maxUnavailable: 1,
        selector: { matchLabels: gatewaySelector(workload.instanceUid) },
        // A pod that never became ready must not hold a node.
        ...(discovery.minor >= 27 ? { unhealthyPodEvictionPolicy: 'AlwaysAllow' } : {}),
      },
    },
  ]
}

export const isAutoscaled = (workload: GatewayWorkload) => mostReplicas(workload) > workload.replicas

export function autoscaler(workload: GatewayWorkload, discovery: Discovery): KubernetesObject[] {
  if (!isAutoscaled(workload)) return []
  return [
    {
      apiVersion: discovery.horizontalPodAutoscaler,
      kind: 'HorizontalPodAutoscaler',
      metadata: gatewayMeta(workload),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: workloadName(workload.instanceUid) },
        minReplicas: workload.replicas,
        maxReplicas: workload.maxReplicas,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
        behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
      },
    },
  ]
}
