import { Tooltip } from '@mantine/core'
import { Mark, type Shape, type Tone } from '../components/mark.tsx'
import { clockTime, exactTime, spell } from '../lib/format.ts'
import type { LiveStatus } from '../lib/live/connection.ts'
import { useLive } from '../lib/live/live-provider.tsx'
import { useNow } from '../lib/now.ts'
import styles from './connection-pill.module.css'

type Look = { shape: Shape; tone: Tone; text: string; why: string }

/** Says how fresh the page is: live, on its way back, polled, or old. */
export function ConnectionPill() {
  const { status, heardAt } = useLive()
  const now = useNow()
  const { shape, tone, text, why } = lookOf(status, heardAt, now)
  // The countdown is for eyes only: read aloud is the change of the state.
  return (
    <Tooltip label={heardAt === undefined ? why : `${why} Last news: ${exactTime(heardAt)}.`} multiline w={280}>
      <span className={styles.pill} data-tone={tone} data-testid="connection" tabIndex={0}>
        <Mark shape={shape} tone={tone} />
        <span className={styles.text} aria-hidden>
          {text}
        </span>
        <span className={styles.spoken} role="status">
          {spoken[status.state]}
        </span>
      </span>
    </Tooltip>
  )
}

const spoken: Record<LiveStatus['state'], string> = {
  connecting: 'Connecting',
  live: 'Live',
  paused: 'Paused',
  reconnecting: 'Reconnecting',
  polling: 'Live updates are blocked, polling',
  offline: 'Offline',
}

function lookOf(status: LiveStatus, heardAt: number | undefined, now: number): Look {
  const dataFrom = heardAt === undefined ? 'no data yet' : `showing data from ${clockTime(heardAt)}`
  switch (status.state) {
    case 'connecting':
      return { shape: 'arc', tone: 'gray', text: 'Connecting', why: 'Asking the control plane for what there is.' }
    case 'live':
      return { shape: 'circle', tone: 'green', text: 'Live', why: 'Changes appear as they happen.' }
    case 'paused':
      return { shape: 'ring', tone: 'gray', text: 'Paused', why: 'The tab was hidden; it catches up when you look.' }
    case 'reconnecting':
      return {
        shape: 'ring',
        tone: 'amber',
        text: `Reconnecting in ${spell(Math.max(1000, status.retryAt - now))}`,
        why: 'The stream broke.',
      }
    case 'polling':
      return {
        shape: 'ring',
        tone: 'amber',
        text: 'Polling every 10 s',
        why: 'Something between here and the control plane blocks live updates.',
      }
    case 'offline':
      return {
        shape: 'diamond',
        tone: 'red',
        text: `Offline – ${dataFrom}`,
        why: 'The control plane does not answer. Gateways keep serving. Try mcpg-ctl status.',
      }
  }
}
