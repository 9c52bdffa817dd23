import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { CredentialCalls } from '../link/credential-calls.ts'
import { base64Of, credentialOf } from './credential.ts'
import { saveIdentity, type Identity } from './identity-file.ts'
import { certificateRequest, signed } from './keys.ts'
import { forgetNextKeys, nextKeys } from './next-keys.ts'

/** True once the certificate has expired by the clock of this machine. */
export const hasExpired = ({ credential }: Identity, clock: Clock): boolean =>
  credential.kind === 'x509' && Date.parse(credential.notAfter) <= clock.now()

/**
 * A new certificate for one that expired while the gateway was offline: a challenge signed with the key of the last one, over a connection on
 * which only the control plane proves itself. Answers the identity as it was where the control plane's clock says that nothing has
 * expired. Throws McpgError with what to do when it is refused.
 */
export async function recover({
  folder,
  me,
  calls,
}: {
  folder: string
  me: Identity
  calls: Pick<CredentialCalls, 'beginRecovery' | 'completeRecovery'>
}): Promise<Identity> {
  const { credential, gatewayId, instanceUid, identityKey } = me
  if (credential.kind !== 'x509') return me
  const { challenge, serverTimeMs } = await calls.beginRecovery(me)
  // It is this machine's clock that is wrong: a recovery now would only be asked for again, until there are no more.
  if (serverTimeMs !== null && serverTimeMs < Date.parse(credential.notAfter)) return me
  const next = await nextKeys(folder, me)
  const answer = await calls.completeRecovery(me, {
    gatewayId,
    challenge,
    signature: signed(identityKey, Buffer.from('mcpg-recover-v1\0'), challenge, withLength(gatewayId), withLength(instanceUid)),
    credentialSequence: BigInt(credential.sequence),
    csr: await certificateRequest(next.identityKey, { commonName: instanceUid }),
  })
  if (!answer.credential)
    throw new McpgError('invalid', 'not_a_control_plane', 'The control plane answered the recovery without a credential')
  const recovered: Identity = {
    ...me,
    identityKey: next.identityKey,
    credential: credentialOf(answer.credential, next.identityKey),
    ...(answer.trustBundle.length > 0 && { trustBundle: answer.trustBundle.map(base64Of) }),
  }
  await saveIdentity(folder, recovered)
  await forgetNextKeys(folder)
  return recovered
}

function withLength(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
