import type { ReactNode } from 'react'
import styles from './ladder.module.css'
import { Mark, type Shape, type Tone } from './mark.tsx'
import { Since } from './since.tsx'

export type RungState = 'done' | 'waiting' | 'ahead' | 'failed'

const marks: Record<RungState, [Shape, Tone]> = {
  done: ['check', 'green'],
  waiting: ['arc', 'blue'],
  ahead: ['dotted', 'gray'],
  failed: ['diamond', 'red'],
}

/** Steps to an end, one under the other; what is reached is read aloud. */
export function Ladder({ hasFailed, children }: { hasFailed: boolean; children: ReactNode }) {
  return (
    <ol className={styles.ladder} aria-live={hasFailed ? 'assertive' : 'polite'} aria-label="Progress">
      {children}
    </ol>
  )
}

/** `name` is what tests and styles know it by; `at` is when it was reached. */
export function Rung({
  name,
  state,
  title,
  at,
  children,
}: {
  name: string
  state: RungState
  title: string
  at?: string | number | undefined
  children?: ReactNode
}) {
  const [shape, tone] = marks[state]
  return (
    <li className={styles.rung} data-state={state} data-rung={name}>
      <span className={styles.mark}>
        <Mark shape={shape} tone={tone} size={14} />
      </span>
      <div>
        <span className={styles.title}>{title}</span>
        {children}
      </div>
      <span className={styles.at}>{at !== undefined && state !== 'ahead' ? <Since at={at} /> : null}</span>
    </li>
  )
}

export const RungDetail = ({ children }: { children: ReactNode }) => <span className={styles.detail}>{children}</span>
