/** Longest line that is kept of what a server prints. */
export const maxLine = 16 * 1024

/** Cuts a text stream into lines of at most 16 KiB; the rest of a longer one is dropped and said so. */
export function cutLines(onLine: (line: string) => void) {
  let held = ''
  let dropping = false
  return { push, end }

  function push(chunk: string): void {
    let start = 0
    for (;;) {
      const end = chunk.indexOf('\n', start)
      take(chunk.slice(start, end === -1 ? undefined : end))
      if (end === -1) return
      finish()
      start = end + 1
    }
  }

  function take(piece: string): void {
    if (dropping) return
    held += piece.slice(0, maxLine + 1 - held.length)
    dropping = held.length > maxLine
  }

  function finish(): void {
    const line = dropping ? `${held.slice(0, maxLine - 8)} … (cut)` : held.replace(/\r$/, '')
    held = ''
    dropping = false
    if (line !== '') onLine(line)
  }

  function end(): void {
    finish()
  }
}
