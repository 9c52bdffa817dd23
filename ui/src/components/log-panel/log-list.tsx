import { Button } from '@mantine/core'
import { memo, useEffect, useMemo, useRef, useState } from 'react'
import { secondTime } from '../../lib/format.ts'
import type { LogChunk, LogLine } from '../../lib/logs/log-buffer.ts'
import styles from './log-panel.module.css'

export type LineTest = (line: LogLine) => boolean

type LogList = {
  chunks: readonly LogChunk[]
  test: LineTest
  isWrapped: boolean
  showsOrigin: boolean
  isFiltered: boolean
  label: string
}

/** Nearer to the end than this, in pixels, one looks at the end. */
const nearEnd = 40

/**
 * The lines. Chunks off the screen are not laid out (`content-visibility`), and a full one is never drawn again. It stays at the end as
 * long as one looks there; whoever scrolls up stays where they are.
 */
export function LogList({ chunks, test, isWrapped, showsOrigin, isFiltered, label }: LogList) {
  const frame = useRef<HTMLDivElement>(null)
  const [isAtEnd, setAtEnd] = useState(true)
  useEffect(() => {
    if (isAtEnd && frame.current) frame.current.scrollTop = frame.current.scrollHeight
  }, [chunks, test, isAtEnd, isWrapped])
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = frame.current!
    setAtEnd(scrollHeight - scrollTop - clientHeight < nearEnd)
  }
  return (
    <div className={styles.window}>
      <div
        className={styles.lines}
        ref={frame}
        role="log"
        aria-live="off"
        aria-label={label}
        tabIndex={0}
        data-wrapped={isWrapped || undefined}
        onScroll={onScroll}
      >
        {chunks.map((chunk) => (
          <Chunk key={chunk.id} chunk={chunk} test={test} showsOrigin={showsOrigin} />
        ))}
        <p className={styles.nothing}>{isFiltered ? 'No line matches.' : 'No line yet.'}</p>
      </div>
      {!isAtEnd && (
        <Button className={styles.end!} size="xs" onClick={() => setAtEnd(true)}>
          To the newest line
        </Button>
      )}
    </div>
  )
}

const Chunk = memo(function Chunk({ chunk, test, showsOrigin }: { chunk: LogChunk; test: LineTest; showsOrigin: boolean }) {
  const lines = useMemo(() => chunk.lines.filter(test), [chunk, test])
  if (lines.length === 0) return null
  return (
    <div className={styles.chunk}>
      {lines.map((line) => (
        <Line key={line.id} line={line} showsOrigin={showsOrigin} />
      ))}
    </div>
  )
})

const Line = memo(function Line({ line, showsOrigin }: { line: LogLine; showsOrigin: boolean }) {
  if (line.kind === 'mark')
    return (
      <p className={styles.mark} data-level={line.level}>
        {[line.from, line.text].filter(Boolean).join(': ')}
      </p>
    )
  return (
    <p className={styles.line} data-level={line.level}>
      <time title={line.time}>{secondTime(line.time)}</time>
      {showsOrigin && line.from && <span className={styles.from}>{line.from}</span>}
      <span className={styles.source} data-source={line.source}>
        {line.source}
      </span>
      <span className={styles.text}>{line.text}</span>
    </p>
  )
})
