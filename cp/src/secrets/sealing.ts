import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import type { SecretReference } from '@mcpg/proto/gateway-config'
import { secretAssociatedData, secretSealingInfo } from '@mcpg/proto/secret-sealing'
import { turn } from '../turns.ts'

/** A seal takes about a millisecond, half of it on the event loop. */
const atOnce = 2

export type Recipient = { id: string; sealingPublicKey: Uint8Array }

/**
 * Seals values to gateways by HPKE. Few at a time, and each after a turn: when a rotation goes to a thousand gateways at once, streams
 * are answered in between.
 */
export function secretSealer() {
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  const waiting: (() => void)[] = []
  let sealing = 0
  return seal

  async function seal({ id, sealingPublicKey }: Recipient, reference: SecretReference, value: string) {
    if (sealing >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
    else sealing++
    try {
      await turn()
      const recipientPublicKey = await suite.kem.deserializePublicKey(new Uint8Array(sealingPublicKey).buffer)
      const { enc, ct } = await suite.seal(
        { recipientPublicKey, info: secretSealingInfo },
        new TextEncoder().encode(value),
        secretAssociatedData(id, reference),
      )
      return { encapsulatedKey: new Uint8Array(enc), ciphertext: new Uint8Array(ct) }
    } finally {
      const next = waiting.shift()
      if (next) next()
      else sealing--
    }
  }
}
