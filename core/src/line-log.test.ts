import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { fakeClock, systemClock } from './clock.ts'
import { lineLog, type Line, type LineLog, type ReadOptions } from './line-log.ts'
import { mergeByTime } from './merge-by-time.ts'

let folder = ''
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), 'mcpg-lines-'))
  folder = join(parent, 'log')
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
})

const textOf = (line: Line) => (line.lost === undefined ? line.text : `(${line.lost} lost)`)

async function read(log: LineLog, options: Partial<ReadOptions> = {}): Promise<string[]> {
  const { history, stop } = await log.open({ tail: Infinity, ...options })
  const texts: string[] = []
  for await (const lines of history) texts.push(...lines.map(textOf))
  stop()
  return texts
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`)

describe('a log of lines', () => {
  it('is kept in three files of limited size, readable by its owner only, the oldest lines gone first', async () => {
    const log = lineLog({ folder, clock: systemClock, fileBytes: 2_000 })
    for (const text of numbered(0, 300)) {
      log.write('stderr', text)
      await log.flushed()
    }
    const names = readdirSync(folder)
    expect(names).toHaveLength(3)
    for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(2_000)
    expect([statSync(folder).mode & 0o777, statSync(join(folder, names[0]!)).mode & 0o777]).toEqual([0o700, 0o600])
    const texts = await read(log)
    expect(texts).toEqual(numbered(300 - texts.length, 300))
    expect(texts.length).toBeGreaterThan(80)
  })

  it('answers its last lines, across files and with those that are not on disk yet', async () => {
    const log = lineLog({ folder, clock: systemClock, fileBytes: 100_000 })
    for (const text of numbered(0, 9_000)) log.write('stderr', text)
    await log.flushed()
    log.write('stderr', 'line 9000')
    for (const tail of [1, 2, 3_000, 8_000]) expect(await read(log, { tail })).toEqual(numbered(9_001 - tail, 9_001))
    expect(await read(log, { tail: 0 })).toEqual([])
  })

  it('answers what is not older than a time', async () => {
    const clock = fakeClock(Date.UTC(2026, 0, 1))
    const log = lineLog({ folder, clock, fileBytes: 300_000 })
    for (const text of numbered(0, 5_000)) {
      log.write('stderr', text)
      await clock.advance(1_000)
    }
    await log.flushed()
    const since = new Date(Date.UTC(2026, 0, 1) + 4_990_000).toISOString()
    expect(await read(log, { since })).toEqual(numbered(4_990, 5_000))
    expect(await read(log, { since, tail: 3 })).toEqual(numbered(4_997, 5_000))
    expect(await read(log, { since: new Date(Date.UTC(2027, 0, 1)).toISOString() })).toEqual([])
  })

  it('keeps the previous life beside the present one, and no older', async () => {
    const first = lineLog({ folder, clock: systemClock, fileBytes: 2_000 })
    for (const life of ['first', 'second', 'third']) {
      first.begin()
      first.write('stderr', `${life} life`)
      await first.flushed()
    }
    expect([await read(first), await read(first, { previous: true })]).toEqual([['third life'], ['second life']])
    expect(readdirSync(folder)).toHaveLength(2)
    // Another process over the same folder.
    const next = lineLog({ folder, clock: systemClock, fileBytes: 2_000 })
    next.begin()
    for (const text of numbered(0, 300)) {
      next.write('stderr', text)
      await next.flushed()
    }
    expect(await read(next, { previous: true })).toEqual(['third life'])
    expect(readdirSync(folder)).toHaveLength(3)
    expect((await read(next)).at(-1)).toBe('line 299')
    expect(await next.hasPrevious()).toBe(true)
  })

  it('hands over from what was to what comes without a gap or a repetition', async () => {
    const log = lineLog({ folder, clock: systemClock })
    for (const text of numbered(0, 100)) log.write('stderr', text)
    await log.flushed()
    for (const text of numbered(100, 150)) log.write('stderr', text)
    const followed: string[] = []
    const { history, stop } = await log.open({ tail: Infinity, follow: (line) => followed.push(textOf(line)) })
    for (const text of numbered(150, 200)) log.write('stderr', text)
    const before: string[] = []
    for await (const lines of history) before.push(...lines.map(textOf))
    stop()
    log.write('stderr', 'unheard')
    await log.flushed()
    expect([...before, ...followed]).toEqual(numbered(0, 200))
  })

  it('counts what comes faster than it can be written, and what its writer lost', async () => {
    const log = lineLog({ folder, clock: systemClock })
    const text = 'x'.repeat(16_000)
    for (let line = 0; line < 500; line++) log.write('stderr', text)
    log.lose(40)
    log.lose(2)
    await log.flushed()
    log.write('stderr', 'after')
    await log.flushed()
    const { history } = await log.open({ tail: Infinity })
    const lines: Line[] = []
    for await (const some of history) lines.push(...some)
    const lost = lines.flatMap((line) => line.lost ?? [])
    const kept = lines.filter((line) => line.lost === undefined).length
    expect(lost).toHaveLength(1)
    expect(kept + lost[0]!).toBe(500 + 42 + 1)
    expect(kept * text.length).toBeLessThan(5 * 1024 * 1024)
  })

  it('stays readable while its files are removed', async () => {
    const log = lineLog({ folder, clock: systemClock, fileBytes: 150_000 })
    for (const text of numbered(0, 8_000)) log.write('stderr', text)
    await log.flushed()
    const { history } = await log.open({ tail: Infinity })
    const texts: string[] = []
    for await (const lines of history) {
      if (texts.length === 0) for (const name of readdirSync(folder)) rmSync(join(folder, name))
      texts.push(...lines.map(textOf))
    }
    expect(texts).toEqual(numbered(0, 8_000))
  })

  it('makes one line of a text with line ends and leaves out what a killed writer tore', async () => {
    const log = lineLog({ folder, clock: systemClock })
    log.write('agent', 'two\r\n  lines')
    await log.flushed()
    const [name = ''] = readdirSync(folder)
    writeFileSync(join(folder, name), `${readFileSync(join(folder, name), 'utf8')}2026-01-01T00:00:00.0\n`)
    expect(await read(lineLog({ folder, clock: systemClock }))).toEqual(['two lines'])
  })

  it('tells once of a disk that refuses lines, and stops nobody', async () => {
    writeFileSync(folder, 'a file where the folder should be')
    const troubles: unknown[] = []
    const log = lineLog({ folder, clock: systemClock, onTrouble: (error) => troubles.push(error) })
    for (const text of ['a', 'b']) {
      log.write('stderr', text)
      await log.flushed()
    }
    expect([troubles.length, await read(log)]).toEqual([1, []])
  })
})

describe('logs merged', () => {
  it('come in the order of their times, of equal ones in the order of the logs', async () => {
    async function* blocks(...all: string[][]) {
      for (const block of all) yield block
    }
    const merged: string[] = []
    for await (const items of mergeByTime(
      [blocks(['1a', '3a'], [], ['3b', '9a']), blocks(), blocks(['2c', '3c', '4c'])],
      (item) => item[0]!,
    ))
      merged.push(...items)
    expect(merged).toEqual(['1a', '2c', '3a', '3b', '3c', '4c', '9a'])
  })
})
