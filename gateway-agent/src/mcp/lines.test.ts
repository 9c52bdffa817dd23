import { expect, it } from 'vitest'
import { lineReader } from './lines.ts'

function read(chunks: string[], maxBytes = 100) {
  const lines: string[] = []
  let tooLong = 0
  const reader = lineReader({ maxBytes, onLine: (line) => lines.push(line), onTooLong: () => tooLong++ })
  for (const chunk of chunks) reader.push(chunk)
  return { lines, tooLong }
}

it('cuts lines wherever the chunks are cut', () => {
  expect(read(['ab', 'c\nde', 'f\n\ng', '\n', 'rest']).lines).toEqual(['abc', 'def', '', 'g'])
})

it('gives up once on a line that is too long, with or without its end, and reads nothing after it', () => {
  expect(read(['x'.repeat(60), 'x'.repeat(60), '\nafter\n'])).toEqual({ lines: [], tooLong: 1 })
  expect(read([`fine\n${'x'.repeat(101)}\nafter\n`])).toEqual({ lines: ['fine'], tooLong: 1 })
})
