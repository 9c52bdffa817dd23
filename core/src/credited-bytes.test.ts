import { describe, expect, it } from 'vitest'
import { creditedBytes, grantedWindow, pieceBytes } from './credited-bytes.ts'

describe('credited bytes', () => {
  it('leave in pieces of at most 16 KiB, as far as they are granted', () => {
    const bytes = creditedBytes()
    bytes.add(new Uint8Array(pieceBytes + 10))
    expect(bytes.take()).toBeNull()
    bytes.grant(pieceBytes + 4)
    expect([bytes.take()?.length, bytes.take()?.length, bytes.take()]).toEqual([pieceBytes, 4, null])
    expect(bytes.waiting()).toBe(6)
    bytes.grant(100)
    expect([bytes.take()?.length, bytes.take(), bytes.waiting()]).toEqual([6, null, 0])
  })

  it('come out in the order in which they were added', () => {
    const bytes = creditedBytes()
    bytes.grant(1000)
    for (const text of ['one', '', 'two', 'three']) bytes.add(Buffer.from(text))
    let all = ''
    for (let piece = bytes.take(); piece; piece = bytes.take()) all += Buffer.from(piece).toString()
    expect(all).toBe('onetwothree')
  })
})

describe('a window', () => {
  it('grants again what was passed on, and notices more than was granted', () => {
    const grants: number[] = []
    const window = grantedWindow(100, (bytes) => grants.push(bytes))
    expect(window.received(100)).toBe(true)
    window.taken(40)
    expect(grants).toEqual([])
    window.taken(20)
    expect(grants).toEqual([60])
    expect([window.received(60), window.received(1)]).toEqual([true, false])
  })
})
