import type { Resource } from '@mcpg/proto/kinds/kind'
import { labelsOf, numberOf, recordOf, recordsOf, textOf, textsOf } from './reported.ts'

/** `confirmedAt` is the first hello on the new credential. */
export type RedemptionView = { gateway: string; source: string; at: string; confirmedAt: string }

export type EnrollmentView = {
  name: string
  environment: string
  labels: Record<string, string>
  createdAt: string
  maxUses: number
  expiresAt: string
  gatewayName: string
  expectedInstanceUid: string
  cidrs: string[]
  state: string
  usedCount: number
  createdBy: string
  redemptions: RedemptionView[]
}

export function enrollmentView(resource: Resource): EnrollmentView {
  const { metadata } = resource
  const spec = recordOf(resource.spec)
  const status = recordOf(resource.status)
  return {
    name: metadata.name,
    environment: metadata.environment ?? '',
    labels: labelsOf(metadata.labels),
    createdAt: textOf(metadata.createdAt),
    maxUses: numberOf(spec['maxUses']) || 1,
    expiresAt: textOf(spec['expiresAt']),
    gatewayName: textOf(spec['gatewayName']),
    expectedInstanceUid: textOf(spec['expectedInstanceUid']),
    cidrs: textsOf(spec['cidrs']),
    state: textOf(status['state']) || 'unknown',
    usedCount: numberOf(status['usedCount']),
    createdBy: textOf(status['createdBy']),
    redemptions: recordsOf(status['redemptions']).map((one) => ({
      gateway: textOf(one['gateway']),
      source: textOf(one['source']),
      at: textOf(one['at']),
      confirmedAt: textOf(one['confirmedAt']),
    })),
  }
}

/** A token that nobody can redeem any more reads `open` until the control plane looks again. */
export const stateAt = ({ state, expiresAt }: EnrollmentView, now: number) =>
  state === 'open' && Date.parse(expiresAt) <= now ? 'expired' : state
