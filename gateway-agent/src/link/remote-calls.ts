import type { ConnectResponse } from '@mcpg/proto/gen/gateway'
import type { McpOpen } from '@mcpg/proto/gen/delivery'
import type { InnerDoor } from '../endpoint/inner-door.ts'
import type { Outbox } from './outbox.ts'
import { remoteCall, type CloseReason, type RemoteCall } from './remote-call.ts'

/** Calls at once over one stream. */
const maxOpen = 256
const paths = /^\/mcp(\/(servers|projects)\/[a-z0-9-]{1,63})?$/

export type RemoteCalls = ReturnType<typeof remoteCalls>

/** MCP requests that the control plane carries to the endpoint of this gateway, where the host's policy lets it. */
export function remoteCalls({
  door,
  stateKeyId,
  isAllowed,
  policyPath,
}: {
  door: Pick<InnerDoor, 'open'>
  /** Told with every answer: the retry of a call that was parked here finds its way back by it. */
  stateKeyId: string
  isAllowed: boolean
  policyPath: string
}) {
  return { attach }

  /** For one stream. A frame that is none of ours is left alone. */
  function attach(outbox: Outbox): { receive(frame: ConnectResponse['frame']): void; close(): void } {
    const calls = new Map<string, RemoteCall>()
    return { receive, close }

    function receive(frame: ConnectResponse['frame']): void {
      switch (frame.case) {
        case 'mcpOpen':
          return open(frame.value)
        case 'mcpData':
          return calls.get(frame.value.streamId)?.data(frame.value)
        case 'mcpWindow':
          return calls.get(frame.value.streamId)?.grant(frame.value.addBytes)
        case 'mcpClose':
          return calls.get(frame.value.streamId)?.cancel(frame.value.reason || 'cancelled')
        default:
      }
    }

    function open(request: McpOpen): void {
      const { streamId, path } = request
      const refuse = (reason: CloseReason, message: string) =>
        void outbox.push('mcp', () => ({ case: 'mcpClose', value: { streamId, reason, message } }))
      if (!isAllowed) return refuse('policy_denied', `allowRemoteCalls is false in ${policyPath} of this host.`)
      if (!paths.test(path)) return refuse('refused', `Nothing is served at ${path}.`)
      if (calls.size >= maxOpen) return refuse('busy', `${maxOpen} calls of the control plane are under way.`)
      if (calls.has(streamId)) return
      calls.set(streamId, remoteCall(request, { door, stateKeyId, outbox, ended: () => calls.delete(streamId) }))
    }

    /** Nobody can be answered any more, so nothing goes on. */
    function close(): void {
      for (const call of Array.from(calls.values())) call.cancel('the control plane is gone')
    }
  }
}
