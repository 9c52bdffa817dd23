import { givenCertificate } from '@mcpg/core/certificate-files'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { listeners, type Pair, type ServerCertificate } from '@mcpg/core/server-certificate'
import type { Timers } from '@mcpg/core/timers'
import { McpgError } from '@mcpg/proto/errors'
import type { Settings } from '../config.ts'
import type { CredentialCalls } from '../link/credential-calls.ts'
import { pemOf, type Identity } from './identity-file.ts'
import { renewalTimes, renewOnce } from './renewal.ts'

/** Names that the control plane is to certify the endpoint for; null where it is on loopback or has files of its own. */
export function endpointNamesOf({ endpointTls }: Pick<Settings, 'endpointTls'>): () => string[] | null {
  return endpointTls && 'names' in endpointTls ? endpointTls.names : () => null
}

/** What the endpoint shows: the operator's files, or what came from the control plane and changes with each renewal; null on loopback. */
export function endpointCertificate({
  tls,
  identity,
  onRenewed,
  clock,
  timers,
  log,
}: {
  tls: Settings['endpointTls']
  identity: Identity
  onRenewed: (tell: (identity: Identity) => void) => void
  clock: Clock
  timers: Timers
  log: Log
}): ServerCertificate | null {
  if (!tls) return null
  if ('files' in tls) return givenCertificate({ files: tls.files, first: tls.pair, clock, timers, log })
  let pair = pairOf(identity)
  const changed = listeners()
  onRenewed((renewed) => {
    pair = pairOf(renewed)
    changed.tell()
  })
  return { pair: () => pair, onChange: changed.add, stop: () => {} }
}

/**
 * The identity with a certificate for the endpoint. One that is bound beyond loopback only now asks for it before it listens; a control plane
 * that cannot be asked ends the start, and what there is from an earlier one is used, be it old.
 */
export async function withEndpointCertificate(
  me: Identity,
  {
    folder,
    names,
    calls,
    tell,
  }: { folder: string; names: string[] | null; calls: Pick<CredentialCalls, 'renew'>; tell: (line: string) => void },
): Promise<Identity> {
  if (!names || renewalTimes(me, names).endpoint !== 0) return me
  try {
    const renewed = await renewOnce({ folder, me, withIdentity: false, endpointNames: names, calls })
    if (renewed.endpoint) return renewed
    throw new Error('it gave none')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (me.endpoint) {
      tell(
        `Warning: no certificate for ${names.join(', ')} could be had (${why}); the endpoint keeps the one for ${me.endpoint.names.join(', ')}.`,
      )
      return me
    }
    if (error instanceof McpgError) throw error
    throw new McpgError(
      'unavailable',
      'endpoint_certificate_missing',
      `The endpoint needs a certificate of the control plane, which does not answer (${why})`,
      {
        hint: 'start it again when the control plane answers, give it a certificate of its own (--tls-cert-file, --tls-key-file), or bind 127.0.0.1',
        cause: error,
      },
    )
  }
}

function pairOf({ endpoint }: Identity): Pair {
  if (!endpoint) throw new McpgError('internal', 'endpoint_certificate_missing', 'The endpoint has no certificate.')
  return { key: endpoint.key, cert: pemOf(endpoint.certificates) }
}
