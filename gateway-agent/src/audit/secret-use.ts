import type { Clock } from '@mcpg/core/clock'
import { secretsOf } from '@mcpg/proto/gateway-config'
import { AuditKind, AuditOutcome } from '@mcpg/proto/gen/delivery'
import { StartFailure } from '../servers/runtimes/runtime.ts'
import type { OpenSecrets } from '../servers/runtimes/with-secrets.ts'
import type { AuditQueue } from './queue.ts'
import { plainEvent } from './witnessed.ts'

/** Opens secrets and tells the queue for which server: names, keys and versions, whether they opened, never a value. */
export function witnessedSecrets(open: OpenSecrets, { queue, clock }: { queue: Pick<AuditQueue, 'record'>; clock: Clock }): OpenSecrets {
  return async (config, signal) => {
    const tell = (outcome: AuditOutcome, reason: string) =>
      queue.record({
        ...plainEvent(AuditKind.SECRET_USE, clock.now()),
        server: config.name,
        more: { secrets: secretsOf(config) },
        outcome,
        reason,
      })
    try {
      const values = await open(config, signal)
      tell(AuditOutcome.OK, '')
      return values
    } catch (error) {
      // Of a server that was stopped meanwhile nothing was used.
      if (!signal.aborted) tell(AuditOutcome.UNAVAILABLE, error instanceof StartFailure ? error.reason : 'Internal')
      throw error
    }
  }
}
