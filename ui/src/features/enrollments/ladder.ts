import { shortHash, timeOf } from '../../lib/format.ts'
import { stateAt, type EnrollmentView, type RedemptionView } from '../../lib/objects/enrollment.ts'
import type { GatewayView } from '../../lib/objects/gateway.ts'

/** `waiting` is the rung that is next; `ahead` the ones after it. A failed rung names the check that failed and the remedy. */
export type Rung = {
  key: 'issued' | 'redeemed' | 'connected' | 'applied' | 'online'
  title: string
  state: 'done' | 'waiting' | 'ahead' | 'failed'
  detail: string
  at: number | undefined
  remedy?: string
}

export type Ladder = { rungs: Rung[]; gateway: GatewayView | undefined; isDone: boolean; hasFailed: boolean }

type Seen = { enrollment: EnrollmentView; redemption: RedemptionView | undefined; gateway: GatewayView | undefined; now: number }

/** From the issued command to a gateway that is online, as far as the control plane has seen it. */
export function ladderOf(enrollment: EnrollmentView, gateways: GatewayView[], now: number): Ladder {
  const redemption = enrollment.redemptions[0]
  const gateway = redemption && findGateway(redemption, gateways)
  const seen: Seen = { enrollment, redemption, gateway, now }
  const rungs = [issued(seen), redeemed(seen), connected(seen), applied(seen), online(seen)]
  // Only the first rung that is not done can be waited for or have failed.
  const at = rungs.findIndex((rung) => rung.state !== 'done')
  const settled = rungs.map((rung, index): Rung => (at < 0 || index <= at ? rung : { ...rung, state: 'ahead', detail: '', at: undefined }))
  return { rungs: settled, gateway, isDone: at < 0, hasFailed: settled[at]?.state === 'failed' }
}

/** A redemption names its gateway by id; a name or the uid of the installation would do as well. */
const findGateway = ({ gateway }: RedemptionView, gateways: GatewayView[]) =>
  gateways.find((one) => one.uid === gateway || one.name === gateway || one.instanceUid === gateway)

function issued({ enrollment }: Seen): Rung {
  return { key: 'issued', title: 'Command issued', state: 'done', detail: '', at: timeOf(enrollment.createdAt) }
}

function redeemed({ enrollment, redemption, gateway, now }: Seen): Rung {
  const rung = { key: 'redeemed' as const, title: 'Token redeemed', at: timeOf(redemption?.at) }
  if (redemption) {
    const facts = [
      redemption.source && `from ${redemption.source}`,
      gateway?.platform,
      gateway?.version && `v${gateway.version.replace(/^v/, '')}`,
    ]
    return { ...rung, state: 'done', detail: facts.filter(Boolean).join(', ') }
  }
  const state = stateAt(enrollment, now)
  if (state === 'expired')
    return {
      ...rung,
      state: 'failed',
      at: timeOf(enrollment.expiresAt),
      detail: 'The token expired before anybody used it.',
      remedy: 'Make a new one.',
    }
  if (state === 'revoked') return { ...rung, state: 'failed', detail: 'The token was revoked.', remedy: 'Make a new one.' }
  return { ...rung, state: 'waiting', detail: 'Waiting for the agent to call.' }
}

function connected({ redemption, gateway }: Seen): Rung {
  const rung = { key: 'connected' as const, title: 'Stream open', at: timeOf(redemption?.confirmedAt) ?? timeOf(gateway?.connectedAt) }
  if (gateway?.connection === 'revoked')
    return {
      ...rung,
      state: 'failed',
      detail: 'Its credential was revoked.',
      remedy: 'Enroll it again with a new command and --re-enroll.',
    }
  if (redemption?.confirmedAt || gateway?.connectedAt || gateway?.connection === 'online')
    return { ...rung, state: 'done', detail: 'The agent holds its own credential.' }
  return { ...rung, state: 'waiting', detail: 'The credential is issued; waiting for the first hello.' }
}

function applied({ gateway }: Seen): Rung {
  const rung = { key: 'applied' as const, title: 'Config applied', at: timeOf(gateway?.config.applied?.at) }
  if (!gateway) return { ...rung, state: 'waiting', detail: '' }
  const { state, applied: point, reason, message } = gateway.config
  if (state === 'rejected' || state === 'rolled_back')
    return {
      ...rung,
      state: 'failed',
      detail: `${state === 'rejected' ? 'Rejected' : 'Rolled back'}: ${[reason, message].filter(Boolean).join(' – ') || 'no reason was reported'}`,
      remedy: `mcpg-ctl describe gateway ${gateway.name}`,
    }
  if (point || state === 'applied') return { ...rung, state: 'done', detail: shortHash(point?.hash) }
  return { ...rung, state: 'waiting', detail: state === 'none' ? 'Waiting for its first config.' : `It is ${state}.` }
}

function online({ gateway }: Seen): Rung {
  const rung = { key: 'online' as const, title: 'Online', at: undefined }
  if (gateway?.connection === 'online') return { ...rung, state: 'done', detail: gateway.endpoints[0] ?? '' }
  const left = gateway?.connection === 'offline' || gateway?.connection === 'stopped'
  if (gateway && left)
    return {
      ...rung,
      state: 'failed',
      detail: `It was here and is ${gateway.connection} now.`,
      remedy: 'mcpg-ctl gateway-status, on its machine',
    }
  return { ...rung, state: 'waiting', detail: '' }
}
