/**
 * Cuts a text stream into lines. A line that grows beyond `maxBytes` (counted as UTF-16 units, which never undercounts by more than a
 * factor the caller's limit allows for) is reported once and nothing is read after it.
 */
export function lineReader({ maxBytes, onLine, onTooLong }: { maxBytes: number; onLine: (line: string) => void; onTooLong: () => void }) {
  // Pieces of the unfinished line: joining them once keeps a 16 MiB line linear.
  let pieces: string[] = []
  let held = 0
  let dead = false
  return { push, stop }

  function push(chunk: string): void {
    let start = 0
    for (;;) {
      // onLine may have stopped us.
      if (dead) return
      const end = chunk.indexOf('\n', start)
      if (end === -1) return hold(start === 0 ? chunk : chunk.slice(start))
      const piece = chunk.slice(start, end)
      start = end + 1
      if (held + piece.length > maxBytes) return giveUp()
      if (pieces.length === 0) onLine(piece)
      else {
        pieces.push(piece)
        const line = pieces.join('')
        pieces = []
        held = 0
        onLine(line)
      }
    }
  }

  function hold(piece: string): void {
    if (piece === '') return
    held += piece.length
    if (held > maxBytes) return giveUp()
    pieces.push(piece)
  }

  function giveUp(): void {
    stop()
    onTooLong()
  }

  function stop(): void {
    dead = true
    pieces = []
  }
}
