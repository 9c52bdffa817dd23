import { spell } from '../../lib/format.ts'
import type { LogStatus } from '../../lib/logs/follow-log.ts'
import { useNow } from '../../lib/now.ts'
import { Mark, type Shape, type Tone } from '../mark.tsx'
import styles from './log-panel.module.css'

const looks: Record<LogStatus['state'], [Shape, Tone, string]> = {
  connecting: ['arc', 'gray', 'Opening'],
  following: ['circle', 'green', 'Following'],
  reconnecting: ['ring', 'amber', 'Reconnecting'],
  ended: ['square', 'gray', 'That is all of it'],
  refused: ['slash', 'red', 'Not available'],
}

/** Whether what one sees is live. */
export function LogState({ status }: { status: LogStatus }) {
  const now = useNow()
  const [shape, tone, words] = looks[status.state]
  return (
    <span className={styles.state} role="status">
      <Mark shape={shape} tone={tone} />
      {words}
      {status.state === 'reconnecting' && <span aria-hidden> in {spell(Math.max(1000, status.retryAt - now))}</span>}
    </span>
  )
}
