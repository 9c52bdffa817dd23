/*
 * Keeps the credential of a gateway good: a certificate is replaced at the time that the control plane named, with a new key; the
 * certificate of the endpoint goes with it, or alone where the credential is a bearer.
 *
 *   new key and idempotency key on disk ─▶ asked ─▶ answer on disk ─▶ in use
 *
 * A crash or a lost answer at any arrow repeats the same request, which gets the same certificate; until the last arrow the old one works.
 * A control plane that cannot be reached, or a full disk, is tried again until the certificate is there.
 */
import { X509Certificate } from 'node:crypto'
import { fullJitter } from '@mcpg/core/backoff'
import type { Clock } from '@mcpg/core/clock'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { McpgError } from '@mcpg/proto/errors'
import type { CredentialCalls } from '../link/credential-calls.ts'
import { base64Of, credentialOf, endpointCertificateOf } from './credential.ts'
import { saveIdentity, type Identity } from './identity-file.ts'
import { certificateRequest, newCertificateKey } from './keys.ts'
import { forgetNextKeys, nextKeys } from './next-keys.ts'

/** Wall time is looked at this often: a clock that was set, a laptop that slept and a date beyond the longest timer of Node are one case. */
const lookMs = 60_000

export type Renewal = Part & {
  /** Looks at once, e.g. after a refusal that says that a newer certificate exists. */
  look(): void
}

export function renewalLoop({
  folder,
  identity,
  endpointNames,
  calls,
  onRenewed,
  clock,
  timers,
  log,
  random = Math.random,
}: {
  folder: string
  /** The stored one; must not reject. */
  identity: () => Promise<Identity>
  /** Names for the certificate of the endpoint; null where it needs none. */
  endpointNames: () => string[] | null
  calls: Pick<CredentialCalls, 'renew'>
  /** It is on disk already. */
  onRenewed: (identity: Identity) => void
  clock: Clock
  timers: Pick<Timers, 'reconnectBase' | 'reconnectMax' | 'unauthenticatedRetry'>
  log: Log
  random?: () => number
}): Renewal {
  let failures = 0
  let cancel = () => {}
  let running: Promise<void> | null = null
  let isStopped = false
  return { name: 'credential renewal', start: async () => look(), stop, look }

  async function stop(): Promise<void> {
    isStopped = true
    cancel()
    await running
  }

  function look(): void {
    if (isStopped || running) return
    cancel()
    running = tick().then((waitMs) => {
      running = null
      if (!isStopped) cancel = clock.after(waitMs, look)
    })
  }

  /** How long until the next look. */
  async function tick(): Promise<number> {
    const me = await identity()
    const names = endpointNames()
    const due = renewalTimes(me, names)
    const isDue = (at: number | null): boolean => at !== null && at <= clock.now()
    if (!isDue(due.identity) && !isDue(due.endpoint))
      return Math.min(lookMs, ...[due.identity, due.endpoint].flatMap((at) => (at === null ? [] : [at - clock.now()])))
    try {
      // The endpoint's goes along with the identity's, so that there is one exchange in half a day.
      await renew(me, isDue(due.identity), names)
      failures = 0
      return 0
    } catch (error) {
      const isRefused = error instanceof McpgError
      // Too late for a renewal: the link recovers it with its next dial.
      if (isRefused && error.reason === 'credential_expired') return lookMs
      const waitMs = isRefused
        ? timers.unauthenticatedRetry
        : fullJitter(failures++, { baseMs: timers.reconnectBase, maxMs: timers.reconnectMax }, random)
      log[isRefused ? 'error' : 'warn']({ err: error, retryInMs: waitMs }, 'a certificate could not be renewed; the old one goes on')
      return waitMs
    }
  }

  /** Names that are refused for the endpoint do not keep the gateway from its own certificate. */
  async function renew(me: Identity, withIdentity: boolean, names: string[] | null): Promise<void> {
    const take = (renewed: Identity) => {
      const { credential } = renewed
      log.info(
        { sequence: credential.sequence, ...(credential.kind === 'x509' && { until: credential.notAfter }) },
        'certificates were renewed',
      )
      onRenewed(renewed)
    }
    try {
      take(await renewOnce({ folder, me, withIdentity, endpointNames: names, calls }))
    } catch (error) {
      const isEndpoint = error instanceof McpgError && error.reason === 'endpoint_name_refused'
      if (isEndpoint && withIdentity) take(await renewOnce({ folder, me, withIdentity, endpointNames: null, calls }))
      throw error
    }
  }
}

/** When each is to be replaced, in milliseconds since 1970; 0 for an endpoint without a certificate for its names, null for what needs none. */
export function renewalTimes({ credential, endpoint }: Identity, endpointNames: string[] | null) {
  const isNamed = endpoint !== undefined && endpoint.names.join() === endpointNames?.join()
  return {
    identity: credential.kind === 'x509' ? Date.parse(credential.renewAfter) : null,
    endpoint: endpointNames && (isNamed ? halfLife(endpoint.certificates) : 0),
  }
}

function halfLife([leaf = '']: string[]): number {
  const { validFromDate, validToDate } = new X509Certificate(Buffer.from(leaf, 'base64'))
  return (validFromDate.getTime() + validToDate.getTime()) / 2
}

/** One exchange; answers what is on disk afterwards. */
export async function renewOnce({
  folder,
  me,
  withIdentity,
  endpointNames,
  calls,
}: {
  folder: string
  me: Identity
  withIdentity: boolean
  endpointNames: string[] | null
  calls: Pick<CredentialCalls, 'renew'>
}): Promise<Identity> {
  const { credential, instanceUid } = me
  const next = withIdentity ? await nextKeys(folder, me) : null
  // Not on disk before it is asked for: an answer that is lost costs one more certificate of the endpoint and nothing else.
  const endpointKey = endpointNames && newCertificateKey()
  const answer = await calls.renew(me, {
    credentialSequence: BigInt(credential.sequence),
    ...(next && {
      csr: await certificateRequest(next.identityKey, { commonName: instanceUid }),
      idempotencyKey: new Uint8Array(Buffer.from(next.idempotencyKey, 'base64')),
    }),
    ...(endpointKey && { endpointCsr: await certificateRequest(endpointKey, { commonName: instanceUid, names: endpointNames }) }),
  })
  const renewed: Identity = {
    ...me,
    ...(next && answer.credential && { identityKey: next.identityKey, credential: credentialOf(answer.credential, next.identityKey) }),
    ...(answer.trustBundle.length > 0 && { trustBundle: answer.trustBundle.map(base64Of) }),
    ...(endpointKey &&
      answer.endpointCertificate && {
        endpoint: endpointCertificateOf(answer.endpointCertificate, { key: endpointKey, names: endpointNames }),
      }),
  }
  await saveIdentity(folder, renewed)
  await forgetNextKeys(folder)
  return renewed
}
