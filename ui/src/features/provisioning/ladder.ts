import { isLastPhase, type OperationKind, type OperationPhase } from '@mcpg/proto/managed-gateways'
import type { OperationEvent, StepStatus } from '@mcpg/proto/rest/operations'
import type { RungState } from '../../components/ladder.tsx'
import { timeOf } from '../../lib/format.ts'

/** One step as it stands; taking it back is a step of its own. `tookMs` once it has ended. */
export type StepView = {
  key: string
  step: string
  status: StepStatus
  message: string
  attempts: number
  at: string
  tookMs: number | undefined
}

export type PhaseView = { phase: OperationPhase; state: RungState; at: string | undefined; tookMs: number | undefined; steps: StepView[] }

/** `last` is the event that ended it. */
export type LadderOf = { phases: PhaseView[]; last: OperationEvent | undefined }

const ways: Record<OperationKind, OperationPhase[]> = {
  create: ['allocating', 'applying', 'ready'],
  move: ['allocating', 'applying', 'ready'],
  update: ['allocating', 'applying', 'ready'],
  delete: ['applying', 'ready'],
}

/** The published ladder of an operation with what happened in each of its phases, from all that was told so far. */
export function ladderOf(kind: OperationKind, events: readonly OperationEvent[]): LadderOf {
  const last = events.findLast(isLast)
  const told = events.filter((event) => !isLast(event))
  const current = events.at(-1)?.phase
  // What is taken back does not become ready any more.
  const way = isTakenBack(events)
    ? [...ways[kind].filter((phase) => phase !== 'ready' && hasPhase(told, phase)), 'failed' as const]
    : ways[kind]
  const begins = way.map((phase) => events.find((event) => event.phase === phase)?.at)
  const phases = way.map((phase, index): PhaseView => {
    const steps = stepsOf(told.filter((event) => event.phase === phase))
    const at = begins[index]
    const isOver = begins.slice(index + 1).some((begin) => begin !== undefined)
    const next = begins.slice(index + 1).find((begin) => begin !== undefined)
    return { phase, state: stateOf(phase, { at, isOver, isCurrent: phase === current, steps }), at, tookMs: tookOf(at, next), steps }
  })
  return { phases, last }
}

/** Where it is now, and whether back from there; the row of an operation is read less often than its events. */
export function progressOf(
  events: readonly OperationEvent[],
): (Pick<OperationEvent, 'phase' | 'step'> & { compensating: boolean }) | undefined {
  const now = events.at(-1)
  return now && { phase: now.phase, step: now.step, compensating: isTakenBack(events) }
}

const backward = new Set<StepStatus>(['undoing', 'undone', 'failed'])
const isTakenBack = (events: readonly OperationEvent[]): boolean => events.some(({ status }) => backward.has(status))

/** After it nothing more is told. */
export const isLast = ({ phase }: OperationEvent): boolean => isLastPhase(phase)

const hasPhase = (events: readonly OperationEvent[], phase: OperationPhase) => events.some((event) => event.phase === phase)

function stateOf(
  phase: OperationPhase,
  { at, isOver, isCurrent, steps }: { at: string | undefined; isOver: boolean; isCurrent: boolean; steps: StepView[] },
): RungState {
  if (at === undefined) return 'ahead'
  if (phase === 'failed' || steps.some(({ status }) => status === 'failed')) return 'failed'
  if (phase === 'ready' || isOver || !isCurrent) return 'done'
  return 'waiting'
}

function stepsOf(events: readonly OperationEvent[]): StepView[] {
  const steps: StepView[] = []
  for (const { step, status, message, at } of events) {
    const isBack = status === 'undoing' || status === 'undone'
    // What fails fails where it is, forward or backward.
    const known = steps.findLast((one) => one.step === step && (status === 'failed' || isBackward(one) === isBack))
    if (!known) {
      const key = `${step}${isBack ? ' back' : ''}`
      steps.push({ key, step, status, message, at, attempts: 1, tookMs: undefined })
      continue
    }
    if (status === 'retrying' || (isBack && status === 'undoing')) known.attempts++
    known.status = status
    known.message = message || known.message
    if (isEnd(status)) known.tookMs = tookOf(known.at, at)
  }
  return steps
}

const isBackward = ({ key }: StepView) => key.endsWith(' back')
const isEnd = (status: StepStatus) => status === 'done' || status === 'undone' || status === 'failed'

function tookOf(from: string | undefined, to: string | undefined): number | undefined {
  const [begin, end] = [timeOf(from), timeOf(to)]
  return begin === undefined || end === undefined ? undefined : Math.max(0, end - begin)
}
