import { describe, expect, it } from 'vitest'
import { responseReader } from './http-response.ts'

function reading() {
  const seen: unknown[] = []
  let body = ''
  const reader = responseReader({
    onStart: (status, headers) => seen.push({ status, ...headers }),
    onData: (chunk) => (body += chunk.toString('latin1')),
    onEnd: (keepsAlive) => {
      seen.push({ body, keepsAlive })
      body = ''
    },
  })
  return { ...reader, seen }
}

const responses: [string, string, unknown[]][] = [
  [
    'a body with a length',
    'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\ncontent-length:  5 \r\n\r\nhello',
    [
      { status: 200, 'content-type': 'a/b', 'content-length': '5' },
      { body: 'hello', keepsAlive: true },
    ],
  ],
  [
    'a body in chunks, with extensions and a trailer',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\nA \r\n, world\r\n!\r\n0\r\nx-sum: 1\r\n\r\n',
    [
      { status: 200, 'transfer-encoding': 'chunked' },
      { body: 'hello, world\r\n!', keepsAlive: true },
    ],
  ],
  [
    'a response without a body behind two that only announce it',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n',
    [
      { status: 204, 'content-length': '7' },
      { body: '', keepsAlive: true },
    ],
  ],
  [
    'a status without words, an empty body, and the wish to close',
    'HTTP/1.1 202\r\nConnection: x, Close\r\ncontent-length: 0\r\nset-cookie: a\r\nset-cookie: b\r\n\r\n',
    [
      { status: 202, connection: 'x, Close', 'content-length': '0', 'set-cookie': 'a, b' },
      { body: '', keepsAlive: false },
    ],
  ],
]

describe('responses', () => {
  it.each(responses)('are read however they are cut: %s', (_what, text, expected) => {
    const bytes = Buffer.from(text, 'latin1')
    for (let size = 1; size <= bytes.length; size++) {
      const reader = reading()
      // Always the same memory, as on a connection.
      const memory = Buffer.alloc(size)
      for (let at = 0; at < bytes.length; at += size) reader.push(memory.subarray(0, bytes.copy(memory, 0, at, at + size)))
      expect(reader.seen).toEqual(expected)
      expect(reader.close()).toBe(false)
    }
  })

  it('without a length end with the connection', () => {
    const reader = reading()
    reader.push(Buffer.from('HTTP/1.0 200 OK\r\n\r\nso '))
    reader.push(Buffer.from('long'))
    expect(reader.seen).toEqual([{ status: 200 }])
    expect(reader.close()).toBe(true)
    expect(reader.seen[1]).toEqual({ body: 'so long', keepsAlive: false })
  })

  it('followed by something nobody asked for end the connection', () => {
    const reader = reading()
    const one = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
    reader.push(Buffer.from(one + one))
    expect(reader.seen).toEqual([
      { status: 200, 'content-length': '2' },
      { body: 'ok', keepsAlive: false },
    ])
  })

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.7\r\n\r\n'],
    ['a later version', 'HTTP/2 200\r\n\r\n'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'],
    ['both a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['another coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nx: a\r\n b: c\r\n\r\n'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 5\r\n\r\n'],
    ['a bare line break in a header', 'HTTP/1.1 200 OK\r\nx: a\ncontent-length: 5\r\n\r\n'],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['a chunk longer than it says', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhello\r\n'],
    ['an endless head', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`],
  ])('are refused when they are %s', (_what, text) => {
    const reader = reading()
    expect(() => reader.push(Buffer.from(text))).toThrow(expect.objectContaining({ reason: 'connection_failed' }))
  })
})
