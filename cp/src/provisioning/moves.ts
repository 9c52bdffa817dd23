import { randomBytes } from 'node:crypto'
import { McpgError } from '@mcpg/proto/errors'
import { ownCaller } from '../access/caller.ts'
import type { Allocator } from '../allocator/allocator.ts'
import { event, type BeginningOf } from './beginning.ts'
import { amountsText } from './input.ts'
import type { PlacementFor } from './placing.ts'
import type { ManagedGateway } from './store.ts'

/** Begins the move of a gateway to another cluster; or says why it stays. */
export type Move = (gateway: ManagedGateway) => Promise<{ operationId: string } | { why: string }>

export function gatewayMoves({
  allocator,
  placement,
  beginningOf,
  take,
}: {
  allocator: Pick<Allocator, 'begin'>
  placement: PlacementFor
  beginningOf: BeginningOf
  take: (operationId: string) => Promise<void>
}): Move {
  return async (gateway) => {
    try {
      return await move(gateway)
    } catch (error) {
      if (error instanceof McpgError) return { why: error.message }
      throw error
    }
  }

  async function move(gateway: ManagedGateway): Promise<{ operationId: string } | { why: string }> {
    const { name, instanceUid, clusterId } = gateway
    // Another cluster may have its gateways from another registry.
    const { image: _, ...parameters } = gateway.parameters
    if (gateway.state === 'deleting') return { why: 'it was to be deleted, and that has failed: delete it again' }
    const request = await placement(gateway, parameters)
    const about = { ...gateway, instanceUid: `${name}-${randomBytes(3).toString('hex')}`, clusterId: null }
    const input = { parameters, from: { instanceUid, clusterId } }
    const beginning = {
      ...beginningOf(ownCaller(), 'move', about, input, 'known', [
        event('filtering', 'done', `looking for room for ${amountsText(request)}`),
        event('reserved', 'done', 'reserved on {cluster}'),
      ]),
      knownUid: instanceUid,
    }
    const outcome = await allocator.begin(request, beginning)
    switch (outcome.outcome) {
      case 'started':
        await take(beginning.operation.id)
        return { operationId: beginning.operation.id }
      case 'in_progress':
        return { why: `the operation ${outcome.operationId} is at work on it` }
      case 'no_capacity':
        return { why: outcome.passedOver.map(({ cluster, detail }) => `${cluster}: ${detail}`).join('; ') || 'there is no other cluster' }
      default:
        return { why: 'it comes and goes' }
    }
  }
}
