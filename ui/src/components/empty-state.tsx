import type { ReactNode } from 'react'
import styles from './empty-state.module.css'

/** Says why there is nothing and what to do about it. */
export function EmptyState({ title, action, tone, children }: { title: string; action?: ReactNode; tone?: 'red'; children?: ReactNode }) {
  return (
    <div className={styles.empty} data-tone={tone} role={tone === 'red' ? 'alert' : undefined}>
      <p className={styles.title}>{title}</p>
      {children ? <div className={styles.text}>{children}</div> : null}
      {action ? <div className={styles.action}>{action}</div> : null}
    </div>
  )
}
