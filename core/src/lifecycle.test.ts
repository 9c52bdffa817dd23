import { describe, expect, it } from 'vitest'
import { run, type Part } from './lifecycle.ts'

function recorder() {
  const log: string[] = []
  const part = (name: string, { start, stop }: Partial<Part> = {}): Part => ({
    name,
    start: async (fail) => {
      log.push(`start ${name}`)
      await start?.(fail)
    },
    stop: async () => {
      log.push(`stop ${name}`)
      await stop?.()
    },
  })
  return { log, part }
}

describe('run', () => {
  it('starts in order, tells when ready and stops in reverse', async () => {
    const { log, part } = recorder()
    const stopping = new AbortController()
    await run([part('a'), part('b')], stopping.signal, () => {
      log.push('ready')
      stopping.abort()
    })
    expect(log).toEqual(['start a', 'start b', 'ready', 'stop b', 'stop a'])
  })

  it('stops what was started when a part cannot start, that part too, and rejects with its error', async () => {
    const { log, part } = recorder()
    const bad = part('b', { start: () => Promise.reject(new Error('port taken')) })
    await expect(run([part('a'), bad, part('c')], new AbortController().signal)).rejects.toThrow('port taken')
    expect(log).toEqual(['start a', 'start b', 'stop b', 'stop a'])
  })

  it('ends with the error of a loop that dies later', async () => {
    const { log, part } = recorder()
    let die: (error: unknown) => void = () => {}
    const loop = part('loop', { start: async (fail) => void (die = fail) })
    await expect(run([part('a'), loop], new AbortController().signal, () => die(new Error('lost')))).rejects.toThrow('lost')
    expect(log.slice(-2)).toEqual(['stop loop', 'stop a'])
  })

  it('stops the others when one fails to stop', async () => {
    const { log, part } = recorder()
    const stopping = new AbortController()
    const bad = part('b', { stop: () => Promise.reject(new Error('stuck')) })
    await expect(run([part('a'), bad], stopping.signal, () => stopping.abort())).rejects.toThrow('stuck')
    expect(log.at(-1)).toBe('stop a')
  })

  it('starts nothing more once it is told to stop', async () => {
    const { log, part } = recorder()
    const stopping = new AbortController()
    await run([part('a', { start: async () => stopping.abort() }), part('b')], stopping.signal)
    expect(log).toEqual(['start a', 'stop a'])
  })
})
