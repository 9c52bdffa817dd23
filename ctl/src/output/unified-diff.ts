/** Lines of context around a change. */
const context = 3

/** The differences of two texts as `diff -u` prints them; empty when there are none. */
export function unifiedDiff(before: string, after: string, names: { before: string; after: string }): string[] {
  if (before === after) return []
  const edits = editsBetween(linesOf(before), linesOf(after))
  return [`--- ${names.before}`, `+++ ${names.after}`, ...hunks(edits)]
}

type Change = { sign: ' ' | '-' | '+'; line: string }
/** With the numbers of its line in both texts. */
type Edit = Change & { old: number; new: number }

/** Cells of the table of common lines, 16 MiB; beyond that the middle is shown as replaced. */
const maxCells = 4_000_000

const linesOf = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

/** What the two have in common at both ends is left alone; between, the longest common subsequence. */
function editsBetween(old: string[], next: string[]): Edit[] {
  const shorter = Math.min(old.length, next.length)
  let head = 0
  while (head < shorter && old[head] === next[head]) head++
  let tail = 0
  while (tail < shorter - head && old.at(-1 - tail) === next.at(-1 - tail)) tail++
  const same = (lines: string[]) => lines.map((line): Change => ({ sign: ' ', line }))
  return numbered([
    ...same(old.slice(0, head)),
    ...changesBetween(old.slice(head, old.length - tail), next.slice(head, next.length - tail)),
    ...same(old.slice(old.length - tail)),
  ])
}

function changesBetween(old: string[], next: string[]): Change[] {
  const removed = (lines: string[]) => lines.map((line): Change => ({ sign: '-', line }))
  const added = (lines: string[]) => lines.map((line): Change => ({ sign: '+', line }))
  const width = next.length + 1
  if ((old.length + 1) * width > maxCells) return [...removed(old), ...added(next)]
  const common = commonLengths(old, next)
  const changes: Change[] = []
  let [i, j] = [0, 0]
  while (i < old.length && j < next.length) {
    if (old[i] === next[j]) {
      changes.push({ sign: ' ', line: old[i]! })
      ;[i, j] = [i + 1, j + 1]
    } else if (common[(i + 1) * width + j]! >= common[i * width + j + 1]!) changes.push({ sign: '-', line: old[i++]! })
    else changes.push({ sign: '+', line: next[j++]! })
  }
  return [...changes, ...removed(old.slice(i)), ...added(next.slice(j))]
}

/** At `i * (next.length + 1) + j`: how many lines the rest from `i` and the rest from `j` have in common, in order. */
function commonLengths(old: string[], next: string[]): Uint32Array {
  const width = next.length + 1
  const common = new Uint32Array((old.length + 1) * width)
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = next.length - 1; j >= 0; j--) {
      const at = i * width + j
      common[at] = old[i] === next[j] ? common[at + width + 1]! + 1 : Math.max(common[at + width]!, common[at + 1]!)
    }
  return common
}

function numbered(changes: Change[]): Edit[] {
  let [before, after] = [1, 1]
  return changes.map((change) => {
    const edit = { ...change, old: before, new: after }
    if (change.sign !== '+') before++
    if (change.sign !== '-') after++
    return edit
  })
}

function hunks(edits: Edit[]): string[] {
  const changed = edits.flatMap(({ sign }, index) => (sign === ' ' ? [] : [index]))
  const lines: string[] = []
  for (let at = 0; at < changed.length;) {
    let last = at
    while (last + 1 < changed.length && changed[last + 1]! - changed[last]! <= 2 * context) last++
    const part = edits.slice(Math.max(0, changed[at]! - context), changed[last]! + context + 1)
    lines.push(header(part), ...part.map(({ sign, line }) => `${sign}${line}`))
    at = last + 1
  }
  return lines
}

function header(part: Edit[]): string {
  const olds = part.filter(({ sign }) => sign !== '+').length
  const news = part.filter(({ sign }) => sign !== '-').length
  const start = (count: number, at: number) => (count === 0 ? at - 1 : at)
  return `@@ -${start(olds, part[0]!.old)},${olds} +${start(news, part[0]!.new)},${news} @@`
}
