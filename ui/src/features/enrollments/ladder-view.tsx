import { Mark, type Shape, type Tone } from '../../components/mark.tsx'
import { Since } from '../../components/since.tsx'
import styles from './ladder-view.module.css'
import type { Ladder, Rung } from './ladder.ts'

const marks: Record<Rung['state'], [Shape, Tone]> = {
  done: ['check', 'green'],
  waiting: ['arc', 'blue'],
  ahead: ['dotted', 'gray'],
  failed: ['diamond', 'red'],
}

/** The way of an agent from the command to online; a step that is reached is read aloud. */
export function LadderView({ ladder }: { ladder: Ladder }) {
  return (
    <ol className={styles.ladder} aria-live={ladder.hasFailed ? 'assertive' : 'polite'} aria-label="Progress">
      {ladder.rungs.map((rung) => {
        const [shape, tone] = marks[rung.state]
        return (
          <li key={rung.key} className={styles.rung} data-state={rung.state} data-rung={rung.key}>
            <span className={styles.mark}>
              <Mark shape={shape} tone={tone} size={14} />
            </span>
            <div>
              <span className={styles.title}>{rung.title}</span>
              {rung.detail && <span className={styles.detail}>{rung.detail}</span>}
              {rung.remedy && (
                <span className={styles.detail}>
                  What to do: <b>{rung.remedy}</b>
                </span>
              )}
            </div>
            <span className={styles.at}>{rung.at !== undefined && rung.state !== 'ahead' ? <Since at={rung.at} /> : null}</span>
          </li>
        )
      })}
    </ol>
  )
}
