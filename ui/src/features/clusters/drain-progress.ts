import type { ClusterDrain, ClusterGateways, ClusterMove } from '@mcpg/proto/rest/clusters'

export type DrainedGateway = {
  org: string
  workspace: string
  environment: string
  name: string
  /** `pending`: its turn comes. `waiting`: it could not move yet, and `why` says for what. */
  state: 'moved' | 'moving' | 'waiting' | 'pending'
  why?: string
  /** The last one. */
  move?: ClusterMove
}

const order = ['moving', 'waiting', 'pending', 'moved']

/** Every gateway that a drain is about, those that need a look first. */
export function drainedGateways(drain: ClusterDrain, { items, moves }: ClusterGateways): DrainedGateway[] {
  const reasons = new Map(drain.waiting.map(({ gateway, why }) => [gateway, why]))
  const latest = new Map<string, ClusterMove>()
  for (const move of moves) if (!latest.has(pathOf(move))) latest.set(pathOf(move), move)
  const here = items.map((one): DrainedGateway => {
    const path = pathOf(one)
    const [move, why] = [latest.get(path), reasons.get(path)]
    latest.delete(path)
    const about = { ...placeOf(one), ...(move && { move }) }
    if (move?.state === 'running') return { ...about, state: 'moving' }
    return why === undefined ? { ...about, state: 'pending' } : { ...about, state: 'waiting', why }
  })
  // Its place is the other cluster's from the moment that the new installation counts.
  const away = [...latest.values()]
    .filter(({ state }) => state === 'running' || state === 'succeeded')
    .map((move): DrainedGateway => ({ ...placeOf(move), move, state: move.state === 'running' ? 'moving' : 'moved' }))
  return [...here, ...away].toSorted(
    (a, b) => order.indexOf(a.state) - order.indexOf(b.state) || (pathOf(a) < pathOf(b) ? -1 : pathOf(a) > pathOf(b) ? 1 : 0),
  )
}

type Place = { org: string; workspace: string; environment: string; name: string }

export const pathOf = ({ org, workspace, environment, name }: Place): string => `${org}/${workspace}/${environment}/${name}`

const placeOf = ({ org, workspace, environment, name }: Place): Place => ({ org, workspace, environment, name })
