import { Button, CloseButton, NativeSelect, TextInput } from '@mantine/core'
import { IconPlayerPause, IconPlayerPlay, IconSearch } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { ApiError } from '../../lib/api.ts'
import { plural } from '../../lib/format.ts'
import type { LogRequest } from '../../lib/logs/follow-log.ts'
import { plainText, type LogLine } from '../../lib/logs/log-buffer.ts'
import { CopyButton } from '../copy-button.tsx'
import { DownloadButton } from '../download-button.tsx'
import { ProblemNote } from '../problem-note.tsx'
import { Toggle } from '../toggle.tsx'
import { LogList, type LineTest } from './log-list.tsx'
import styles from './log-panel.module.css'
import { LogState } from './log-state.tsx'
import { useLog } from './use-log.ts'

type LogPanel = {
  path: string
  /** What narrows the log beyond what the panel itself offers. */
  query?: Record<string, string>
  /** Not followed: something that has ended. */
  isFollowed?: boolean
  label: string
  fileName: string
  /** Lines of several places are mixed, so each says where it is from. */
  showsOrigin?: boolean
  children?: React.ReactNode // further choices
}

const tails = [
  { value: '100', label: 'Last 100 lines' },
  { value: '1000', label: 'Last 1,000 lines' },
  { value: 'all', label: 'Everything kept' },
]

/** A log, followed as it is written: filter, pause, levels, take away. */
export function LogPanel({ path, query = {}, isFollowed = true, label, fileName, showsOrigin = false, children }: LogPanel) {
  const [tail, setTail] = useState('100')
  const [text, setText] = useState('')
  const [isLoud, setLoud] = useState(false)
  const [isWrapped, setWrapped] = useState(true)
  const request: LogRequest = { path, query, tail, since: '', isFollowed }
  const { status, shown, isPaused, waiting, pause, resume, again } = useLog(request)
  const test = useMemo(() => testOf(text, isLoud), [text, isLoud])
  const asText = () =>
    shown.chunks
      .flatMap(({ lines }) => lines.filter(test))
      .map((line) => `${plainText(line)}\n`)
      .join('')
  return (
    <div className={styles.panel}>
      <div className={styles.bar}>
        <TextInput
          data-filter
          className={styles.filter!}
          aria-label="Filter the lines"
          placeholder="Filter the lines"
          leftSection={<IconSearch size={15} />}
          rightSection={text ? <CloseButton size="sm" aria-label="Clear the filter" onClick={() => setText('')} /> : null}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
        />
        <NativeSelect aria-label="How much" data={tails} value={tail} onChange={(event) => setTail(event.currentTarget.value)} />
        {children}
        <span className={styles.spring} />
        <Toggle isOn={isLoud} onClick={() => setLoud(!isLoud)}>
          Warnings and errors
        </Toggle>
        <Toggle isOn={isWrapped} onClick={() => setWrapped(!isWrapped)}>
          Wrap
        </Toggle>
        <span className={styles.take}>
          <CopyButton text={asText} label="Copy the lines" />
          <DownloadButton parts={() => [asText()]} name={fileName} label="Download the lines" />
        </span>
      </div>
      {status.state === 'refused' && <ProblemNote error={status.error} onRetry={again} isQuiet={isNoLogYet(status.error)} />}
      {status.state === 'reconnecting' && <ProblemNote error={status.error ?? null} />}
      <LogList
        chunks={shown.chunks}
        test={test}
        isWrapped={isWrapped}
        showsOrigin={showsOrigin}
        label={label}
        isFiltered={text !== '' || isLoud}
      />
      <div className={styles.foot}>
        <LogState status={status} />
        {shown.evicted > 0 && <span className={styles.quiet}>{plural(shown.evicted, 'older line')} no longer shown</span>}
        <span className={styles.spring} />
        {isFollowed &&
          (isPaused ? (
            <Button variant="default" size="xs" leftSection={<IconPlayerPlay size={14} />} onClick={resume}>
              {waiting > 0 ? `${plural(waiting, 'new line')} – show` : 'Go on'}
            </Button>
          ) : (
            <Button variant="default" size="xs" leftSection={<IconPlayerPause size={14} />} onClick={pause}>
              Pause
            </Button>
          ))}
      </div>
    </div>
  )
}

const isNoLogYet = (error: Error) => error instanceof ApiError && error.reason === 'server_runs_nowhere'

/** What the log says of itself is always shown: a filter must not hide that lines are missing. */
function testOf(text: string, isLoud: boolean): LineTest {
  const wanted = text.trim().toLowerCase()
  return (line: LogLine) =>
    line.kind === 'mark' ||
    ((!isLoud || line.level === 'error' || line.level === 'warn') &&
      (wanted === '' || line.text.toLowerCase().includes(wanted) || line.from.toLowerCase().includes(wanted) || line.source === wanted))
}
