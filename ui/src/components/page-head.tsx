import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { useHref } from '../lib/scope.ts'
import { useTitle } from '../lib/title.ts'
import styles from './page-head.module.css'

type PageHead = { title: string; parent?: { label: string; path: string }; badges?: ReactNode; actions?: ReactNode; children?: ReactNode }

export function PageHead({ title, parent, badges, actions, children }: PageHead) {
  const href = useHref()
  useTitle(title)
  return (
    <header className={styles.head}>
      <div className={styles.words}>
        {parent && (
          <Link className={styles.parent!} to={href(parent.path)}>
            {parent.label}
          </Link>
        )}
        <div className={styles.line}>
          <h1>{title}</h1>
          {badges}
        </div>
        {children ? <div className={styles.text}>{children}</div> : null}
      </div>
      {actions ? <div className={styles.actions}>{actions}</div> : null}
    </header>
  )
}
