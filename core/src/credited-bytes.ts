/** Largest piece of a message on a stream that others share: whatever is more urgent never waits behind more than this. */
export const pieceBytes = 16 * 1024

/** Bytes that leave in pieces as the other side grants them; what was not granted stays with whoever made it. */
export type CreditedBytes = {
  add(bytes: Uint8Array): void
  grant(bytes: number): void
  /** The next piece that may leave now, without a copy; null when there is nothing, or no credit for it. */
  take(): Uint8Array | null
  /** Bytes that have been added and not taken. */
  waiting(): number
}

export function creditedBytes(): CreditedBytes {
  const chunks: Uint8Array[] = []
  let waiting = 0
  let credit = 0
  return { add, grant: (bytes) => void (credit += bytes), take, waiting: () => waiting }

  function add(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    chunks.push(bytes)
    waiting += bytes.length
  }

  function take(): Uint8Array | null {
    const chunk = chunks[0]
    const size = Math.min(pieceBytes, credit, chunk?.length ?? 0)
    if (!chunk || size === 0) return null
    if (size === chunk.length) chunks.shift()
    else chunks[0] = chunk.subarray(size)
    waiting -= size
    credit -= size
    return chunk.subarray(0, size)
  }
}

/** The receiving end: grants again what was passed on, in halves of the window so that a grant is rarer than a piece. */
export function grantedWindow(windowBytes: number, grant: (bytes: number) => void) {
  let open = windowBytes
  let passedOn = 0
  return { received, taken }

  /** False when the other side has sent more than it was granted. */
  function received(bytes: number): boolean {
    open -= bytes
    return open >= 0
  }

  function taken(bytes: number): void {
    passedOn += bytes
    if (passedOn < windowBytes / 2) return
    open += passedOn
    const granted = passedOn
    passedOn = 0
    grant(granted)
  }
}
