import type { LogEntry } from '@mcpg/proto/rest/logs'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../api.ts'
import { followLog, type LogRequest, type LogStatus } from './follow-log.ts'

type Attempt = { open?: boolean; entries?: LogEntry[]; error?: Error }

const log = (second: number, text: string): LogEntry => ({
  type: 'log',
  time: `2026-11-28T14:00:0${second}Z`,
  source: 'stderr',
  text,
  gateway: 'edge-1',
})

/** Plays the attempts in order, then the reader leaves. */
async function play(attempts: Attempt[], request: Partial<LogRequest> = {}) {
  const stop = new AbortController()
  const seen = { urls: [] as string[], texts: [] as string[], states: [] as LogStatus['state'][], reasons: [] as string[] }
  await followLog(
    { path: '/logs', query: {}, tail: '100', since: '', isFollowed: true, ...request },
    {
      read: async (url, _isFollowed, onEntry, onOpen) => {
        const attempt = attempts.shift()
        if (!attempt) {
          stop.abort()
          throw new Error('over')
        }
        seen.urls.push(decodeURIComponent(url))
        if (attempt.open) onOpen()
        attempt.entries?.forEach(onEntry)
        if (attempt.error) throw attempt.error
      },
      onLines: (lines) => seen.texts.push(...lines.map((one) => one.text)),
      onStatus: (status) => {
        seen.states.push(status.state)
        if (status.state === 'reconnecting' && status.error) seen.reasons.push(status.error.message)
      },
      wait: async () => {},
      now: () => 0,
      random: () => 0.5,
    },
    stop.signal,
  )
  return seen
}

const broken = new Error('broken')

describe('following a log', () => {
  it('ends with what it follows, instead of asking again', async () => {
    const { urls, texts, states } = await play([{ open: true, entries: [log(1, 'last words'), { type: 'end' }] }, { open: true }])
    expect([urls.length, texts, states.at(-1)]).toEqual([1, ['last words', 'It has ended'], 'ended'])
  })

  it('goes on from the last line after a break, repeats nothing and says that there was one', async () => {
    const { urls, texts } = await play([
      { open: true, entries: [log(1, 'a'), log(2, 'b'), log(2, 'b')], error: broken },
      { open: true, entries: [log(2, 'b'), log(2, 'new in the same second'), log(3, 'c')], error: broken },
    ])
    expect(urls).toEqual(['/logs?follow=true&tail=100', '/logs?follow=true&tail=all&since=2026-11-28T14:00:02Z'])
    expect(texts).toEqual([
      'a',
      'b',
      'b',
      'The connection broke; it goes on from here',
      'new in the same second',
      'c',
      'The connection broke; it goes on from here',
    ])
  })

  it('begins again when the control plane ends the stream, as it does when it restarts', async () => {
    const { states, texts } = await play([{ open: true, entries: [log(1, 'a')] }, { error: broken }])
    expect(states).toEqual(['connecting', 'following', 'reconnecting', 'reconnecting'])
    expect(texts).toEqual(['a', 'The connection broke; it goes on from here'])
  })

  it('gives up where asking again would not help', async () => {
    const { states, urls } = await play([{ error: new ApiError(404, {}) }, {}])
    expect([states.at(-1), urls.length]).toEqual(['refused', 1])
  })

  it('asks again when there are too many readers or nobody to read from, and says so', async () => {
    const { urls, reasons } = await play([
      { error: new ApiError(429, { detail: 'Too many' }) },
      { error: new ApiError(503, { detail: 'Not connected' }) },
    ])
    expect(urls).toHaveLength(2)
    expect(reasons).toEqual(['Too many', 'Not connected'])
  })

  it('reads once what is not followed', async () => {
    const { states, urls } = await play([{ open: true, entries: [log(1, 'a')] }, {}], {
      isFollowed: false,
      since: '5m',
      query: { previous: 'true' },
    })
    expect(states.at(-1)).toBe('ended')
    expect(urls).toEqual(['/logs?previous=true&tail=100&since=5m'])
  })
})
