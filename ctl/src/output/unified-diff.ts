/** Lines of context around a change. */
const context = 3

/** The differences of two texts as `diff -u` prints them; empty when there are none. */
export function unifiedDiff(before: string, after: string, names: { before: string; after: string }): string[] {
  if (before === after) return []
  const edits = editsBetween(linesOf(before), linesOf(after))
  return [`--- ${names.before}`, `+++ ${names.after}`, ...hunks(edits)]
}

type Edit = { sign: ' ' | '-' | '+'; line: string; old: number; new: number }

const linesOf = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

/** By the longest common subsequence; objects are at most a few thousand lines. */
function editsBetween(old: string[], next: string[]): Edit[] {
  const width = next.length + 1
  const common = new Uint32Array((old.length + 1) * width)
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = next.length - 1; j >= 0; j--)
      common[i * width + j] =
        old[i] === next[j] ? common[(i + 1) * width + j + 1]! + 1 : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!)
  const edits: Edit[] = []
  let i = 0
  let j = 0
  while (i < old.length || j < next.length) {
    const position = { old: i + 1, new: j + 1 }
    if (i < old.length && j < next.length && old[i] === next[j])
      edits.push({ sign: ' ', line: old[i]!, ...position }, ...advance(true, true))
    else if (i < old.length && (j === next.length || common[(i + 1) * width + j]! >= common[i * width + j + 1]!))
      edits.push({ sign: '-', line: old[i]!, ...position }, ...advance(true, false))
    else edits.push({ sign: '+', line: next[j]!, ...position }, ...advance(false, true))
  }
  return edits

  function advance(inOld: boolean, inNext: boolean): [] {
    if (inOld) i++
    if (inNext) j++
    return []
  }
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
