import { McpgError } from '@mcpg/proto/errors'
import type { Clusters } from '../clusters/service.ts'
import type { ProvisioningStore } from './store.ts'

/** Which replica of a managed gateway shows a token, as the cluster says on which it runs. */
export type Attest = (enrollment: { expectedInstanceUid: string | null }, token: string) => Promise<string>

/**
 * Answers the instance uid that the pod of a token has. Throws `forbidden` for a token that is not one of a pod of the gateway that the
 * enrollment is for, `failed_precondition` where nothing is kept of that gateway, `unavailable` where the cluster could not be asked.
 */
export function attestation({
  store,
  workloadsOf,
}: {
  store: Pick<ProvisioningStore, 'runningGroup'>
  workloadsOf: Clusters['workloadsOf']
}): Attest {
  return async ({ expectedInstanceUid }, token) => {
    const group = expectedInstanceUid === null ? null : await store.runningGroup(expectedInstanceUid)
    if (!group)
      throw new McpgError('failed_precondition', 'attestation_not_expected', 'The gateway that this enrollment was made for is gone.', {
        hint: 'mcpg-ctl provision history',
      })
    const workloads = await workloadsOf(group.clusterId)
    if (!workloads.attest) throw new McpgError('forbidden', 'attestation_refused', 'The cluster of this gateway attests no pods.')
    const { instanceUid, ordinal } = await workloads.attest(token, group).catch((error: unknown) => {
      if (!(error instanceof McpgError) || error.reason === 'attestation_refused') throw error
      throw new McpgError('unavailable', 'attestation_unavailable', `The cluster could not be asked about the pod: ${error.message}`, {
        retryAfterSeconds: 5,
        cause: error,
      })
    })
    if (ordinal < group.replicas) return instanceUid
    throw new McpgError(
      'forbidden',
      'attestation_refused',
      `The gateway has ${group.replicas} replicas, and ${instanceUid} is none of them.`,
    )
  }
}
