import type { Operation, OperationEvent, StepStatus } from '@mcpg/proto/rest/operations'
import { Ladder, Rung, RungDetail } from '../../components/ladder.tsx'
import { Mark, type Shape, type Tone } from '../../components/mark.tsx'
import { capital, spellDuration } from '../../lib/format.ts'
import { ladderOf, type PhaseView, type StepView } from './ladder.ts'
import styles from './operation-ladder.module.css'

const marks: Record<StepStatus, [Shape, Tone]> = {
  doing: ['arc', 'blue'],
  done: ['check', 'green'],
  retrying: ['arc', 'amber'],
  undoing: ['arc', 'amber'],
  undone: ['minus', 'gray'],
  failed: ['diamond', 'red'],
}
const words: Record<StepStatus, string> = {
  doing: 'under way',
  done: 'done',
  retrying: 'tried again',
  undoing: 'being taken back',
  undone: 'taken back',
  failed: 'failed',
}

/** The published phases of an operation, each with its steps as they happen. */
export function OperationLadder({ operation, events }: { operation: Pick<Operation, 'kind'>; events: readonly OperationEvent[] }) {
  const { phases, last } = ladderOf(operation.kind, events)
  const isCancelled = last?.error?.reason === 'cancelled'
  return (
    <Ladder hasFailed={last?.phase === 'failed'}>
      {phases.map((phase) => (
        <Rung
          key={phase.phase}
          name={phase.phase}
          state={phase.state}
          title={isCancelled && phase.phase === 'failed' ? 'Cancelled' : capital(phase.phase)}
          at={phase.at}
        >
          {phase.tookMs !== undefined && phase.tookMs >= 1 && <RungDetail>{spellDuration(phase.tookMs)}</RungDetail>}
          {(phase.phase === 'ready' || phase.phase === 'failed') && last && <RungDetail>{last.message}</RungDetail>}
          <Steps phase={phase} />
        </Rung>
      ))}
    </Ladder>
  )
}

function Steps({ phase: { phase, steps } }: { phase: PhaseView }) {
  if (steps.length === 0) return null
  return (
    <ul className={styles.steps} aria-label={`Steps of ${phase}`}>
      {steps.map((step) => (
        <StepLine key={step.key} step={step} />
      ))}
    </ul>
  )
}

function StepLine({ step: { step, key, status, message, attempts, tookMs } }: { step: StepView }) {
  const [shape, tone] = marks[status]
  const isEven = status === 'done' || status === 'doing'
  return (
    <li className={styles.step} data-step={key} data-status={status}>
      <span className={styles.mark}>
        <Mark shape={shape} tone={tone} size={11} />
      </span>
      <span className={styles.what}>
        <b>{capital(step)}</b>
        {/* The usual is told by its mark; screen readers hear it. */}
        <span className={isEven ? styles.hidden : styles.word}> {words[status]}</span>
        {message && <span className={styles.message}> {message}</span>}
        {attempts > 1 && status !== 'retrying' && <span className={styles.message}> ({attempts} attempts)</span>}
      </span>
      <span className={styles.took}>{tookMs !== undefined && tookMs >= 1 ? spellDuration(tookMs) : ''}</span>
    </li>
  )
}
