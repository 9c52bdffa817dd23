import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fakeClock } from '@mcpg/core/clock'
import { lineLog } from '@mcpg/core/line-log'
import { createLog } from '@mcpg/core/log'
import { LogCancelSchema, LogRequestSchema, LogWindowSchema, type LogChunk } from '@mcpg/proto/gen/delivery'
import { logLineCost } from '@mcpg/proto/log-credit'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../test/until.ts'
import { logBook } from '../logs/log-book.ts'
import { logStreams } from './log-streams.ts'
import { createOutbox } from './outbox.ts'

const log = createLog({ level: 'silent', json: true })
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcpg-streams-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})

/** A gateway's logs behind its outbox; `chunks` is what has left, as far as the transport takes frames. */
function serving() {
  const clock = fakeClock(Date.UTC(2026, 0, 1))
  const book = logBook({ folder: join(folder, 'logs'), clock, log })
  const own = lineLog({ folder: join(folder, 'own'), clock })
  const outbox = createOutbox()
  const streams = logStreams({ book, own, outbox, clock, log })
  const chunks: LogChunk[] = []
  let isTaking = true
  let takeAgain = () => {}
  void (async () => {
    for await (const { frame } of outbox.frames()) {
      if (frame.case === 'logChunk') chunks.push(frame.value)
      if (!isTaking) await new Promise<void>((resolve) => (takeAgain = resolve))
    }
  })()
  onTestFinished(() => {
    streams.close()
    outbox.end()
  })
  const request = (wanted: MessageInitShape<typeof LogRequestSchema>) =>
    streams.receive({
      case: 'logRequest',
      value: create(LogRequestSchema, { streamId: 's', server: 'echo', tailLines: 1_000_000, windowBytes: 1_000_000, ...wanted }),
    })
  return {
    clock,
    book,
    own,
    chunks,
    request,
    streams,
    grant: (addBytes: number) => streams.receive({ case: 'logWindow', value: create(LogWindowSchema, { streamId: 's', addBytes }) }),
    cancel: () => streams.receive({ case: 'logCancel', value: create(LogCancelSchema, { streamId: 's' }) }),
    texts: () => chunks.flatMap(({ lines }) => lines.map(({ text }) => text)),
    cost: () => chunks.flatMap(({ lines }) => lines).reduce((sum, { text }) => sum + logLineCost(text), 0),
    dropped: () => chunks.reduce((sum, chunk) => sum + Number(chunk.dropped), 0),
    over: () => until('the end of the stream', () => chunks.find(({ last }) => last)),
    hold: () => (isTaking = false),
    release: () => {
      isTaking = true
      takeAgain()
    },
  }
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`)

describe('a log asked for', () => {
  it('comes in chunks of at most 16 KiB, oldest line first, and says when it is over', async () => {
    const { book, request, over, texts, chunks } = serving()
    const one = book.open('echo', 'echo-1')
    for (const text of numbered(0, 2_000)) one.write('stderr', text)
    request({})
    expect((await over()).error).toBe('')
    expect(texts()).toEqual(numbered(0, 2_000))
    for (const { lines } of chunks) expect(lines.reduce((sum, { text }) => sum + logLineCost(text), 0)).toBeLessThanOrEqual(16 * 1024)
    expect(chunks[0]?.lines[0]).toMatchObject({ instanceId: 'echo-1', time: timestampFromMs(Date.UTC(2026, 0, 1)) })
  })

  it('never goes beyond its credit, and loses nothing of what was written before', async () => {
    const { book, request, grant, over, texts, cost } = serving()
    const one = book.open('echo', 'echo-1')
    for (const text of numbered(0, 3_000)) one.write('stderr', text)
    let granted = 2_000
    request({ windowBytes: granted })
    for (;;) {
      const before = texts().length
      await until('the credit is used up', () => granted - cost() < logLineCost('line 2999') || texts().length === 3_000)
      expect(cost()).toBeLessThanOrEqual(granted)
      if (texts().length === 3_000) break
      expect(texts().length).toBeGreaterThan(before)
      granted += 50_000
      grant(50_000)
    }
    await over()
    expect(texts()).toEqual(numbered(0, 3_000))
  })

  it.each([
    ['all of a server, by time', { server: 'echo' }, ['one', 'two', 'three']],
    ['one instance', { server: 'echo', instanceId: 'echo-2' }, ['two']],
    ['the last line of each', { server: 'echo', tailLines: 1 }, ['two', 'three']],
    ['not older than', { server: 'echo', since: timestampFromMs(Date.UTC(2026, 0, 1) + 2_000) }, ['three']],
    ['an empty server for the agent itself', { server: '' }, ['INFO serving']],
  ])('is %s', async (_, wanted, expected) => {
    const { clock, book, own, request, over, texts } = serving()
    const [first, second] = [book.open('echo', 'echo-1'), book.open('echo', 'echo-2')]
    first.write('stderr', 'one')
    await clock.advance(1_000)
    second.write('stdout', 'two')
    await clock.advance(1_000)
    first.write('agent', 'three')
    book.open('other', 'other-1').write('stderr', 'of another server')
    own.write('agent', 'INFO serving')
    request(wanted)
    await over()
    expect(texts()).toEqual(expected)
  })

  it('is that of the life before, or of the instance that was replaced', async () => {
    const { book, request, over, texts, chunks } = serving()
    const first = book.open('echo', 'echo-1')
    for (const life of ['first life', 'second life']) {
      first.begin()
      first.write('stderr', life)
    }
    request({ previous: true })
    await over()
    chunks.length = 0
    book.close('echo', 'echo-1')
    await book.flushed()
    const next = book.open('echo', 'echo-2')
    next.begin()
    next.write('stderr', 'of the next')
    request({ previous: true })
    await over()
    expect(texts()).toEqual(['second life'])
  })

  it.each([
    ['nothing ran', { server: 'unknown' }, 'unknown has not run here'],
    ['no such instance', { server: 'echo', instanceId: '../../../etc' }, 'there is no log of ../../../etc'],
    ['no name', { server: '../..' }, '../.. is not the name of a server'],
  ])('ends with its reason: %s', async (_, wanted, error) => {
    const { book, request, over, texts } = serving()
    book.open('echo', 'echo-1').write('stderr', 'line')
    request(wanted)
    expect((await over()).error).toBe(error)
    expect(texts()).toEqual([])
  })
})

describe('a log that is followed', () => {
  it('goes on with what is written, also by instances that start later', async () => {
    const { book, request, texts, chunks } = serving()
    const one = book.open('echo', 'echo-1')
    one.write('stderr', 'before')
    request({ follow: true })
    await until('the history', () => texts().length === 1)
    one.write('stderr', 'after')
    book.open('echo', 'echo-2').write('stderr', 'of another instance')
    await until('what came after', () => texts().length === 3)
    expect(texts()).toEqual(['before', 'after', 'of another instance'])
    expect(chunks.some(({ last }) => last)).toBe(false)
  })

  it('drops what its reader has no credit for, counts it, and tells it where it is missing', async () => {
    const { book, clock, request, grant, texts, dropped, chunks } = serving()
    const one = book.open('echo', 'echo-1')
    one.write('stderr', 'before')
    request({ follow: true, windowBytes: 1_000 })
    await until('the history', () => texts().length === 1)
    const text = 'x'.repeat(1_000)
    for (let line = 0; line < 2_000; line++) one.write('stderr', text)
    await one.flushed()
    expect(texts()).toEqual(['before'])
    grant(10_000_000)
    await until('what had waited', () => texts().length > 200 && dropped() > 0)
    expect(texts().length - 1 + dropped()).toBe(2_000)
    expect((texts().length - 1) * logLineCost(text)).toBeLessThanOrEqual(256 * 1024)
    await clock.advance(1_000)
    one.write('stderr', 'after')
    await until('the line after the gap', () => texts().at(-1) === 'after')
    const gap = chunks.findIndex((chunk) => chunk.dropped > 0n)
    expect(chunks.slice(gap).flatMap(({ lines }) => lines.map((line) => line.text))).toEqual(['after'])
  })

  it('is sent at most 1 MiB a second, whatever its credit', async () => {
    const { book, clock, request, texts, cost, dropped } = serving()
    const one = book.open('echo', 'echo-1')
    one.write('stderr', 'before')
    request({ follow: true, windowBytes: 100_000_000 })
    const text = 'x'.repeat(1_000)
    await until('the stream follows', () => texts().length === 1)
    for (let burst = 0; burst < 40; burst++) {
      for (let line = 0; line < 100; line++) one.write('stderr', text)
      await one.flushed()
    }
    await clock.advance(1_000)
    one.write('stderr', 'in the next second')
    await until('the next second', () => texts().at(-1) === 'in the next second')
    expect(texts().length + dropped()).toBe(4_002)
    expect(cost()).toBeLessThanOrEqual(1024 * 1024 + logLineCost('in the next second'))
  })

  it('waits for whatever is more urgent, and holds no more than its queue meanwhile', async () => {
    const { book, request, texts, hold, release, dropped } = serving()
    const one = book.open('echo', 'echo-1')
    request({ follow: true })
    hold()
    one.write('stderr', 'first')
    await until('the transport is full', () => texts().length === 1)
    for (let line = 0; line < 1_000; line++) one.write('stderr', 'x'.repeat(1_000))
    await one.flushed()
    expect(texts()).toHaveLength(1)
    release()
    await until('what had waited', () => texts().length + dropped() === 1_001)
    expect(dropped()).toBeGreaterThan(700)
  })

  it('ends with its instance', async () => {
    const { book, request, over, texts } = serving()
    const one = book.open('echo', 'echo-1')
    one.write('stderr', 'last words')
    request({ follow: true, instanceId: 'echo-1' })
    await until('the line', () => texts().length === 1)
    book.close('echo', 'echo-1')
    expect((await over()).error).toBe('')
    expect(texts()).toEqual(['last words'])
  })

  it('ends when it is cancelled', async () => {
    const { book, request, cancel, texts } = serving()
    const one = book.open('echo', 'echo-1')
    request({ follow: true })
    one.write('stderr', 'heard')
    await until('the line', () => texts().length === 1)
    cancel()
    one.write('stderr', 'unheard')
    await one.flushed()
    // The id is free again, so nothing is left of the stream.
    request({ follow: true, tailLines: 1 })
    await until('the new stream', () => texts().length === 2)
    expect(texts()).toEqual(['heard', 'unheard'])
  })
})

describe('a gateway', () => {
  it('serves a bounded number of logs and says so', async () => {
    const { book, request, chunks } = serving()
    book.open('echo', 'echo-1')
    for (let stream = 0; stream < 65; stream++) request({ streamId: `s${stream}`, follow: true })
    const refused = await until('the refusal', () => chunks.find(({ error }) => error !== ''))
    expect(refused).toMatchObject({ streamId: 's64', last: true, error: 'this gateway serves 64 logs at a time' })
  })

  it('keeps the logs of the newest two instances that ended', async () => {
    const { book, clock } = serving()
    for (let instance = 0; instance < 5; instance++) {
      book.open('echo', `echo-${instance}`).write('stderr', 'line')
      book.close('echo', `echo-${instance}`)
      await book.flushed()
      await clock.advance(1_000)
    }
    const kept = await Promise.all(['echo-0', 'echo-1', 'echo-2', 'echo-3', 'echo-4'].map((id) => book.find('echo', id)))
    expect(kept.map((found) => found.length)).toEqual([0, 0, 0, 1, 1])
    expect((await book.find('echo')).map(({ instanceId }) => instanceId)).toEqual(['echo-4'])
  })
})
