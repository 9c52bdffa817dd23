import type { Clock } from '@mcpg/core/clock'
import { AuditKind, AuditOutcome } from '@mcpg/proto/gen/delivery'
import type { configMachine, ConfigReport } from '../config/machine.ts'
import type { AuditQueue } from './queue.ts'
import { plainEvent } from './witnessed.ts'

const outcomes: Partial<Record<ConfigReport['state'], AuditOutcome>> = {
  applied: AuditOutcome.OK,
  rejected: AuditOutcome.DENIED,
  rolled_back: AuditOutcome.FAILED,
}

/** Tells the queue what became of every config; a verdict that is only said again, as on another stream, is no news. */
export function witnessConfigs(
  config: Pick<ReturnType<typeof configMachine>, 'onReport'>,
  { queue, clock }: { queue: Pick<AuditQueue, 'record'>; clock: Clock },
): void {
  config.onReport((report, before) => {
    const outcome = outcomes[report.state]
    if (outcome === undefined || isSame(report, before)) return
    const { generation, hash, reason = '' } = report
    queue.record({
      ...plainEvent(AuditKind.CONFIG, clock.now()),
      target: `generation ${generation}`,
      outcome,
      reason: camelCase(reason),
      more: { config: { generation, hash } },
    })
  })
}

function isSame({ generation, hash, state }: ConfigReport, before: ConfigReport | null): boolean {
  return before !== null && before.generation === generation && before.hash === hash && before.state === state
}

/** `LOCAL_POLICY` is `LocalPolicy` among the reasons of events. */
const camelCase = (reason: string): string =>
  reason.toLowerCase().replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
