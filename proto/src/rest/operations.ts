import { z } from 'zod'
import {
  isLastPhase,
  operationKinds,
  operationPhases,
  operationStates,
  type OperationKind,
  type OperationPhase,
  type OperationState,
} from '../managed-gateways.ts'
import { listOf } from './list.ts'
import { GatewayParameters } from './provisioning.ts'
import { ExceededQuota } from './quotas.ts'

export { isLastPhase, operationKinds, operationPhases, operationStates }
export type { OperationKind, OperationPhase, OperationState }

const OperationError = z.object({ reason: z.string(), message: z.string() })

/** Work on one managed gateway that goes on whether somebody watches or not. */
export const Operation = z.object({
  id: z.string(),
  kind: z.enum(operationKinds),
  org: z.string(),
  workspace: z.string(),
  environment: z.string(),
  gateway: z.object({ name: z.string(), instanceUid: z.string() }),
  cluster: z.string().optional(),
  /** What it was asked for; of a deletion what the gateway was deployed with. */
  parameters: GatewayParameters,
  state: z.enum(operationStates),
  phase: z.enum(operationPhases),
  step: z.string(),
  attempt: z.number().int(),
  /** What was done is being taken back. */
  compensating: z.boolean(),
  error: OperationError.optional(),
  startedBy: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
  finishedAt: z.string().optional(),
})
export type Operation = z.infer<typeof Operation>
export const OperationList = listOf(Operation)
export type OperationList = z.infer<typeof OperationList>

/** Newest first. */
export const OperationQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(64).optional(),
  gateway: z.string().max(63).optional(),
  kind: z.enum(operationKinds).optional(),
  state: z.enum(operationStates).optional(),
})
export type OperationQuery = z.infer<typeof OperationQuery>

/** `doing` a step, `done` with it, trying it again, or taking it back. */
export const stepStatuses = ['doing', 'done', 'retrying', 'undoing', 'undone', 'failed'] as const
export type StepStatus = (typeof stepStatuses)[number]

/** Why one cluster was passed over. */
export const PassedOver = z.object({ cluster: z.string(), reason: z.string(), detail: z.string() })
export type PassedOver = z.infer<typeof PassedOver>

/** One event of the stream: `event:` is the phase and `id:` the number. */
export const OperationEvent = z.object({
  operationId: z.string(),
  seq: z.number().int(),
  phase: z.enum(operationPhases),
  step: z.string(),
  status: z.enum(stepStatuses),
  message: z.string(),
  at: z.string(),
  gateway: z.object({ name: z.string(), instanceUid: z.string(), endpoints: z.array(z.string()) }).optional(),
  error: OperationError.optional(),
  passedOver: z.array(PassedOver).optional(),
  exceeded: z.array(ExceededQuota).optional(),
})
export type OperationEvent = z.infer<typeof OperationEvent>
