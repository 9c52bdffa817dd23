import { describe, expect, it } from 'vitest'
import { systemClock } from '@mcpg/core/clock'
import { inventoryRequests, maxOpenRequests } from './inventory-requests.ts'

/** A gateway that was asked, and the bodies that are known. */
function asking(deadlineMs = 60_000) {
  const known = new Set<string>()
  const asked: string[] = []
  const looked: string[] = []
  const requests = inventoryRequests<string>({
    isMissing: async (hash) => {
      looked.push(hash)
      return !known.has(hash)
    },
    ask: (hash) => void asked.push(hash),
    failed: (error) => {
      throw error
    },
    clock: systemClock,
    deadlineMs,
  })
  const want = (server: string, hash: string) => requests.want({ server, hash, report: hash })
  const answer = async (hash: string) => {
    known.add(hash)
    await requests.answered(hash)
  }
  return { requests, known, asked, looked, want, answer }
}

async function until(look: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 5_000; !look();) {
    if (performance.now() > deadline) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

describe('the inventories a gateway is asked for', () => {
  it('are a few at a time, and all of them in the end', async () => {
    const { asked, want, answer, requests } = asking()
    for (let index = 0; index < 100; index++) await want(`server-${index}`, `hash-${index}`)
    expect(asked).toHaveLength(maxOpenRequests)
    for (let next = 0; next < 100; next++) {
      expect(asked.length - next).toBeLessThanOrEqual(maxOpenRequests)
      await answer(asked[next]!)
    }
    expect(new Set(asked).size).toBe(100)
    requests.close()
  })

  it('are not asked for when the body came from elsewhere meanwhile', async () => {
    const { asked, looked, known, want, answer, requests } = asking()
    for (let index = 0; index < 20; index++) await want(`server-${index}`, `hash-${index}`)
    for (let index = 0; index < 20; index++) known.add(`hash-${index}`)
    await answer(asked[0]!)
    expect(asked).toHaveLength(maxOpenRequests)
    // What is due where the body is there was done by looking.
    expect(new Set(looked).size).toBe(20)
    requests.close()
  })

  it('are asked for once where two servers show the same', async () => {
    const { asked, looked, want, answer, requests } = asking()
    await want('one', 'same')
    await want('two', 'same')
    expect(asked).toEqual(['same'])
    await answer('same')
    expect([asked, looked]).toEqual([['same'], ['same', 'same']])
    requests.close()
  })

  it('are forgotten when their server has reported anew', async () => {
    const { asked, want, answer, requests } = asking()
    for (let index = 0; index <= maxOpenRequests; index++) await want(`server-${index}`, `hash-${index}`)
    requests.forget(`server-${maxOpenRequests}`)
    await answer(asked[0]!)
    expect(asked).toHaveLength(maxOpenRequests)
    requests.close()
  })

  it('make room when a gateway does not answer', async () => {
    const { asked, want, requests } = asking(20)
    for (let index = 0; index < maxOpenRequests * 2; index++) await want(`server-${index}`, `hash-${index}`)
    await until(() => asked.length === maxOpenRequests * 2)
    requests.close()
  })
})
