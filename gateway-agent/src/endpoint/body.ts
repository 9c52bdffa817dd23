import type { IncomingMessage } from 'node:http'

/**
 * Reads a body of at most `maxBytes` at once and calls back once: with its text, or null when it is larger. Never calls back when the
 * client goes away before the end. A callback, because this is on the path of every call.
 */
export function readBody(request: IncomingMessage, maxBytes: number, done: (text: string | null) => void): void {
  let first: Buffer | undefined
  let more: Buffer[] | undefined
  let size = 0
  request.on('data', (chunk: Buffer) => {
    const before = size
    size += chunk.length
    if (size <= maxBytes) {
      if (first === undefined) first = chunk
      else (more ??= [first]).push(chunk)
    } else if (before <= maxBytes) {
      more = undefined
      done(null)
    }
  })
  request.on('end', () => {
    if (size <= maxBytes) done(more ? Buffer.concat(more).toString() : (first?.toString() ?? ''))
  })
  request.on('error', ignore)
}

/** Nobody is left to be told. */
function ignore(): void {}
