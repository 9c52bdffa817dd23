import type { Resource } from '@mcpg/proto/kinds/kind'
import type { ApplyResult, PinnedGateway } from '@mcpg/proto/rest/apply'
import { turn } from '../turns.ts'
import type { Planned } from './plan.ts'
import type { WorkspaceScope } from './scope.ts'
import { envelopeOf, resourceOf } from './store.ts'

/** What the room of a stored kind knows of gateways. */
export type Placing = {
  /** Names of the gateways that would run each of the objects, in their order. */
  placedOn: (scope: WorkspaceScope, objects: Resource[]) => Promise<string[][]>
  /** Gateways of the scope that no change reaches now. */
  pinned: (scope: WorkspaceScope) => PinnedGateway[]
}

export type Placements = ReadonlyMap<string, Placing>

/** Notes at each result where its object runs afterwards, and answers which pinned gateways a change would have to reach. */
export async function addPlacements(
  placements: Placements,
  scope: WorkspaceScope,
  plan: Planned[],
  results: ApplyResult[],
): Promise<PinnedGateway[]> {
  const reached: PinnedGateway[] = []
  for (const [kind, { placedOn, pinned }] of placements) {
    const shown: { index: number; object: Resource }[] = []
    for (const [index, { declaration, after }] of plan.entries()) {
      if (declaration.kind === kind && after) shown.push({ index, object: envelopeOf(after, after.content) })
      await turn()
    }
    const gateways = await placedOn(
      scope,
      shown.map(({ object }) => object),
    )
    shown.forEach(({ index }, position) => (results[index]!.placedOn = gateways[position] ?? []))
    const pins = pinned(scope)
    if (pins.length === 0) continue
    const names = new Set([...gateways, ...(await placedOn(scope, await before(kind, plan)))].flat())
    reached.push(...pins.filter(({ gateway }) => names.has(gateway)))
  }
  return reached
}

/** What is taken away from a gateway concerns it as well. */
async function before(kind: string, plan: Planned[]): Promise<Resource[]> {
  const objects: Resource[] = []
  for (const { declaration, before: row, result } of plan) {
    if (declaration.kind === kind && row && result !== 'unchanged') objects.push(resourceOf(declaration, row))
    await turn()
  }
  return objects
}
