import type { Cluster } from '@mcpg/proto/rest/clusters'
import { describe, expect, it } from 'vitest'
import { createCommand } from './parameters.ts'
import { candidates } from './placement.ts'

const cluster = (name: string, more: Partial<Cluster> = {}): Cluster => ({
  id: `cl_${name}`,
  name,
  driver: 'local',
  state: 'ready',
  region: 'eu',
  isolationTier: 'shared',
  labels: {},
  gateways: { max: 10, reserved: 4 },
  cpuMillicores: { reserved: 0 },
  memoryBytes: { reserved: 0 },
  totalsGiven: false,
  failureScore: 0,
  createdAt: '',
  updatedAt: '',
  ...more,
})

describe('the command that provisions', () => {
  const scope = { org: 'acme', workspace: 'shop', environment: 'eu' }
  const begin = 'mcpg-ctl provision create --org acme --workspace shop --env eu --name'
  it('leaves out what is a default', () => {
    expect(createCommand(scope, 'edge', { size: 's', replicas: 1, imageTag: 'latest', strategy: 'binpack' })).toBe(`${begin} edge`)
    expect(createCommand(scope, '', {})).toBe(`${begin} <name>`)
  })
  it('has everything else, as a shell takes it', () => {
    const all = {
      size: 'm',
      replicas: 2,
      maxReplicas: 5,
      region: 'eu',
      isolationTier: 'sandboxed',
      allowHigherTier: true,
      clusterSelector: 'zone!=a b',
    } as const
    expect(createCommand(scope, 'edge', { ...all, strategy: 'spread' })).toBe(
      `${begin} edge --size m --replicas 2 --max-replicas 5 --region eu --isolation-tier sandboxed --cluster-selector 'zone!=a b' --strategy spread --allow-higher-tier`,
    )
  })
})

describe('clusters that a request could go to', () => {
  const all = [
    cluster('a'),
    cluster('b', { region: 'us' }),
    cluster('c', { state: 'cordoned' }),
    cluster('d', { isolationTier: 'dedicated' }),
  ]
  const asked = { region: '', isolationTier: 'shared', allowHigherTier: false }
  it('are those that are ready and of the region and the tier', () => {
    expect(candidates(asked, all).text).toBe('It can go to a (6 of 10 places free), b (6 of 10 places free).')
    expect(candidates({ ...asked, region: 'us' }, all).text).toBe('It can go to b (6 of 10 places free).')
    expect(candidates({ ...asked, isolationTier: 'sandboxed', allowHigherTier: true }, all).text).toBe(
      'It can go to d (6 of 10 places free).',
    )
    expect(candidates({ ...asked, isolationTier: 'sandboxed' }, all).isNone).toBe(true)
  })
})
