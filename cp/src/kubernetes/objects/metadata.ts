import { fitted, gatewaySelector, managedSelector, namespaceName, workloadName } from './names.ts'
import type { GatewayWorkload, ObjectMeta } from './workload.ts'

/** Of everything that belongs to one gateway. */
export function gatewayMeta(workload: GatewayWorkload, suffix = ''): ObjectMeta {
  return {
    name: suffix ? fitted(`${workloadName(workload.instanceUid)}-${suffix}`) : workloadName(workload.instanceUid),
    namespace: namespaceName(workload),
    labels: podLabels(workload),
  }
}

/** Nothing in here changes from one operation to the next: that would restart the pods. */
export function podLabels(workload: GatewayWorkload): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'mcpg-gateway',
    'app.kubernetes.io/instance': workload.instanceUid,
    'app.kubernetes.io/component': 'gateway',
    'app.kubernetes.io/part-of': 'mcpg',
    ...managedSelector,
    ...gatewaySelector(workload.instanceUid),
    'mcpg.dev/org': workload.org,
    'mcpg.dev/workspace': workload.workspace,
    'mcpg.dev/environment': workload.environment,
    'mcpg.dev/gateway': workload.name,
  }
}
