import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { DeliveryService, SecretFailure, type SealedValue } from '@mcpg/proto/gen/delivery'
import { secretAssociatedData, secretSealingInfo } from '@mcpg/proto/secret-sealing'

type Gateway = { bearer: string; gatewayId: string; identity: { sealingPrivateKey: Uint8Array } }

/** Asks as a gateway does, over the real listener; answers values as text and failures by their names. References are `name/key/version`. */
export async function fetchSecrets(grpcUrl: string, gateway: Gateway, references: string[], generation = 0): Promise<string[]> {
  const client = createClient(DeliveryService, createGrpcTransport({ baseUrl: grpcUrl }))
  const refs = references.map((reference) => {
    const [name = '', key = '', version = '0'] = reference.split('/')
    return { name, key, version: BigInt(version) }
  })
  const headers = { authorization: `Bearer ${gateway.bearer}` }
  const { values } = await client.fetchSecrets({ generation: BigInt(generation), refs }, { headers })
  return await Promise.all(
    values.map(async (value) => (value.failure ? (SecretFailure[value.failure] ?? '') : await opened(gateway, value))),
  )
}

async function opened({ gatewayId, identity }: Gateway, { ref, encapsulatedKey, ciphertext }: SealedValue): Promise<string> {
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  const recipientKey = await suite.kem.importKey('raw', new Uint8Array(identity.sealingPrivateKey).buffer, false)
  const { name = '', key = '', version = 0n } = ref ?? {}
  const plain = await suite.open(
    { recipientKey, enc: new Uint8Array(encapsulatedKey).buffer, info: secretSealingInfo },
    new Uint8Array(ciphertext).buffer,
    secretAssociatedData(gatewayId, { name, key, version: Number(version) }),
  )
  return new TextDecoder().decode(plain)
}
