import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { createClient } from '@connectrpc/connect'
import { timestampMs } from '@bufbuild/protobuf/wkt'
import type { Timers } from '@mcpg/core/timers'
import {
  BeginRecoveryRequestSchema,
  CompleteRecoveryRequestSchema,
  EnrollmentService,
  type CompleteRecoveryResponse,
} from '@mcpg/proto/gen/enrollment'
import { GatewayService, RenewCredentialRequestSchema, type RenewCredentialResponse } from '@mcpg/proto/gen/gateway'
import type { Identity } from '../identity/identity-file.ts'
import { connectionTo } from './connection.ts'
import { explainConnection } from './explain.ts'
import { refusalOf } from './refusal.ts'

const callTimeoutMs = 30_000

export type CredentialCalls = ReturnType<typeof credentialCalls>

/**
 * The calls that get a gateway its next credential, each over a connection of its own: they work with the stream down. They throw McpgError
 * for what the control plane refuses, and an Error with a sentence for everything that may pass.
 */
export function credentialCalls({
  endpoints,
  timers,
}: {
  /** In order of preference; the next is tried when one does not answer. */
  endpoints: (identity: Identity) => string[]
  timers: Pick<Timers, 'keepAlive' | 'keepAliveTimeout'>
}) {
  return { renew, beginRecovery, completeRecovery }

  /** With the credential that is to be replaced. */
  async function renew(me: Identity, request: MessageInitShape<typeof RenewCredentialRequestSchema>): Promise<RenewCredentialResponse> {
    return call(me, async (endpoint) => {
      const { transport, headers, hangUp } = connectionTo(endpoint, me, timers)
      const client = createClient(GatewayService, transport)
      return client.renewCredential(create(RenewCredentialRequestSchema, request), { headers, timeoutMs: callTimeoutMs }).finally(hangUp)
    })
  }

  /** Milliseconds since 1970 at the control plane, and what to sign; without a credential. */
  async function beginRecovery(me: Identity): Promise<{ challenge: Uint8Array; serverTimeMs: number | null }> {
    const { gatewayId, instanceUid } = me
    const { challenge, serverTime } = await unproven(me, (client) =>
      client.beginRecovery(create(BeginRecoveryRequestSchema, { gatewayId, instanceUid }), { timeoutMs: callTimeoutMs }),
    )
    return { challenge, serverTimeMs: serverTime ? timestampMs(serverTime) : null }
  }

  async function completeRecovery(
    me: Identity,
    request: MessageInitShape<typeof CompleteRecoveryRequestSchema>,
  ): Promise<CompleteRecoveryResponse> {
    return unproven(me, (client) => client.completeRecovery(create(CompleteRecoveryRequestSchema, request), { timeoutMs: callTimeoutMs }))
  }

  function unproven<Answer>(
    me: Identity,
    ask: (client: ReturnType<typeof createClient<typeof EnrollmentService>>) => Promise<Answer>,
  ): Promise<Answer> {
    return call(me, async (endpoint) => {
      const { transport, hangUp } = connectionTo(endpoint, { ...me, credential: null }, timers)
      return ask(createClient(EnrollmentService, transport)).finally(hangUp)
    })
  }

  async function call<Answer>(me: Identity, ask: (endpoint: string) => Promise<Answer>): Promise<Answer> {
    let last: Error = new Error('there is no control plane to ask')
    for (const endpoint of endpoints(me)) {
      try {
        return await ask(endpoint)
      } catch (error) {
        const refusal = refusalOf(error)
        if (refusal) throw refusal
        const said = (await explainConnection(error, me)) ?? (error instanceof Error ? error.message : String(error))
        last = new Error(`${endpoint}: ${said}`, { cause: error })
      }
    }
    throw last
  }
}
