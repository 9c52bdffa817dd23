import type { WatchEvent } from '@mcpg/proto/rest/watch'
import { describe, expect, it } from 'vitest'
import { keepConnected, pollMs, retryDelayMs, type LiveStatus } from './connection.ts'

type Attempt = { open?: boolean; events?: [WatchEvent['type'], string | undefined][]; end?: 'expired' | 'ended' | 'broken' }

/** Plays the attempts in order and then ends; answers what the connection did. */
async function play(attempts: Attempt[], polls: boolean[] = []) {
  const stop = new AbortController()
  const log = { cursors: [] as (string | undefined)[], snapshots: 0, statuses: [] as LiveStatus[], waits: [] as number[], polls: 0 }
  await keepConnected(
    {
      read: async ({ cursor, onOpen, onEvent }) => {
        const attempt = attempts.shift()
        if (!attempt) {
          stop.abort()
          throw new Error('over')
        }
        log.cursors.push(cursor)
        if (attempt.open) onOpen()
        for (const [type, id] of attempt.events ?? []) onEvent({ type }, id)
        if (attempt.end === 'broken' || !attempt.end) throw new Error('broken')
        return attempt.end
      },
      poll: async () => {
        log.polls++
        if (!(polls.shift() ?? false)) throw new Error('unreachable')
      },
      onSnapshot: () => void log.snapshots++,
      onEvent: () => {},
      onStatus: (status) => void log.statuses.push(status),
      wait: async (ms) => void log.waits.push(ms),
      now: () => 1000,
      random: () => 0.5,
    },
    stop.signal,
  )
  return log
}

const states = (statuses: LiveStatus[]) => statuses.map((one) => one.state)

describe('connection of the page', () => {
  it('resumes a broken stream by its last cursor', async () => {
    const log = await play([
      {
        open: true,
        events: [
          ['BOOKMARK', 'c1'],
          ['STATUS', 'c2'],
          ['BOOKMARK', undefined],
        ],
      },
      { open: true, end: 'ended' },
    ])
    expect(log.cursors).toEqual([undefined, 'c2'])
    expect(log.snapshots).toBe(1)
    expect(states(log.statuses)).toEqual(['connecting', 'live', 'reconnecting', 'live', 'reconnecting'])
  })

  it('does not resume a snapshot that was cut before its bookmark', async () => {
    const log = await play([{ open: true, events: [['ADDED', 'c1']] }, { open: true }])
    expect(log.cursors).toEqual([undefined, undefined])
  })

  it('begins anew at once when its cursor expired', async () => {
    const log = await play([{ open: true, events: [['BOOKMARK', 'c1']] }, { end: 'expired' }, { open: true }])
    expect(log.cursors).toEqual([undefined, 'c1', undefined])
    expect(log.waits).toHaveLength(2)
  })

  it('waits also when a stream without a cursor is called expired, so that it cannot spin', async () => {
    const log = await play([{ end: 'expired' }, { end: 'expired' }])
    expect(log.waits).toHaveLength(2)
  })

  it('says when it tries again', async () => {
    const log = await play([{ open: true }])
    expect(log.statuses.at(-1)).toEqual({ state: 'reconnecting', retryAt: 1000 + retryDelayMs(0, () => 0.5) })
  })

  it('polls when streams are blocked and says so, and is live again when one opens', async () => {
    const log = await play([{}, {}, {}, { open: true }], [true, true])
    expect(states(log.statuses)).toEqual(['connecting', 'reconnecting', 'polling', 'polling', 'live', 'reconnecting'])
    expect(log.waits.slice(1, 3)).toEqual([pollMs, pollMs])
  })

  it('is offline when nothing answers', async () => {
    const log = await play([{}, {}, {}], [false, false])
    expect(states(log.statuses)).toEqual(['connecting', 'reconnecting', 'offline', 'offline'])
  })

  it('spreads its retries and never waits longer than a poll', () => {
    expect(retryDelayMs(0, () => 0)).toBe(250)
    expect(retryDelayMs(3, () => 1)).toBe(8250)
    expect(retryDelayMs(60, () => 1)).toBe(pollMs + 250)
  })
})
