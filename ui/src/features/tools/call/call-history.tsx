import { Mark, type Shape, type Tone } from '../../../components/mark.tsx'
import { clockTime, spellDuration } from '../../../lib/format.ts'
import styles from './call.module.css'
import { stateOf, type Call } from './use-calls.ts'

/** The calls of this page, newest first; choosing one shows its answer again and what it was called with. */
export function CallHistory({ calls, chosen, onChoose }: { calls: Call[]; chosen: number | undefined; onChoose: (call: Call) => void }) {
  return (
    <ol className={styles.history} aria-label="Calls of this page">
      {calls.map((call) => {
        const { shape, tone, words } = looks[stateOf(call)]
        return (
          <li key={call.id}>
            <button type="button" data-row aria-current={call.id === chosen} onClick={() => onChoose(call)}>
              <Mark shape={shape} tone={tone} />
              <span className={styles.words}>{words}</span>
              <code>{JSON.stringify(call.args).slice(0, 300)}</code>
              <span className={styles.figure}>{call.isRunning ? '' : spellDuration(call.ms)}</span>
              <span className={styles.figure}>{clockTime(call.startedAt)}</span>
            </button>
          </li>
        )
      })}
    </ol>
  )
}

const looks: Record<ReturnType<typeof stateOf>, { shape: Shape; tone: Tone; words: string }> = {
  running: { shape: 'arc', tone: 'blue', words: 'Running' },
  asks: { shape: 'question', tone: 'blue', words: 'Asks' },
  answered: { shape: 'check', tone: 'green', words: 'Answered' },
  tool_error: { shape: 'triangle', tone: 'amber', words: 'Tool failed' },
  failed: { shape: 'diamond', tone: 'red', words: 'Failed' },
  refused: { shape: 'slash', tone: 'red', words: 'Refused' },
  cancelled: { shape: 'minus', tone: 'gray', words: 'Cancelled' },
}
