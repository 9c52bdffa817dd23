import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { systemClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { SecretFailure, type SecretRef } from '@mcpg/proto/gen/delivery'
import { secretAssociatedData, secretSealingInfo } from '@mcpg/proto/secret-sealing'
import type { Slots } from '../src/config/slots.ts'
import { secretDelivery, type FetchSecrets } from '../src/secrets/delivery.ts'
import { gatewaySecrets } from '../src/secrets/secrets.ts'

export const newSealingKey = () => generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** The secrets of a gateway over its slots, and the way they are delivered, which a test attaches. */
export function secretsOver(slots: Slots, { gatewayId = 'gw_test', sealingKey = newSealingKey() } = {}) {
  const delivery = secretDelivery()
  const log = createLog({ level: 'silent', json: true })
  const timers = { reconnectBase: 5, reconnectMax: 20 }
  return { delivery, secrets: gatewaySecrets({ gatewayId, sealingKey, slots, delivery, clock: systemClock, timers, log }) }
}

/**
 * A control plane's answers, sealed as it seals them. `values` is by `name/key/version` and may be changed meanwhile; what is not there is
 * forbidden. `asked` has every reference of every request.
 */
export function secretSource({ gatewayId = 'gw_test', sealingKey }: { gatewayId?: string; sealingKey: string }) {
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  const { x = '' } = createPublicKey(createPrivateKey(sealingKey)).export({ format: 'jwk' })
  const values = new Map<string, string>()
  const asked: string[] = []
  const fetch: FetchSecrets = async ({ refs }) => ({ values: await Promise.all(refs.map(answer)) })
  return { values, asked, fetch }

  async function answer(ref: SecretRef) {
    const id = `${ref.name}/${ref.key}/${ref.version}`
    asked.push(id)
    const value = values.get(id)
    const base = { $typeName: 'mcpg.fleet.v1.SealedValue' as const, ref, encapsulatedKey: new Uint8Array(), ciphertext: new Uint8Array() }
    if (value === undefined) return { ...base, failure: SecretFailure.FORBIDDEN }
    const recipientPublicKey = await suite.kem.deserializePublicKey(new Uint8Array(Buffer.from(x, 'base64url')).buffer)
    const { enc, ct } = await suite.seal(
      { recipientPublicKey, info: secretSealingInfo },
      new TextEncoder().encode(value),
      secretAssociatedData(gatewayId, { ...ref, version: Number(ref.version) }),
    )
    return { ...base, encapsulatedKey: new Uint8Array(enc), ciphertext: new Uint8Array(ct), failure: SecretFailure.UNSPECIFIED }
  }
}
