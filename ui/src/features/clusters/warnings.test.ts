import type { Cluster } from '@mcpg/proto/rest/clusters'
import { expect, it } from 'vitest'
import { roomFor, warningsOf } from './warnings.ts'

const cluster = (more: Partial<Cluster>): Cluster => ({
  id: 'cl_1',
  name: 'berlin',
  driver: 'kubernetes',
  state: 'ready',
  region: 'eu',
  isolationTier: 'shared',
  labels: {},
  gateways: { max: 10, reserved: 0 },
  cpuMillicores: { reserved: 0 },
  memoryBytes: { reserved: 0 },
  totalsGiven: false,
  failureScore: 0,
  createdAt: '',
  updatedAt: '',
  ...more,
})

it('counts the small gateways that have room, with a tenth beside the last one', () => {
  expect(roomFor(cluster({}))).toBe(10)
  expect(roomFor(cluster({ gateways: { max: 10, reserved: 7 } }))).toBe(3)
  expect(roomFor(cluster({ cpuMillicores: { total: 550, reserved: 0 } }))).toBe(2)
  expect(roomFor(cluster({ cpuMillicores: { total: 500, reserved: 0 } }))).toBe(1)
  expect(roomFor(cluster({ memoryBytes: { total: 512 * 2 ** 20, reserved: 0 } }))).toBe(0)
})

it('names what is wrong and what is nearly full, of a cluster that is in use', () => {
  const troubled = { message: 'The API does not answer.', gateways: { max: 10, reserved: 8 }, failureScore: 1.5 }
  expect(warningsOf(cluster(troubled))).toEqual([
    'The API does not answer.',
    'Nearly full: gateways.',
    'It failed lately (score 1.5); other clusters are preferred.',
  ])
  expect(warningsOf(cluster({ ...troubled, state: 'decommissioned' }))).toEqual([])
  expect(warningsOf(cluster({ gateways: { max: 5, reserved: 5 }, cpuMillicores: { total: 100, reserved: 80 } }))).toEqual([
    'Full: gateways.',
    'Nearly full: CPU.',
  ])
  expect(warningsOf(cluster({}))).toEqual([])
})
