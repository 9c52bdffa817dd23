import type { ReactNode } from 'react'
import { Mark, type Shape, type Tone } from './mark.tsx'
import styles from './note.module.css'

const shapes: Record<Tone, Shape> = { red: 'diamond', amber: 'triangle', green: 'check', blue: 'circle', gray: 'circle' }

/** A block that says one thing: tone, title, text, and what to press. */
export function Note({
  tone,
  title,
  action,
  isAlert = false,
  children,
}: {
  tone: Tone
  title: string
  action?: ReactNode
  isAlert?: boolean
  children?: ReactNode
}) {
  return (
    <div className={styles.note} data-tone={tone} role={isAlert ? 'alert' : undefined}>
      <span className={styles.mark}>
        <Mark shape={shapes[tone]} tone={tone} size={13} />
      </span>
      <div className={styles.body}>
        <p className={styles.title}>{title}</p>
        {children}
      </div>
      {action}
    </div>
  )
}
