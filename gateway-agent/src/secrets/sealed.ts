import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { createPrivateKey, type webcrypto } from 'node:crypto'
import type { SecretReference } from '@mcpg/proto/gateway-config'
import { secretAssociatedData, secretSealingInfo } from '@mcpg/proto/secret-sealing'

/** A value as it was delivered, and as it lies on disk: only the sealing key of this gateway opens it. */
export type SealedSecret = SecretReference & { encapsulatedKey: Uint8Array; ciphertext: Uint8Array }

/** Opens values in memory, 2-3 ms each. `sealingKey` is PKCS#8 PEM of X25519. Rejects when one was sealed for something else. */
export function secretOpener({ gatewayId, sealingKey }: { gatewayId: string; sealingKey: string }) {
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  const recipientKey = importKey()
  // It is awaited by whoever opens a value; a gateway without secrets never does.
  recipientKey.catch(() => {})
  return open

  async function open({ encapsulatedKey, ciphertext, ...reference }: SealedSecret): Promise<string> {
    const plain = await suite.open(
      { recipientKey: await recipientKey, enc: plainBuffer(encapsulatedKey), info: secretSealingInfo },
      plainBuffer(ciphertext),
      secretAssociatedData(gatewayId, reference),
    )
    return new TextDecoder('utf-8', { fatal: true }).decode(plain)
  }

  async function importKey(): Promise<webcrypto.CryptoKey> {
    const { d = '' } = createPrivateKey(sealingKey).export({ format: 'jwk' })
    return await suite.kem.importKey('raw', plainBuffer(Buffer.from(d, 'base64url')), false)
  }
}

const plainBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer
