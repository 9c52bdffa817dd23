/** Words and sizes of managed gateways, apart from the shapes of REST so that a page can have them without a validator. */

/** How strictly gateways of a cluster are kept apart, from the weakest on. */
export const isolationTiers = ['shared', 'sandboxed', 'dedicated'] as const

/** The public ladder; what happens within a phase is its `step`. */
export const operationPhases = ['allocating', 'applying', 'ready', 'failed'] as const
export type OperationPhase = (typeof operationPhases)[number]
/** After one of these there is nothing more to tell. */
export const isLastPhase = (phase: OperationPhase): boolean => phase === 'ready' || phase === 'failed'

export const operationStates = ['running', 'succeeded', 'failed', 'cancelled'] as const
export type OperationState = (typeof operationStates)[number]

/** `move`: to another cluster, as another installation of the same name. */
export const operationKinds = ['create', 'update', 'delete', 'move'] as const
export type OperationKind = (typeof operationKinds)[number]

/** So many gateways of a cluster that is drained are on their way at once: a tenth of those at the beginning, and at least one. */
export const movesAtOnce = (total: number): number => Math.max(1, Math.floor(total * 0.1))

/** What one replica of a gateway gets. */
export const gatewaySizes = {
  s: { cpuMillicores: 250, memoryBytes: 512 * 2 ** 20 },
  m: { cpuMillicores: 500, memoryBytes: 2 ** 30 },
  l: { cpuMillicores: 1000, memoryBytes: 2 * 2 ** 30 },
} as const
export type GatewaySize = keyof typeof gatewaySizes
