import type { OperationEvent } from '@mcpg/proto/rest/operations'

/** By why a cluster was passed over. */
const remedies: Record<string, string> = {
  state: 'Uncordon or mend a cluster that is not ready.',
  tier: 'Choose the tier of a cluster, or allow a stricter one.',
  dedicated: 'Choose another tier: a dedicated cluster takes one organization.',
  region: 'Choose the region of a cluster, or any.',
  labels: 'Choose labels that a cluster has.',
  back_off: 'Wait: a cluster that failed is tried again by itself.',
  gateways: 'Delete a gateway that is not needed, or register another cluster.',
  cpu: 'Choose a smaller size or fewer replicas, delete a gateway, or register another cluster.',
  memory: 'Choose a smaller size or fewer replicas, delete a gateway, or register another cluster.',
  full: 'Choose a smaller size or fewer replicas, or delete the gateway and make it anew on another cluster.',
  driver: 'Choose what a cluster can run, or register one that can.',
}

/** What a person can do about a failure, one sentence each. */
export function remediesOf({ error, passedOver = [] }: OperationEvent): string[] {
  if (error?.reason === 'cancelled') return []
  if (error?.reason === 'quota_exceeded')
    return ['Choose a smaller size or fewer replicas, delete a gateway that is not needed, or ask for a higher quota: mcpg-ctl get quotas']
  if (error?.reason !== 'no_capacity')
    return ['What was done is taken back. See the log of the control plane and the state of the cluster, then try again.']
  if (passedOver.length === 0) return ['Register a cluster: mcpg-ctl cluster register --name <name> --region <region> --gateways-max <n>']
  return [...new Set(passedOver.map(({ reason }) => remedies[reason] ?? 'Register another cluster.'))]
}
