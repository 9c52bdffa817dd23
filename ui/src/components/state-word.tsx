import { capital } from '../lib/format.ts'
import { Mark, type Shape, type Tone } from './mark.tsx'
import styles from './state-word.module.css'

/** One look per word, on every axis; a word of a newer control plane is shown as it is, with a question mark. */
const looks: Record<string, [Shape, Tone]> = {
  online: ['circle', 'green'],
  late: ['ring', 'amber'],
  offline: ['ring', 'red'],
  stopped: ['square', 'gray'],
  unknown: ['question', 'gray'],
  never_seen: ['dotted', 'gray'],
  revoked: ['slash', 'red'],
  applied: ['check', 'green'],
  staged: ['arc', 'blue'],
  applying: ['arc', 'blue'],
  probation: ['arc', 'blue'],
  rejected: ['diamond', 'red'],
  rolled_back: ['diamond', 'red'],
  superseded: ['minus', 'gray'],
  none: ['minus', 'gray'],
  healthy: ['circle', 'green'],
  degraded: ['triangle', 'amber'],
  down: ['diamond', 'red'],
  pending: ['dotted', 'gray'],
  installing: ['arc', 'blue'],
  starting: ['arc', 'blue'],
  ready: ['circle', 'green'],
  unhealthy: ['triangle', 'amber'],
  crash_loop: ['diamond', 'red'],
  stopping: ['arc', 'gray'],
  failed: ['diamond', 'red'],
  running: ['circle', 'green'],
  held_back: ['triangle', 'amber'],
  pinned: ['pin', 'amber'],
  waiting: ['dotted', 'blue'],
  offered: ['dotted', 'blue'],
  unplaced: ['dotted', 'amber'],
  expiring: ['ring', 'amber'],
  open: ['circle', 'green'],
  used: ['check', 'gray'],
  expired: ['ring', 'gray'],
  succeeded: ['check', 'green'],
  cancelled: ['slash', 'gray'],
  registering: ['dotted', 'blue'],
  cordoned: ['minus', 'amber'],
  draining: ['arc', 'amber'],
  moving: ['arc', 'blue'],
  moved: ['check', 'green'],
  verified: ['check', 'green'],
  unreachable: ['diamond', 'red'],
  decommissioned: ['square', 'gray'],
}

/** A state: shape, colour and word; its reason under it. */
export function StateWord({ word, reason, tone, title }: { word: string; reason?: string | undefined; tone?: Tone; title?: string }) {
  const [shape, usual] = looks[word] ?? ['question', 'gray']
  return (
    <span className={styles.state} title={title}>
      <Mark shape={shape} tone={tone ?? usual} />
      <span className={styles.word}>{capital(word)}</span>
      {reason ? <span className={styles.reason}>{reason}</span> : null}
    </span>
  )
}
