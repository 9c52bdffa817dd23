// Stands between agents and the control plane on the wire, passes every frame on, and changes the offers it is told to.
import { createClient, type ConnectRouter } from '@connectrpc/connect'
import { connectNodeAdapter, createGrpcTransport } from '@connectrpc/connect-node'
import { createServer, type Http2Session } from 'node:http2'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { GatewayService, type ConfigOffer, type ConnectRequest } from '@mcpg/proto/gen/gateway'
import type { ConfigFailure, ConfigState } from '@mcpg/proto/status'
import { configFailureWords, configStateWords } from '@mcpg/proto/status-wire'
import { closeLater } from '../harness/cleanup.ts'

/** What a gateway said about an offer, in the order it said it. */
export type Verdict = {
  instanceUid: string
  generation: number
  state: ConfigState | undefined
  reason: ConfigFailure | undefined
  message: string
}
export type Meddle = (offer: ConfigOffer) => ConfigOffer

/** `meddleNext` changes the next offer to that gateway, once. `offers` holds every offer as the control plane sent it. */
export async function startMeddler(grpc: string) {
  const verdicts: Verdict[] = []
  const offers: { instanceUid: string; offer: ConfigOffer }[] = []
  const next = new Map<string, Meddle>()
  const sessions = new Set<Http2Session>()
  const client = createClient(GatewayService, createGrpcTransport({ baseUrl: grpc }))
  const routes = (router: ConnectRouter) =>
    router.service(GatewayService, {
      async *connect(requests, context) {
        const from = { instanceUid: '' }
        const headers = { authorization: context.requestHeader.get('authorization') ?? '' }
        for await (const answer of client.connect(listen(requests, from), { headers, signal: context.signal })) {
          if (answer.frame.case === 'configOffer') {
            offers.push({ ...from, offer: answer.frame.value })
            const meddle = next.get(from.instanceUid)
            next.delete(from.instanceUid)
            if (meddle) yield { ...answer, frame: { case: 'configOffer' as const, value: meddle(answer.frame.value) } }
            else yield answer
          } else yield answer
        }
      },
    })
  const server = createServer(connectNodeAdapter({ routes }))
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    session.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closeLater(async () => {
    for (const session of sessions) session.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    verdicts,
    offers,
    meddleNext: (instanceUid: string, meddle: Meddle) => void next.set(instanceUid, meddle),
  }

  async function* listen(requests: AsyncIterable<ConnectRequest>, from: { instanceUid: string }) {
    for await (const request of requests) {
      const { frame } = request
      if (frame.case === 'hello') from.instanceUid = frame.value.instanceUid
      const status = frame.case === 'hello' ? frame.value.configStatus : frame.case === 'configStatus' ? frame.value : undefined
      if (status)
        verdicts.push({
          ...from,
          generation: Number(status.generation),
          state: configStateWords.word(status.state),
          reason: configFailureWords.word(status.failureReason),
          message: status.message,
        })
      yield request
    }
  }
}
export type Meddler = Awaited<ReturnType<typeof startMeddler>>

/** The same bytes but for one bit in their middle. */
export function flipBit(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const flipped = Uint8Array.from(bytes)
  const middle = flipped.length >> 1
  flipped[middle] = (flipped[middle] ?? 0) ^ 1
  return flipped
}
