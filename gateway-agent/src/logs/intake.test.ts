import { PassThrough } from 'node:stream'
import { fakeClock } from '@mcpg/core/clock'
import { maxLogLineBytes } from '@mcpg/proto/log-credit'
import { describe, expect, it } from 'vitest'
import { readBudget, readLines } from './intake.ts'

/** A pipe that is read, and what came of it. */
function piped() {
  const clock = fakeClock()
  const stream = new PassThrough({ highWaterMark: 64 * 1024 * 1024 })
  const lines: string[] = []
  const lost: number[] = []
  readLines(stream, { onLine: (line) => lines.push(line), onLost: (count) => lost.push(count), budget: readBudget(clock), clock })
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  const write = async (data: string | Buffer) => {
    stream.write(data)
    await turn()
  }
  return { clock, stream, lines, lost, write, turn }
}

const mebibyte = 1024 * 1024

describe('the output of a server', () => {
  it.each([
    ['cut anywhere', ['he', 'llo\nwor', 'ld\n'], ['hello', 'world']],
    ['with carriage returns and empty ones', ['a\r\n\r\n\nb\n'], ['a', 'b']],
    ['cut within a character', [Buffer.from('größe\n').subarray(0, 3), Buffer.from('größe\n').subarray(3)], ['größe']],
  ])('is read in lines, %s', async (_, chunks, expected) => {
    const { lines, write } = piped()
    for (const chunk of chunks) await write(chunk)
    expect(lines).toEqual(expected)
  })

  it('ends with a line that has no end', async () => {
    const { lines, stream, write, turn } = piped()
    await write('tail')
    stream.end()
    await turn()
    expect(lines).toEqual(['tail'])
  })

  it('is cut at 16 KiB a line, once, and the next line is whole', async () => {
    const { lines, write } = piped()
    for (let piece = 0; piece < 40; piece++) await write('ü'.repeat(1_000))
    await write('\nnext\n')
    expect(lines.map((line) => Buffer.byteLength(line) <= maxLogLineBytes)).toEqual([true, true])
    expect(lines[0]).toMatch(/^ü+ … \(cut\)$/)
    expect(lines[1]).toBe('next')
  })

  it('is kept up to 1 MiB a second; every line beyond is read and counted, and none is kept in part', async () => {
    const { clock, lines, lost, write } = piped()
    const line = `${'x'.repeat(99)}\n`
    // Blocks that end within lines.
    const all = Buffer.from(line.repeat(40_000))
    for (let at = 0; at < all.length; at += 65_536) await write(all.subarray(at, at + 65_536))
    expect(lost).toEqual([])
    await clock.advance(1_000)
    expect(lines.length + lost[0]!).toBe(40_000)
    expect(lines.length * line.length).toBeLessThanOrEqual(mebibyte + 65_536)
    await write('afterwards\n')
    expect([new Set(lines.map((one) => one.length)), lines.at(-1), lost.length]).toEqual([new Set([99, 10]), 'afterwards', 1])
  })

  it('waits in its pipe once all servers of the agent are read faster than the agent can bear', async () => {
    const { clock, stream, lost, write, turn } = piped()
    const block = Buffer.from(`${'x'.repeat(1_023)}\n`.repeat(1_024))
    for (let megabytes = 0; megabytes < 20; megabytes++) await write(block)
    expect([stream.isPaused(), stream.readableLength > 0]).toEqual([true, true])
    for (let slices = 0; slices < 5; slices++) {
      await clock.advance(100)
      await turn()
    }
    expect([stream.isPaused(), stream.readableLength]).toEqual([false, 0])
    await clock.advance(1_000)
    expect(lost.reduce((sum, count) => sum + count, 0)).toBe(19 * 1_024)
  })
})
