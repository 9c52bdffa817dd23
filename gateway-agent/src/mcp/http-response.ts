import { McpgError } from '@mcpg/proto/errors'

export type ResponseHeaders = Record<string, string | undefined>

export type ResponseEvents = {
  onStart: (status: number, headers: ResponseHeaders) => void
  /** Part of the body, without its framing; its bytes are the reader's again when the call returns. */
  onData: (chunk: Buffer) => void
  /** `keepsAlive`: the connection may carry another request. */
  onEnd: (keepsAlive: boolean) => void
}

/** Of a head, a trailer or the line before a chunk. */
const maxHeadBytes = 64 * 1024

/**
 * Reads HTTP/1.1 responses of one connection as they come: bodies with a length, in chunks, or up to the end of the connection;
 * 1xx are skipped. Throws McpgError `unavailable` for anything else, and for what could be read in two ways.
 */
export function responseReader({ onStart, onData, onEnd }: ResponseEvents) {
  let state: 'head' | 'sized' | 'chunk line' | 'chunk' | 'chunk end' | 'trailer' | 'until close' | 'over' = 'head'
  let rest: Buffer | undefined
  let left = 0
  let keepsAlive = true
  return { push, close }

  function push(received: Buffer): void {
    const bytes = rest === undefined ? received : Buffer.concat([rest, received])
    rest = undefined
    let at = 0
    while (at < bytes.length && state !== 'over') {
      const next = step(bytes, at)
      if (next === -1) {
        // The caller reads into the same memory again.
        rest = Buffer.from(bytes.subarray(at))
        if (rest.length > maxHeadBytes) throw broken(`a header section of more than ${maxHeadBytes} bytes`)
        return
      }
      at = next
    }
  }

  /** The connection has ended. False when it ended in the middle of a response. */
  function close(): boolean {
    if (state !== 'until close') return false
    state = 'over'
    onEnd(false)
    return true
  }

  /** Where to go on; -1 when more has to come first. */
  function step(bytes: Buffer, at: number): number {
    if (state === 'head') return readHead(bytes, at)
    if (state === 'sized' || state === 'chunk') return readBody(bytes, at)
    if (state === 'until close') {
      onData(bytes.subarray(at))
      return bytes.length
    }
    const end = bytes.indexOf('\r\n', at)
    if (end === -1) return -1
    if (state === 'chunk line') readChunkLine(bytes.toString('latin1', at, end))
    else if (state === 'chunk end') {
      if (end !== at) throw broken('a chunk longer than it says')
      state = 'chunk line'
    } else if (end === at) finish(end + 2 === bytes.length)
    return end + 2
  }

  function readHead(bytes: Buffer, at: number): number {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end === -1) return -1
    const lines = bytes.toString('latin1', at, end).split('\r\n')
    const match = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(lines[0]!)
    if (!match) throw broken('no HTTP/1.1 status line')
    const status = Number(match[2])
    const headers = readHeaders(lines)
    const next = end + 4
    if (status < 200) {
      if (status === 101) throw broken('another protocol')
      return next
    }
    keepsAlive = match[1] === '1' && !/(?:^|,)\s*close\s*(?:,|$)/i.test(headers['connection'] ?? '')
    frame(status, headers)
    onStart(status, headers)
    if (state === 'sized' && left === 0) finish(next === bytes.length)
    return next
  }

  /** How the end of the body will be known. */
  function frame(status: number, { 'content-length': length, 'transfer-encoding': coding }: ResponseHeaders): void {
    state = 'sized'
    left = 0
    if (status === 204 || status === 304) return
    if (coding !== undefined) {
      if (length !== undefined || coding.toLowerCase() !== 'chunked') throw broken(`Transfer-Encoding: ${coding}`)
      state = 'chunk line'
    } else if (length === undefined) state = 'until close'
    else if (/^\d{1,15}$/.test(length)) left = Number(length)
    else throw broken(`Content-Length: ${length}`)
  }

  function readBody(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + left)
    left -= end - at
    onData(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
    if (left === 0) {
      if (state === 'chunk') state = 'chunk end'
      else finish(end === bytes.length)
    }
    return end
  }

  function readChunkLine(line: string): void {
    const size = /^([0-9a-f]{1,8})[ \t]*(?:;|$)/i.exec(line)?.[1]
    if (size === undefined) throw broken('a chunk without a size')
    left = parseInt(size, 16)
    state = left === 0 ? 'trailer' : 'chunk'
  }

  /** What follows an answer nobody has asked for: the connection is not to be trusted with another one. */
  function finish(isLast: boolean): void {
    const goesOn = keepsAlive && isLast
    state = goesOn ? 'head' : 'over'
    onEnd(goesOn)
  }
}

function readHeaders(lines: string[]): ResponseHeaders {
  const headers: ResponseHeaders = Object.create(null) as ResponseHeaders
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index]!
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (colon < 1 || !/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) || /[\0\r\n]/.test(value)) throw broken('a header that is none')
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (name === 'content-length' && before !== value) throw broken('two lengths')
    else if (name !== 'content-length') headers[name] = `${before}, ${value}`
  }
  return headers
}

function broken(what: string): McpgError {
  return new McpgError('unavailable', 'connection_failed', `The server does not speak HTTP/1.1: it answered with ${what}.`)
}
