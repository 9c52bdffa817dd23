import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import type { Db } from '../db/db.ts'
import { testDatabase } from '../db/testing.ts'
import { changeHistory } from './history.ts'

let db: Db
let close = async () => {}
beforeAll(async () => ({ db, close } = await testDatabase()))
afterAll(() => close())

const day = 24 * 3_600_000
const object = (name: string) => JSON.stringify({ kind: 'Server', metadata: { name }, spec: {} })

describe('the history of changes', () => {
  it('answers what followed a number, and null once a part of it is gone', async () => {
    const clock = fakeClock()
    const history = changeHistory({ db, clock })
    const at = (ms: number) => new Date(clock.now() - ms).toISOString()
    const rows = Array.from({ length: 1200 }, (_, index) => ({
      scope: 'o/w',
      seq: index + 1,
      type: 'ADDED',
      kind: 'Server',
      name: `s-${index + 1}`,
      object: object(`s-${index + 1}`),
      at: at(index < 1100 ? day + 1000 : 1000),
    }))
    await db.write((tx) => tx.change.createMany({ data: rows }))
    await db.write((tx) => tx.scope.create({ data: { scope: 'o/w', changeSeq: 1200 } }))
    expect((await history.since('o/w', 1198))!.map(({ name, object: { metadata } }) => [name, metadata.resourceVersion])).toEqual([
      ['s-1199', '1199'],
      ['s-1200', '1200'],
    ])
    expect(await history.since('o/w', 0)).toHaveLength(1200)
    expect(await history.since('o/w', 1200)).toEqual([])
    expect(await history.since('o/w', 1201)).toBeNull()
    await history.chore.run(new AbortController().signal)
    expect(await db.read.change.count()).toBe(100)
    expect(await history.since('o/w', 1099)).toBeNull()
    expect(await history.since('o/w', 1100)).toHaveLength(100)
    expect(await history.since('nowhere', 0)).toEqual([])
  })
})
