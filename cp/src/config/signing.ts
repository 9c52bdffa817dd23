import type { Clock } from '@mcpg/core/clock'
import type { Timers } from '@mcpg/core/timers'
import { configContentType } from '@mcpg/proto/gateway-config'
import type { ConfigCause } from '@mcpg/proto/rest/gateways'
import type { Keys } from '../keys/keys.ts'
import type { Documents, ReadDocument } from './documents.ts'
import { probationFor } from './probation.ts'
import type { Assignment } from './store.ts'

/** The config that a gateway should run. */
export type Desired = Assignment & { document: ReadDocument }

/** Makes a document, which names nobody, into a generation of one gateway: numbered, with its probation, signed. */
export function configSigner({
  documents,
  keys,
  clock,
  timers,
}: {
  documents: Pick<Documents, 'load'>
  keys: Pick<Keys, 'sign'>
  clock: Clock
  timers: Pick<Timers, 'probation'>
}) {
  return sign

  async function sign(
    gatewayId: string,
    configHash: string,
    {
      lkgHash,
      generation,
      force,
      changeSeq,
      cause,
    }: { lkgHash: string | null; generation: number; force: boolean; changeSeq: number; cause: ConfigCause },
  ): Promise<Desired> {
    const document = await documents.load(configHash)
    if (!document) throw new Error(`the document ${configHash} is missing`)
    const lkg = lkgHash === null ? 'none' : ((await documents.load(lkgHash))?.entries ?? 'unknown')
    const probationMs = probationFor(lkg, document.entries, timers.probation)
    const header = { v: 1 as const, gatewayId, generation, configHash, contentType: configContentType, probationMs, force }
    const { signedHeader, signature, keyId: signingKeyId } = keys.sign(header)
    const createdAt = new Date(clock.now()).toISOString()
    const signed = { gatewayId, generation, configHash, signedHeader, signature, signingKeyId, probationMs, force, changeSeq, createdAt }
    return { ...signed, state: 'waiting', reason: null, message: null, stateAt: null, cause: JSON.stringify(cause), document }
  }
}
