import { expect, test } from 'vitest'
import { unifiedDiff } from './unified-diff.ts'

const names = { before: 'a', after: 'b' }
const text = (lines: string[]) => lines.map((line) => `${line}\n`).join('')

test('equal texts have no difference', () => {
  expect(unifiedDiff('x\n', 'x\n', names)).toEqual([])
})

test('a new text is all added', () => {
  expect(unifiedDiff('', 'x\ny\n', names)).toEqual(['--- a', '+++ b', '@@ -0,0 +1,2 @@', '+x', '+y'])
})

test('its hunks make the second text of the first, also where far apart lines changed', () => {
  const before = Array.from({ length: 60 }, (_, index) => `line ${index % 7} ${index}`)
  const after = before.flatMap((line, index) =>
    index === 5 || index === 41 ? [] : index === 20 ? [line, 'new', 'newer'] : index === 44 ? ['other'] : [line],
  )
  const diff = unifiedDiff(text(before), text(after), names)
  expect(diff.filter((line) => line.startsWith('@@'))).toHaveLength(3)
  expect(patched(before, diff)).toEqual(after)
})

test('texts too long to compare line by line are shown as replaced', () => {
  const lines = (word: string) => text(Array.from({ length: 3000 }, (_, index) => `${word} ${index}`))
  expect(unifiedDiff(lines('a'), lines('b'), names)).toHaveLength(6003)
})

/** What `patch` does, without tolerance: every line of context and every removed line must stand where the header says. */
function patched(before: string[], diff: string[]): string[] {
  const result: string[] = []
  let position = 0
  for (const line of diff.slice(2)) {
    const start = /^@@ -(\d+)/.exec(line)?.[1]
    if (start) {
      result.push(...before.slice(position, Number(start) - 1))
      position = Number(start) - 1
      continue
    }
    if (!line.startsWith('+')) expect(before[position++]).toBe(line.slice(1))
    if (!line.startsWith('-')) result.push(line.slice(1))
  }
  return [...result, ...before.slice(position)]
}
