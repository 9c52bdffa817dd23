import type { Clock } from '@mcpg/core/clock'
import type { OperationKind } from '@mcpg/proto/rest/operations'
import type { StartedOperation } from '@mcpg/proto/rest/provisioning'
import type { Caller } from '../access/caller.ts'
import type { Beginning } from '../allocator/allocator.ts'
import type { Audit } from '../audit/audit.ts'
import type { AnswerToKeep } from '../http/idempotency.ts'
import { operationId } from '../operations/operation-id.ts'
import type { OperationInput } from './input.ts'
import type { EnvironmentScope } from './store.ts'

export type BeginningOf = ReturnType<typeof beginnings>

/** How an operation on a managed gateway begins, before anything is reserved for it. */
export function beginnings({
  audit,
  clock,
  lease,
}: {
  audit: Audit
  clock: Clock
  lease: () => { leaseOwner: string; leaseUntil: string }
}) {
  return (
    caller: Caller,
    kind: OperationKind,
    about: EnvironmentScope & { name: string; instanceUid: string; clusterId: string | null },
    input: OperationInput,
    gateway: Beginning['gateway'],
    events: Beginning['events'],
    toKeep: AnswerToKeep = null,
  ): Beginning => {
    const { org, workspace, environment, name, instanceUid, clusterId } = about
    const id = operationId(clock.now())
    const at = new Date(clock.now()).toISOString()
    return {
      at,
      operation: {
        id,
        org,
        workspace,
        environment,
        kind,
        gateway: name,
        gatewayUid: instanceUid,
        clusterId,
        activeKey: `${org}/${workspace}/${environment}/${name}`,
        state: 'running',
        phase: kind === 'delete' ? 'applying' : 'allocating',
        step: kind === 'delete' ? 'drained' : 'workload',
        ...lease(),
        input: JSON.stringify(input),
        errorReason: null,
        errorMessage: null,
        startedBy: caller.subject,
        finishedAt: null,
      },
      events,
      gateway,
      parameters: JSON.stringify(input.parameters),
      // One that moves or goes takes no name: who moves has it already.
      hostname: kind === 'create' || kind === 'update' ? (input.parameters.customHostname ?? null) : null,
      audit: audit.row(caller, `gateway.provision_${kind}`, {
        org,
        workspace,
        kind: 'Gateway',
        name,
        uid: instanceUid,
        detail: { operation: id, environment, ...(input.from && { from: input.from.instanceUid }) },
      }),
      answer: toKeep?.({ operationId: id, instanceUid } satisfies StartedOperation) ?? null,
    }
  }
}

/** One of the first events. */
export const event = (step: string, status: string, message: string, phase = 'allocating') => ({ phase, step, status, message, data: null })
