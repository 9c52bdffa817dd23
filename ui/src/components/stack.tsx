import type { ReactNode } from 'react'
import styles from './stack.module.css'

/** The parts of a page, one under the other. */
export const PageStack = ({ children }: { children: ReactNode }) => <div className={styles.stack}>{children}</div>
