import { describe, expect, it } from 'vitest'
import { turn } from './turns.ts'

/** Work of about `ms` that holds the event loop. */
function hold(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

describe('turn', () => {
  it('lets everybody else in after a few milliseconds, however many loops are at work', async () => {
    let working = 10
    let held = 0
    let longest = 0
    let visits = 0
    const visit = () => {
      longest = Math.max(longest, held)
      held = 0
      visits++
      if (working > 0) setImmediate(visit)
    }
    setImmediate(visit)
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        for (let piece = 0; piece < 20; piece++) {
          hold(1)
          held++
          await turn()
        }
        working--
      }),
    )
    // 200 pieces of 1 ms: with a budget of its own for each loop some 60 of them would come in a row.
    expect(longest).toBeLessThanOrEqual(20)
    expect(visits).toBeGreaterThanOrEqual(10)
  })

  it('gives all loops their turn', async () => {
    const order: number[] = []
    await Promise.all(
      [0, 1, 2].map(async (loop) => {
        for (let piece = 0; piece < 4; piece++) {
          hold(8)
          order.push(loop)
          await turn()
        }
      }),
    )
    expect(order).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
  })
})
