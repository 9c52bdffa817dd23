import type { ReactNode } from 'react'
import styles from './card.module.css'

/** A titled part of a page. `count` stands beside the title. */
export function Card({
  title,
  count,
  action,
  isFlush = false,
  children,
}: {
  title?: string
  count?: number | undefined
  action?: ReactNode
  isFlush?: boolean
  children: ReactNode
}) {
  return (
    <section className={styles.card} aria-label={title}>
      {title && (
        <header className={styles.head}>
          <h2>
            {title}
            {count !== undefined && <span className={styles.count}>{count}</span>}
          </h2>
          {action}
        </header>
      )}
      <div className={isFlush ? undefined : styles.body}>{children}</div>
    </section>
  )
}
