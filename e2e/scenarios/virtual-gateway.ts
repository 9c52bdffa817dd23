// A gateway without servers and without a disk: enrolls, keeps a stream, verifies every offer as the agent does and says APPLIED.
import { create, fromJson, toJson, type JsonValue } from '@bufbuild/protobuf'
import { timestampNow } from '@bufbuild/protobuf/wkt'
import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { createHash, randomBytes } from 'node:crypto'
import { EnrollRequestSchema, EnrollResponseSchema, type EnrollResponse } from '@mcpg/proto/gen/enrollment'
import { ConnectRequestSchema, GatewayService, type ConfigOffer, type ConnectRequest, type Welcome } from '@mcpg/proto/gen/gateway'
import { ConfigState, CredentialKind } from '@mcpg/proto/gen/types'
import { isRefusal, verifyDocument, verifyHeader } from '../../gateway-agent/src/config/verify.ts'
import { enrollmentProof, newKeys, type Keys } from '../../gateway-agent/src/identity/keys.ts'
import { describeGateway } from '../../gateway-agent/src/link/description.ts'

export type Identity = { gatewayId: string; instanceUid: string; bearer: string; signingKeys: Uint8Array[] }

export type Redemption = { status: number; reason: string | null; answer: EnrollResponse | null }

/** One POST of an enrollment URL by a new installation. Refusals are answers, not errors. */
export async function redeem(url: string, instanceUid: string, keys: Keys = newKeys()): Promise<Redemption> {
  const message = create(EnrollRequestSchema, {
    ...(await enrollmentProof(keys, instanceUid)),
    idempotencyKey: new Uint8Array(randomBytes(16)),
    instanceUid,
    credentialKind: CredentialKind.BEARER,
    description: describeGateway({ endpoints: [] }),
  })
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(toJson(EnrollRequestSchema, message)),
  })
  const body = (await response.json()) as JsonValue
  if (!response.ok) return { status: response.status, reason: String((body as { reason?: unknown }).reason), answer: null }
  return { status: response.status, reason: null, answer: fromJson(EnrollResponseSchema, body, { ignoreUnknownFields: true }) }
}

export async function enrollVirtual(url: string, instanceUid: string): Promise<Identity> {
  const { status, reason, answer } = await redeem(url, instanceUid)
  if (answer?.credential?.material.case !== 'bearerToken') throw new Error(`enrollment of ${instanceUid} answered ${status} ${reason}`)
  return { gatewayId: answer.gatewayId, instanceUid, bearer: answer.credential.material.value, signingKeys: answer.configSigningKeys }
}

type Events = {
  /** Verified and about to be answered with STAGED; the document's bytes. */
  staged?: (bytes: Uint8Array) => void
  /** An offer that the agent would refuse; a virtual gateway only says so. */
  refused?: (reason: string) => void
  acknowledged?: () => void
  /** Audit events up to this number are stored. */
  audited?: (through: number) => void
}

/**
 * Opens the stream and resolves with the welcome. `ended` settles when the stream does, with its error or null. `heartbeat` sends one at
 * once; beside that they go out in the period of the welcome.
 */
export async function connectVirtual(grpc: string, { bearer, gatewayId, instanceUid, signingKeys }: Identity, events: Events = {}) {
  const frames = channel<ConnectRequest>()
  const abort = new AbortController()
  const hashes = { appliedHash: new Uint8Array(), lkgHash: new Uint8Array(), lastOfferedHash: new Uint8Array(), highestGeneration: 0n }
  let sequenceNum = 0n
  let beating: NodeJS.Timeout | undefined
  const client = createClient(GatewayService, createGrpcTransport({ baseUrl: grpc }))
  const answers = client.connect(frames, { headers: { authorization: `Bearer ${bearer}` }, signal: abort.signal })
  const welcome = Promise.withResolvers<Welcome>()
  const description = describeGateway({ endpoints: [] })
  send({
    case: 'hello',
    value: { instanceUid, bootId: new Uint8Array(randomBytes(16)), gatewayTime: timestampNow(), description, configHashes: hashes },
  })
  const ended = read().then(
    () => null,
    (error: unknown) => error,
  )
  void ended.then((error) => {
    clearInterval(beating)
    welcome.reject(new Error(`the stream of ${instanceUid} has ended`, { cause: error }))
  })
  return { welcome: await welcome.promise, ended, heartbeat, send, close }

  async function read(): Promise<void> {
    for await (const { frame } of answers) {
      if (frame.case === 'welcome') {
        beating = setInterval(heartbeat, Number(frame.value.heartbeatInterval?.seconds ?? 15n) * 1000 || 15_000)
        welcome.resolve(frame.value)
      } else if (frame.case === 'configOffer') take(frame.value)
      else if (frame.case === 'heartbeatAck') events.acknowledged?.()
      else if (frame.case === 'auditAck') events.audited?.(Number(frame.value.throughSeq))
      else if (frame.case === 'terminate') throw new Error(`terminated: ${frame.value.message}`)
    }
  }

  function take({ nonce, signedHeader, signature, signingKeyId, configBytes, configHash, generation }: ConfigOffer): void {
    const header = verifyHeader({ signedHeader, signature, signingKeyId }, { gatewayId, keys: signingKeys })
    const servers = isRefusal(header) ? header : verifyDocument(configBytes, header)
    if (isRefusal(servers)) return events.refused?.(servers.reason)
    events.staged?.(configBytes)
    Object.assign(hashes, { lastOfferedHash: configHash, highestGeneration: generation })
    const status = (state: ConfigState) => send({ case: 'configStatus', value: { nonce, generation, configHash, state } })
    status(ConfigState.STAGED)
    status(ConfigState.APPLYING)
    Object.assign(hashes, { appliedHash: configHash, lkgHash: configHash })
    status(ConfigState.APPLIED)
  }

  function heartbeat(): void {
    send({ case: 'heartbeat', value: { configHashes: hashes, gatewayTime: timestampNow() } })
  }

  function send(frame: Exclude<Parameters<typeof create<typeof ConnectRequestSchema>>[1], undefined>['frame']): void {
    frames.push(create(ConnectRequestSchema, { sequenceNum: ++sequenceNum, frame }))
  }

  async function close(): Promise<void> {
    clearInterval(beating)
    frames.end()
    abort.abort()
    await ended
  }
}
export type VirtualGateway = Awaited<ReturnType<typeof connectVirtual>>

export const sha256Hex = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')

/** What is pushed comes out of the iteration, in order; `end` ends it. */
function channel<T>() {
  const waiting: T[] = []
  let wake = () => {}
  let isOver = false
  return {
    push(item: T) {
      waiting.push(item)
      wake()
    },
    end() {
      isOver = true
      wake()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) yield item
        if (isOver) return
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
}
