import { useCallback, useEffect, useState } from 'react'
import { flusher } from '../../lib/live/flusher.ts'
import { wait } from '../../lib/live/wait.ts'
import { followLog, type LogRequest, type LogStatus } from '../../lib/logs/follow-log.ts'
import { logBuffer, type LogSnapshot } from '../../lib/logs/log-buffer.ts'
import { readLog } from '../../lib/logs/read-log.ts'

const nothing: LogSnapshot = { chunks: [], received: 0, evicted: 0 }

/**
 * The lines of a log while its panel is open, drawn at most four times a second. `pause` keeps the picture and goes on reading, so that
 * nothing is lost but what is older than the buffer holds.
 */
export function useLog(request: LogRequest) {
  const [status, setStatus] = useState<LogStatus>({ state: 'connecting' })
  const [latest, setLatest] = useState(nothing)
  const [frozen, setFrozen] = useState<LogSnapshot>()
  const [run, setRun] = useState(0)
  const key = JSON.stringify(request)

  useEffect(() => {
    const buffer = logBuffer()
    const stop = new AbortController()
    const draw = flusher(() => setLatest(buffer.snapshot()))
    setLatest(nothing)
    setFrozen(undefined)
    void followLog(
      JSON.parse(key) as LogRequest,
      {
        read: readLog,
        onLines: (lines) => {
          buffer.push(lines)
          draw.request()
        },
        onStatus: setStatus,
        wait,
        now: Date.now,
        random: Math.random,
      },
      stop.signal,
    )
    return () => {
      stop.abort()
      draw.cancel()
    }
  }, [key, run])

  const pause = useCallback(() => setFrozen(latest), [latest])
  const resume = useCallback(() => setFrozen(undefined), [])
  const again = useCallback(() => setRun((before) => before + 1), [])
  const shown = frozen ?? latest
  return { status, shown, isPaused: frozen !== undefined, waiting: latest.received - shown.received, pause, resume, again }
}
