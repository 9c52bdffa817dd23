import { ConnectError, createRouterTransport, type Code, type Transport } from '@connectrpc/connect'
import type { ConnectRequest, ConnectResponse } from '@mcpg/proto/gen/gateway'
import { GatewayService } from '@mcpg/proto/gen/gateway'
import { errorCodes, McpgError } from '@mcpg/proto/errors'
import type { GatewayIdentity, StreamHandler } from '../src/grpc/stream.ts'
import { channel } from './channel.ts'

/** The handlers of the gRPC listener without the listener: same frames, no socket. */
export function inProcessTransport(
  handler: StreamHandler<ConnectRequest, ConnectResponse>,
  identify: (bearer: string) => GatewayIdentity,
): Transport {
  return createRouterTransport(({ service }) =>
    service(GatewayService, {
      async *connect(requests, { requestHeader, signal }) {
        const identity = told(() => identify((requestHeader.get('authorization') ?? '').replace(/^Bearer /, '')))
        const answers = channel<ConnectResponse>()
        const events = handler({
          identity,
          source: '127.0.0.1',
          send: (frame, taken) => answers.push(frame, taken),
          end: (error) => answers.end(error && asConnectError(error)),
        })
        let open = true
        const close = () => {
          if (open) events.closed()
          open = false
          answers.end()
        }
        signal.addEventListener('abort', close, { once: true })
        void (async () => {
          for await (const request of requests) if (open) events.frame(request)
        })().then(close, close)
        try {
          yield* answers
        } finally {
          close()
        }
      },
    }),
  )
}

function told<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof McpgError ? asConnectError(error) : error
  }
}

function asConnectError(error: McpgError): ConnectError {
  return new ConnectError(error.message, errorCodes[error.code].grpc as Code, { 'mcpg-reason': error.reason, 'mcpg-code': error.code })
}
