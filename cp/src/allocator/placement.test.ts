import { describe, expect, it } from 'vitest'
import { isolationTiers } from '@mcpg/proto/rest/clusters'
import { parseSelector } from '@mcpg/proto/selectors'
import { place, type PlaceableCluster, type PlacementRequest } from './placement.ts'

const GiB = 2 ** 30
const cluster = (id: string, values: Partial<PlaceableCluster> = {}): PlaceableCluster => ({
  id,
  name: id,
  state: 'ready',
  region: 'eu',
  isolationTier: 'shared',
  labels: {},
  gatewaysMax: 10,
  gatewaysReserved: 0,
  cpuMillicoresTotal: 4000,
  cpuMillicoresReserved: 0,
  memoryBytesTotal: 8 * GiB,
  memoryBytesReserved: 0,
  failureScore: 0,
  message: null,
  failedAt: null,
  backoffUntil: null,
  orgs: [],
  ...values,
})
const request = (values: Partial<PlacementRequest> = {}): PlacementRequest => ({
  org: 'acme',
  gateways: 1,
  cpuMillicores: 250,
  memoryBytes: GiB / 2,
  region: null,
  isolationTier: 'shared',
  allowHigherTier: false,
  selector: [],
  strategy: 'binpack',
  siblings: new Set(),
  excluded: new Map(),
  ...values,
})
const names = (asked: PlacementRequest, clusters: PlaceableCluster[], now = 0) => place(asked, clusters, now).ranked.map(({ id }) => id)
const why = (asked: PlacementRequest, one: PlaceableCluster, now = 0) => place(asked, [one], now).passedOver[0]?.reason

describe('what keeps a gateway from a cluster', () => {
  it.each([
    ['state', {}, { state: 'cordoned' }],
    ['driver', { excluded: new Map([['a', 'one replica']]) }, {}],
    ['tier', {}, { isolationTier: 'sandboxed' }],
    ['tier', { isolationTier: 'dedicated', allowHigherTier: true }, { isolationTier: 'sandboxed' }],
    ['dedicated', { isolationTier: 'dedicated' }, { isolationTier: 'dedicated', orgs: ['other'] }],
    ['region', { region: 'us' }, {}],
    ['labels', { selector: parseSelector('disk=ssd') }, { labels: { disk: 'hdd' } }],
    ['back_off', {}, { backoffUntil: 1 }],
    ['gateways', {}, { gatewaysReserved: 10 }],
    ['cpu', {}, { cpuMillicoresReserved: 3726 }],
    ['memory', {}, { memoryBytesReserved: 8 * GiB - 0.54 * GiB }],
  ] as [string, Partial<PlacementRequest>, Partial<PlaceableCluster>][])('%s', (reason, asked, values) => {
    expect(why(request(asked), cluster('a', values))).toBe(reason)
    expect(names(request(asked), [cluster('a', values)])).toEqual([])
  })

  it('is nothing where a tenth more than is needed is free, the tier is higher on request, or the limit is not known', () => {
    expect(names(request(), [cluster('a', { cpuMillicoresReserved: 3725 })])).toEqual(['a'])
    expect(names(request({ allowHigherTier: true }), [cluster('a', { isolationTier: 'sandboxed' })])).toEqual(['a'])
    expect(names(request({ isolationTier: 'dedicated' }), [cluster('a', { isolationTier: 'dedicated', orgs: ['acme'] })])).toEqual(['a'])
    expect(names(request({ cpuMillicores: 1e9 }), [cluster('a', { cpuMillicoresTotal: null, memoryBytesTotal: null })])).toEqual(['a'])
    expect(place(request(), [cluster('a', { state: 'decommissioned' })], 0)).toEqual({ ranked: [], passedOver: [] })
  })
})

describe('which of several is taken', () => {
  const half = cluster('half', { cpuMillicoresReserved: 2000, memoryBytesReserved: 4 * GiB })
  const empty = cluster('empty')

  it('is the fullest one, with spread the emptiest, and the lowest id of equal ones', () => {
    expect(names(request(), [empty, half])).toEqual(['half', 'empty'])
    expect(names(request({ strategy: 'spread' }), [half, empty])).toEqual(['empty', 'half'])
    expect(names(request(), [cluster('b'), cluster('a')])).toEqual(['a', 'b'])
  })

  it('is rather another one than the one with a sibling, or with failures, which count half after ten minutes', () => {
    const begun = cluster('begun', { cpuMillicoresReserved: 500, memoryBytesReserved: GiB })
    expect(names(request(), [begun, empty])).toEqual(['begun', 'empty'])
    expect(names(request({ siblings: new Set(['begun']) }), [begun, empty])).toEqual(['empty', 'begun'])
    const failed = { ...half, failureScore: 20, failedAt: 0 }
    expect(names(request(), [failed, empty], 0)).toEqual(['empty', 'half'])
    expect(names(request(), [failed, empty], 60 * 60_000)).toEqual(['half', 'empty'])
  })
})

it('ranks whatever there is so that all that is ranked fits, all else has a reason, and the order of the input does not matter', () => {
  let seed = 7
  const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below
  const oneOf = <T>(list: readonly T[]): T => list[random(list.length)]!
  for (let round = 0; round < 500; round++) {
    const clusters = Array.from({ length: 1 + random(8) }, (_, index) =>
      cluster(`c${index}`, {
        state: oneOf(['ready', 'ready', 'ready', 'cordoned', 'unreachable'] as const),
        region: oneOf(['eu', 'us']),
        isolationTier: oneOf(isolationTiers),
        gatewaysMax: 1 + random(5),
        gatewaysReserved: random(2),
        cpuMillicoresTotal: oneOf([null, 500, 4000]),
        cpuMillicoresReserved: random(500),
        memoryBytesReserved: random(8) * GiB,
        failureScore: random(3),
        failedAt: oneOf([null, 0]),
      }),
    )
    const asked = request({
      region: oneOf([null, 'eu']),
      isolationTier: oneOf(isolationTiers),
      allowHigherTier: random(2) === 1,
      gateways: 1 + random(3),
      cpuMillicores: random(2000),
      memoryBytes: random(4) * GiB,
      strategy: oneOf(['binpack', 'spread'] as const),
    })
    const { ranked, passedOver } = place(asked, clusters, random(10_000_000))
    expect(ranked.length + passedOver.length).toBe(clusters.length)
    for (const one of ranked) {
      expect(one.gatewaysReserved + asked.gateways).toBeLessThanOrEqual(one.gatewaysMax)
      expect(one.cpuMillicoresReserved + asked.cpuMillicores).toBeLessThanOrEqual(one.cpuMillicoresTotal ?? Infinity)
      expect(one.memoryBytesReserved + asked.memoryBytes).toBeLessThanOrEqual(one.memoryBytesTotal ?? Infinity)
    }
    expect(names(asked, clusters.toReversed(), 5)).toEqual(names(asked, clusters, 5))
  }
})
