import { beforeEach, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { presenceTracker } from './presence.ts'

let clock: ReturnType<typeof fakeClock>
let seen: string[]
let presence: ReturnType<typeof presenceTracker>

beforeEach(() => {
  clock = fakeClock()
  seen = []
  presence = presenceTracker({
    clock,
    timers: { heartbeat: 15_000, offlineAfter: 60_000, offlineAfterReset: 10_000 },
    onTransition: (_id, state, before) => seen.push(`${before}>${state}`),
  })
})

describe('presence', () => {
  it('stays online while frames come', async () => {
    presence.opened('gw')
    for (let beat = 0; beat < 20; beat++) {
      await clock.advance(15_000)
      presence.frame('gw')
    }
    expect(seen).toEqual(['never_seen>online'])
  })

  it('is late after 2.5 heartbeats of silence, offline after a minute, and online again with the next frame', async () => {
    presence.opened('gw')
    await clock.advance(37_499)
    expect(presence.stateOf('gw')).toBe('online')
    await clock.advance(1)
    expect(presence.stateOf('gw')).toBe('late')
    await clock.advance(22_499)
    expect(presence.stateOf('gw')).toBe('late')
    await clock.advance(1)
    expect(presence.stateOf('gw')).toBe('offline')
    presence.frame('gw')
    expect(seen).toEqual(['never_seen>online', 'online>late', 'late>offline', 'offline>online'])
  })

  it('measures silence from the last frame, not from when it looked', async () => {
    presence.opened('gw')
    await clock.advance(30_000)
    presence.frame('gw')
    await clock.advance(37_000)
    expect(presence.stateOf('gw')).toBe('online')
    await clock.advance(500)
    expect(presence.stateOf('gw')).toBe('late')
  })

  it('is offline ten seconds after the stream broke, and never so if it is back before', async () => {
    presence.opened('gw')
    presence.broken('gw')
    await clock.advance(9_999)
    expect(presence.stateOf('gw')).toBe('online')
    await clock.advance(1)
    expect(presence.stateOf('gw')).toBe('offline')
    presence.opened('gw')
    presence.broken('gw')
    await clock.advance(5_000)
    presence.opened('gw')
    await clock.advance(20_000)
    expect(seen).toEqual(['never_seen>online', 'online>offline', 'offline>online'])
  })

  it('is stopped at once by a goodbye, whatever happens to the stream then', async () => {
    presence.opened('gw')
    presence.goodbye('gw')
    presence.broken('gw')
    await clock.advance(120_000)
    expect(seen).toEqual(['never_seen>online', 'online>stopped'])
  })

  it('restores nobody as online: unknown first, offline when a minute has passed', async () => {
    presence.restore('was-online', 'online')
    presence.restore('was-late', 'late')
    presence.restore('was-stopped', 'stopped')
    presence.restore('new', 'never_seen')
    const states = () => ['was-online', 'was-late', 'was-stopped', 'new'].map((id) => presence.stateOf(id))
    expect(states()).toEqual(['unknown', 'unknown', 'stopped', 'never_seen'])
    await clock.advance(60_000)
    expect(states()).toEqual(['offline', 'offline', 'stopped', 'never_seen'])
  })

  it('asks for rarer heartbeats when there are more gateways, and waits longer then', () => {
    expect([presence.intervalMs(), presence.offlineAfterMs()]).toEqual([15_000, 60_000])
    for (let gateway = 0; gateway < 30_000; gateway++) presence.opened(`gw-${gateway}`)
    expect([presence.intervalMs(), presence.offlineAfterMs()]).toEqual([30_000, 120_000])
    presence.stop()
  })

  it('counts streams, not gateways', () => {
    presence.opened('gw')
    presence.opened('gw')
    expect(presence.online()).toBe(1)
    presence.broken('gw')
    presence.broken('gw')
    presence.forget('gw')
    expect(presence.online()).toBe(0)
  })
})
