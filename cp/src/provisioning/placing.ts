import { nearest } from '@mcpg/core/nearest'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import { parseSelector, type SelectorTerm } from '@mcpg/proto/selectors'
import type { PlacementRequest } from '../allocator/allocator.ts'
import type { Clusters } from '../clusters/service.ts'
import { amountsOf, type Parameters } from './input.ts'
import type { ProvisioningStore } from './store.ts'

export type PlacementFor = (gateway: { org: string; workspace: string; name: string }, parameters: Parameters) => Promise<PlacementRequest>

/** What a gateway with these parameters needs of a cluster. Throws `invalid` for what no cluster could ever run. */
export function placementFor({
  clusters: { driversIn },
  store,
}: {
  clusters: Pick<Clusters, 'driversIn'>
  store: Pick<ProvisioningStore, 'clustersOfName'>
}): PlacementFor {
  return async ({ org, workspace, name }, parameters) => ({
    org,
    ...amountsOf(parameters),
    region: parameters.region ?? null,
    isolationTier: parameters.isolationTier ?? 'shared',
    allowHigherTier: parameters.allowHigherTier,
    selector: selectorOf(parameters.clusterSelector),
    strategy: parameters.strategy,
    siblings: await store.clustersOfName({ org, workspace, name }),
    excluded: await refusedClusters(parameters),
  })

  /** Clusters whose driver cannot run this, with why; where none can, the request is wrong. */
  async function refusedClusters(parameters: Parameters): Promise<ReadonlyMap<string, string>> {
    const all = await driversIn()
    const { region } = parameters
    if (region !== undefined && all.length > 0 && all.every((one) => one.region !== region)) throw unknownRegion(region, all)
    const checked = all.map(({ id, driver }) => ({ id, violations: driver?.check(parameters) ?? [] }))
    const refused = checked.filter(({ violations }) => violations.length > 0)
    if (refused.length > 0 && refused.length === all.length) throw unsupported(refused[0]!.violations)
    return new Map(refused.map(({ id, violations }) => [id, violations.map(({ detail }) => detail).join('; ')]))
  }
}

export const unsupported = (violations: Violation[]) =>
  new McpgError('invalid', 'not_runnable', `No cluster can run this: ${violations.map(({ detail }) => detail).join('; ')}.`, { violations })

function selectorOf(text: string | undefined): SelectorTerm[] {
  try {
    return parseSelector(text ?? '')
  } catch (error) {
    const detail = (error as Error).message
    throw new McpgError('invalid', 'selector_malformed', detail, { violations: [{ pointer: '/clusterSelector', detail }] })
  }
}

function unknownRegion(region: string, all: { region: string }[]): McpgError {
  const regions = [...new Set(all.map((one) => one.region))].sort()
  const meant = nearest(region, regions)
  const detail = `no cluster is in the region ${region}; there are: ${regions.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`
  return new McpgError('invalid', 'region_unknown', `${detail[0]!.toUpperCase()}${detail.slice(1)}${meant === undefined ? '.' : ''}`, {
    violations: [{ pointer: '/region', detail }],
    hint: 'mcpg-ctl cluster list',
  })
}
