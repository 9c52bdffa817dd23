import { describe, expect, it } from 'vitest'
import { clusterOf, healthOf } from './shown.ts'
import type { ClusterRow } from './store.ts'

const minutes = 60_000
const row = {
  id: 'c1',
  name: 'eu',
  driver: 'kubernetes',
  state: 'ready',
  gatewaysMax: 10,
  gatewaysReserved: 0,
  cpuMillicoresTotal: null,
  memoryBytesTotal: null,
  message: null,
  lastProbeAt: null,
  drain: null,
  failureScore: 2,
  failedAt: new Date(0).toISOString(),
} as ClusterRow

describe('the failures of a cluster', () => {
  it('are shown as they count now, and are none after some time', () => {
    const shown = (now: number) => [clusterOf(row, now).failureScore, healthOf(row, now).failureScore]
    expect(shown(0)).toEqual([2, 2])
    expect(shown(10 * minutes)).toEqual([1, 1])
    expect(shown(60 * minutes)).toEqual([0, 0])
    expect(clusterOf({ ...row, failureScore: 0, failedAt: null }, 0).failureScore).toBe(0)
  })
})
