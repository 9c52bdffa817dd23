/*
 * Fields of a protobuf message into one buffer that is used again and again: what is made for every call allocates nothing but the result.
 * Field numbers are below 16, or take two bytes; values that say nothing are left out, as proto3 has it.
 */
const room = Buffer.alloc(256 * 1024)
let at = 0

const varint = 0
const delimited = 2

/** Begins a message; there is one at a time. */
export function begin(): void {
  at = 0
}

/** The message, in memory of its own; a RangeError where it is too long. */
export function finish(): Uint8Array<ArrayBuffer> {
  // What had no room was cut off on the way.
  if (at >= room.length) throw new RangeError(`the message has more than ${room.length} bytes`)
  return new Uint8Array(room.subarray(0, at))
}

/** A whole number of at most 2⁵³. */
export function whole(field: number, value: number): void {
  if (value <= 0) return
  number((field << 3) | varint)
  number(value)
}

export function text(field: number, value: string): void {
  if (value === '') return
  number((field << 3) | delimited)
  // A text of up to 42 characters has at most 126 bytes, so its length takes one; of the others it is counted first.
  if (value.length <= 42) {
    const written = room.write(value, at + 1)
    room[at] = written
    at += 1 + written
  } else {
    number(Buffer.byteLength(value))
    at += room.write(value, at)
  }
}

export function bytes(field: number, value: Uint8Array): void {
  number((field << 3) | delimited)
  number(value.length)
  room.set(value, at)
  at += value.length
}

/** A message in this one, of at most 16 KiB. */
export function nested(field: number, fill: () => void): void {
  number((field << 3) | delimited)
  const start = at++
  fill()
  const size = at - start - 1
  if (size > 127) room.copyWithin(start + 2, start + 1, at++)
  at = start
  number(size)
  at += size
}

function number(value: number): void {
  let rest = value
  while (rest > 127) {
    room[at++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  room[at++] = rest
}
