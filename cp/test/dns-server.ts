import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** A name server on loopback that knows the TXT records of `records`, by name; for every other one it answers that there is none. */
export async function dnsServer(): Promise<{ address: string; records: Map<string, string[]>; close(): void }> {
  const records = new Map<string, string[]>()
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => socket.send(answerTo(query, records), port, address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { address: `127.0.0.1:${socket.address().port}`, records, close: () => void socket.close() }
}

function answerTo(query: Buffer, records: ReadonlyMap<string, string[]>): Buffer {
  const labels: string[] = []
  let at = 12
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const question = query.subarray(12, at + 5)
  const found = records.get(labels.join('.').toLowerCase())
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(found ? 0x8580 : 0x8583, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(found?.length ?? 0, 6)
  return Buffer.concat([header, question, ...(found ?? []).map(txtAnswer)])
}

/** The name is the one of the question; a value longer than 255 stands in several strings. */
function txtAnswer(value: string): Buffer {
  const strings = (value.match(/.{1,255}/gs) ?? ['']).map((text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]))
  const data = Buffer.concat(strings)
  const head = Buffer.from([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 1, 0, 0])
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}
