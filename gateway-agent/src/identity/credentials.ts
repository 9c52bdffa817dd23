import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { credentialCalls } from '../link/credential-calls.ts'
import { loadIdentity, type Identity } from './identity-file.ts'
import { recover } from './recovery.ts'
import { renewalLoop } from './renewal.ts'

export type GatewayCredentials = ReturnType<typeof gatewayCredentials>

/** The identity of a running agent: what is stored, how it is renewed in time, and how it is recovered when it was not. */
export function gatewayCredentials({
  folder,
  first,
  endpoints,
  endpointNames,
  clock,
  timers,
  log,
  random,
}: {
  folder: string
  /** As it was read at the start. */
  first: Identity
  endpoints: (identity: Identity) => string[]
  endpointNames: () => string[] | null
  clock: Clock
  timers: Timers
  log: Log
  random?: () => number
}) {
  const calls = credentialCalls({ endpoints, timers })
  const listeners = new Set<(identity: Identity) => void>()
  const renewal = renewalLoop({
    folder,
    identity: stored,
    endpointNames,
    calls,
    onRenewed: (identity) => listeners.forEach((tell) => tell(identity)),
    clock,
    timers,
    log,
    ...(random && { random }),
  })
  return { stored, recover: recoverNow, renewal, onRenewed: (tell: (identity: Identity) => void) => void listeners.add(tell) }

  /** What lies on disk may be newer than what was read at the start; damaged meanwhile, it is not needed to go on. */
  async function stored(): Promise<Identity> {
    try {
      return (await loadIdentity(folder)) ?? first
    } catch (error) {
      log.error({ err: error }, 'the stored identity cannot be read; the one of the start is used')
      return first
    }
  }

  async function recoverNow(me: Identity): Promise<Identity> {
    const recovered = await recover({ folder, me, calls })
    if (recovered !== me) log.info({ sequence: recovered.credential.sequence }, 'the expired certificate was recovered')
    // From now on there is something to renew again.
    renewal.look()
    return recovered
  }
}
