import type { ReactNode } from 'react'
import styles from './facts.module.css'

/** Names and values; a value that is not there is left out by its caller or shown as a dash. */
export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value === '' || value === undefined || value === null ? '–' : value}</dd>
        </div>
      ))}
    </dl>
  )
}
