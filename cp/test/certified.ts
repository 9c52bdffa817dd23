import { fromJson, type JsonValue } from '@bufbuild/protobuf'
import { createClient, type Client, type Transport } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { randomBytes, X509Certificate, type webcrypto } from 'node:crypto'
import { EnrollmentService, EnrollResponseSchema, type EnrollResponse } from '@mcpg/proto/gen/enrollment'
import { GatewayService, type RenewCredentialResponse } from '@mcpg/proto/gen/gateway'
import { CredentialKind, type GatewayCredential } from '@mcpg/proto/gen/types'
import { fakeAgent, type FakeAgent } from './fake-agent.ts'
import type { TestFleet } from './fleet.ts'
import { csrOf, enrollRequest, newIdentity, newKeys, pemOfKey, signWith } from './identity.ts'

/** What an installation holds: its key and the certificate it got for it. */
export type Holding = { keys: webcrypto.CryptoKeyPair; credential: GatewayCredential }

export type Certified = Awaited<ReturnType<typeof certified>>

export const pem = (der: Uint8Array): string => new X509Certificate(der).toString()

/** The certificate of a holding, parsed. */
export function leafOf({ credential }: Pick<Holding, 'credential'>): X509Certificate {
  if (credential.material.case !== 'x509Chain') throw new Error('the credential is no certificate')
  return new X509Certificate(credential.material.value.certificates[0]!)
}

export const chainOf = ({ credential }: Pick<Holding, 'credential'>): string =>
  credential.material.case === 'x509Chain' ? credential.material.value.certificates.map(pem).join('') : ''

/** How a client dials the gRPC listener of a fleet over TLS, with what it holds or with nothing. */
export function dial(fleet: TestFleet, holding?: Holding): Transport {
  return createGrpcTransport({
    baseUrl: fleet.app().fleet.grpcUrl(),
    nodeOptions: { ca: fleet.app().authority.rootsPem(), ...(holding && { key: pemOfKey(holding.keys), cert: chainOf(holding) }) },
  })
}

/** An installation enrolled over a listener that speaks TLS. */
export async function certified(fleet: TestFleet, instanceUid: string) {
  const { token } = await fleet.createEnrollment()
  const identity = await newIdentity()
  const answer = await fleet.call('POST', `/enroll/${token}`, enrollRequest(identity, instanceUid, CredentialKind.X509))
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  const enrolled: EnrollResponse = fromJson(EnrollResponseSchema, answer.body as JsonValue)
  const first: Holding = { keys: identity.keys, credential: enrolled.credential! }
  return { id: enrolled.gatewayId, instanceUid, first, enrolled, identity, token, agent, gateway, renewal, renew, recover }

  /** A stream with a certificate; it says hello at once. */
  function agent(holding: Holding = first, uid = instanceUid): FakeAgent {
    const made = fakeAgent({ transport: dial(fleet, holding), bearer: '', instanceUid: uid })
    made.connect()
    return made
  }

  function gateway(holding?: Holding): Client<typeof GatewayService> {
    return createClient(GatewayService, dial(fleet, holding))
  }

  /** What an agent persists before it asks: a new key and an idempotency key. */
  async function renewal() {
    return { keys: await newKeys(), idempotencyKey: new Uint8Array(randomBytes(16)) }
  }

  async function renew(
    holding: Holding,
    {
      prepared,
      sequence = holding.credential.credentialSequence,
    }: { prepared?: Awaited<ReturnType<typeof renewal>>; sequence?: bigint } = {},
  ): Promise<{ next: Holding; answer: RenewCredentialResponse }> {
    const { keys, idempotencyKey } = prepared ?? (await renewal())
    const answer = await gateway(holding).renewCredential({ csr: await csrOf(keys), credentialSequence: sequence, idempotencyKey })
    return { next: { keys, credential: answer.credential! }, answer }
  }

  /** Begins and completes a recovery with the key of a holding. */
  async function recover(
    holding: Holding,
    {
      sequence = holding.credential.credentialSequence,
      keys,
      challenge: given,
    }: { sequence?: bigint; keys?: webcrypto.CryptoKeyPair; challenge?: Uint8Array } = {},
  ): Promise<Holding> {
    const service = createClient(EnrollmentService, dial(fleet))
    const challenge = given ?? (await service.beginRecovery({ gatewayId: enrolled.gatewayId, instanceUid })).challenge
    const fresh = keys ?? (await newKeys())
    const answer = await service.completeRecovery({
      gatewayId: enrolled.gatewayId,
      challenge: new Uint8Array(challenge),
      signature: signWith(holding.keys, recoveryText(challenge, enrolled.gatewayId, instanceUid)),
      credentialSequence: sequence,
      csr: await csrOf(fresh),
    })
    return { keys: fresh, credential: answer.credential! }
  }
}

/** Written out once more, so that the bytes of the protocol are tested and not a function against itself. */
function recoveryText(challenge: Uint8Array, ...words: string[]): Buffer {
  const framed = words.map((word) => Buffer.concat([Buffer.from([0, word.length]), Buffer.from(word)]))
  return Buffer.concat([Buffer.from('mcpg-recover-v1\0'), challenge, ...framed])
}
