import type { ReactNode } from 'react'
import styles from './toggle.module.css'

/** A small button that is on or off. */
export function Toggle({ isOn, onClick, children }: { isOn: boolean; onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" className={styles.toggle} aria-pressed={isOn} onClick={onClick}>
      {children}
    </button>
  )
}
