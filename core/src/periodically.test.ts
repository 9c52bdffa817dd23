import { describe, expect, it } from 'vitest'
import { fakeClock } from './clock.ts'
import { periodically } from './periodically.ts'

/** Runs that end when they are told to. */
function recorder(settings: Partial<Parameters<typeof periodically>[0]> = {}) {
  const clock = fakeClock()
  const begun: number[] = []
  const ends: (() => void)[] = []
  const failures: unknown[] = []
  const part = periodically({
    name: 'looks',
    clock,
    everyMs: 100,
    work: () => {
      begun.push(clock.monotonic())
      return new Promise((resolve) => ends.push(resolve))
    },
    failed: (error) => failures.push(error),
    ...settings,
  })
  const end = async () => {
    ends.shift()?.()
    await part.settled()
  }
  return { clock, begun, failures, part, end }
}

describe('something that is done periodically', () => {
  it('is done first after its period, and again a period after its end, never twice at a time', async () => {
    const { clock, begun, end, part } = recorder()
    await part.start()
    await clock.advance(99)
    expect(begun).toEqual([])
    await clock.advance(300)
    expect(begun).toEqual([100])
    await end()
    await clock.advance(150)
    expect(begun).toEqual([100, 499])
    await end()
    await part.stop()
  })

  it('begins when it is told to, and lets what waits between two be asked for each time', async () => {
    const pauses = [10, 20, 40]
    const at: number[] = []
    const clock = fakeClock()
    const part = periodically({
      name: 'looks',
      clock,
      firstMs: 0,
      everyMs: () => pauses.shift() ?? 1_000,
      work: () => void at.push(clock.monotonic()),
      failed: () => {},
    })
    await part.start()
    await clock.advance(75)
    expect(at).toEqual([0, 10, 30, 70])
    await part.stop()
  })

  it('tells of a failure and goes on', async () => {
    let count = 0
    const { clock, failures, part } = recorder({
      work: () => {
        if (++count === 1) throw new Error('thrown')
        return count === 2 ? Promise.reject(new Error('rejected')) : Promise.resolve()
      },
    })
    await part.start()
    await clock.advance(300)
    expect(count).toBe(3)
    expect(failures).toEqual([new Error('thrown'), new Error('rejected')])
    await part.stop()
  })

  it('is done once more where it is wanted while it is being done', async () => {
    const { clock, begun, end, part } = recorder()
    part.soon()
    await clock.advance(0)
    await part.start()
    part.soon()
    part.soon()
    await clock.advance(50)
    expect(begun).toEqual([0])
    await end()
    await clock.advance(50)
    expect(begun).toEqual([0, 50])
    await end()
    await clock.advance(99)
    expect(begun).toEqual([0, 50])
    await part.stop()
  })

  it('stops when the run on its way has ended, which is told of it, and begins no other', async () => {
    let stopping: AbortSignal | undefined
    let end = () => {}
    let count = 0
    const { clock, part } = recorder({
      work: (signal) => {
        stopping = signal
        count++
        return new Promise((resolve) => (end = resolve))
      },
    })
    await part.start()
    await clock.advance(100)
    expect(stopping?.aborted).toBe(false)
    let isStopped = false
    const stopped = part.stop().then(() => (isStopped = true))
    expect(stopping?.aborted).toBe(true)
    await clock.advance(1_000)
    expect([isStopped, count]).toEqual([false, 1])
    end()
    await stopped
    part.soon()
    await clock.advance(1_000)
    expect(count).toBe(1)
  })

  it('leaves no timer behind where it is stopped before its first run', async () => {
    const { clock, begun, part } = recorder()
    await part.start()
    await part.stop()
    await clock.advance(1_000)
    expect(begun).toEqual([])
  })
})
