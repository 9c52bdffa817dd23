import { describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { changeBus } from './changes.ts'
import { readCursor, writeCursor } from './cursor.ts'

const change = (name: string) => ({ type: 'MODIFIED' as const, scope: 'o/w', kind: 'Server', name })

describe('the change bus', () => {
  it('tells the first status at once and the following ones of 250 ms together', async () => {
    const clock = fakeClock()
    const bus = changeBus({ clock })
    let told = 0
    bus.onChange(() => told++)
    for (let index = 0; index < 100; index++) bus.status('o/w', 'Server', 'a')
    expect(told).toBe(1)
    await clock.advance(249)
    expect(told).toBe(1)
    await clock.advance(1)
    expect(told).toBe(2)
    await clock.advance(1000)
    expect(told).toBe(2)
    bus.status('o/w', 'Server', 'a')
    bus.status('o/w', 'Server', 'b')
    expect(told).toBe(4)
  })

  it('keeps at most four a second under a storm', async () => {
    const clock = fakeClock()
    const bus = changeBus({ clock })
    let told = 0
    bus.onChange(() => told++)
    for (let ms = 0; ms < 1000; ms += 10) {
      bus.status('o/w', 'Server', 'a')
      await clock.advance(10)
    }
    expect(told).toBeLessThanOrEqual(5)
  })

  it('goes on telling the others when one subscriber fails', () => {
    const bus = changeBus({ clock: fakeClock() })
    const errors: unknown[] = []
    bus.onError((error) => errors.push(error))
    bus.onChange(() => {
      throw new Error('broken')
    })
    const heard: string[] = []
    bus.onChange(({ name }) => heard.push(name))
    bus.publish(change('a'))
    expect([heard, errors.length]).toEqual([['a'], 1])
  })

  it('knows what followed a number, until it is too long ago', () => {
    const bus = changeBus({ clock: fakeClock(), capacity: 8 })
    for (let index = 1; index <= 30; index++) bus.publish(change(`c-${index}`))
    expect(bus.since(30)).toEqual([])
    expect(bus.since(28)!.map(({ name }) => name)).toEqual(['c-29', 'c-30'])
    expect(bus.since(1)).toBeNull()
    expect(bus.since(31)).toBeNull()
    for (let seq = 22; seq <= 30; seq++) expect(bus.since(seq)?.length).toBe(30 - seq)
  })

  it('says nothing more once it is stopped', async () => {
    const clock = fakeClock()
    const bus = changeBus({ clock })
    let told = 0
    bus.onChange(() => told++)
    bus.status('o/w', 'Server', 'a')
    bus.status('o/w', 'Server', 'a')
    bus.stop()
    await clock.advance(1000)
    expect(told).toBe(1)
  })
})

describe('a cursor', () => {
  it('comes back as it went', () => {
    const cursor = { boot: '0a1b2c3d', seq: 12, version: 7 }
    expect(readCursor(writeCursor(cursor))).toEqual(cursor)
  })

  it.each(['', 'x', Buffer.from('a.b.c').toString('base64url'), Buffer.from('0a1b2c3d.1').toString('base64url')])('is not %j', (text) => {
    expect(readCursor(text)).toBeNull()
  })
})
