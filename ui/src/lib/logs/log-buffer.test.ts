import { describe, expect, it } from 'vitest'
import { levelOf, lineOf, logBuffer, plainText } from './log-buffer.ts'

const line = (text: string) =>
  lineOf({ type: 'log', time: '2026-11-28T14:00:00Z', source: 'stderr', text, gateway: 'edge-1', instance: 'i1' })
const texts = (buffer: ReturnType<typeof logBuffer>) => buffer.snapshot().chunks.flatMap(({ lines }) => lines.map((one) => one.text))

describe('buffer of a log', () => {
  it('keeps the newest lines and never grows beyond its bound', () => {
    const buffer = logBuffer({ maxLines: 500 })
    for (let round = 0; round < 30; round++) buffer.push(Array.from({ length: 70 }, (_, index) => line(String(round * 70 + index))))
    const kept = texts(buffer)
    expect(kept.length).toBeLessThanOrEqual(500)
    expect(kept.length).toBeGreaterThan(400)
    expect(kept.at(-1)).toBe('2099')
    expect(buffer.snapshot()).toMatchObject({ received: 2100, evicted: 2100 - kept.length })
  })

  it('is bounded by characters, too, and keeps at least what came last', () => {
    const buffer = logBuffer({ maxChars: 10_000 })
    for (let index = 0; index < 300; index++) buffer.push([line('x'.repeat(200))])
    expect(texts(buffer).join('').length).toBeLessThanOrEqual(20_000)
    buffer.push([line('y'.repeat(50_000))])
    expect(texts(buffer).at(-1)).toHaveLength(50_000)
  })

  it('never changes a chunk that is full', () => {
    const buffer = logBuffer()
    buffer.push(Array.from({ length: 150 }, (_, index) => line(String(index))))
    const before = buffer.snapshot().chunks
    buffer.push([line('more')])
    expect(buffer.snapshot().chunks[0]).toBe(before[0])
    expect(before[1]!.lines).toHaveLength(50)
  })
})

describe('line of a log', () => {
  it.each([
    ['[error] no database', 'error'],
    ['2026-11-28 WARN slow', 'warn'],
    ['{"level":50,"msg":"x"}', 'error'],
    ['{"level":"warning"}', 'warn'],
    ['DEBUG: x', 'debug'],
    ['an errorless day', 'plain'],
    ['terror: x', 'plain'],
    [`${' '.repeat(1000)}error:`, 'plain'],
  ])('of %j is of level %s', (text, level) => expect(levelOf(text)).toBe(level))

  it('says what is missing, who is gone and why it ended', () => {
    expect(lineOf({ type: 'dropped', lines: 3, gateway: 'edge-1' })).toMatchObject({
      kind: 'mark',
      text: '3 lines dropped',
      from: 'edge-1',
    })
    expect(lineOf({ type: 'gateway', gateway: 'edge-1', state: 'offline', message: '' })).toMatchObject({
      text: 'It is offline',
      from: 'edge-1',
    })
    expect(lineOf({ type: 'error', message: 'no such instance' })).toMatchObject({ kind: 'mark', level: 'error' })
  })

  it('goes into a file with all that is known of it', () => {
    expect(plainText(line('hello'))).toBe('2026-11-28T14:00:00Z edge-1 i1 stderr hello')
    expect(plainText(lineOf({ type: 'dropped', lines: 1 }))).toBe('--- 1 line dropped')
  })
})
