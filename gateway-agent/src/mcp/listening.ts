import type { Clock } from '@mcpg/core/clock'
import type { McpCall, McpOutcome } from './connection.ts'
import { isObject, type Params } from './protocol.ts'

const retryBaseMs = 1_000
const retryMaxMs = 60_000

/**
 * Keeps one `subscriptions/listen` open to a modern server, for every list it says can change and the resources somebody wants to hear
 * of. A changed wish opens a new stream and ends the old one once the new one is acknowledged, so that nothing falls between them.
 */
export function listening({
  request,
  capabilities,
  deliver,
  clock,
}: {
  request: (call: McpCall) => Promise<McpOutcome>
  capabilities: Params
  deliver: (method: string, params: Params) => void
  clock: Clock
}) {
  const uris = new Set<string>()
  let current: McpCall | undefined
  let stopped = false
  let failures = 0
  let cancelRetry: (() => void) | undefined
  return { start: open, subscribe, unsubscribe, stop }

  function subscribe(uri: string): void {
    if (uris.has(uri)) return
    uris.add(uri)
    open()
  }

  function unsubscribe(uri: string): void {
    if (uris.delete(uri)) open()
  }

  function stop(): void {
    stopped = true
    cancelRetry?.()
    current?.cancel?.('closed')
  }

  function open(): void {
    const notifications = filter()
    cancelRetry?.()
    cancelRetry = undefined
    const before = current
    current = undefined
    if (stopped || Object.keys(notifications).length === 0) return before?.cancel?.('replaced')
    const call: McpCall = {
      method: 'subscriptions/listen',
      params: { notifications },
      timeoutMs: Infinity,
      onNotification: (method, params) => {
        if (method !== 'notifications/subscriptions/acknowledged') return deliver(method, params)
        failures = 0
        before?.cancel?.('replaced')
      },
    }
    current = call
    request(call).then(
      (outcome) => ended(call, before, 'error' in outcome && outcome.error.code === -32601),
      () => ended(call, before, false),
    )
  }

  /** A server that does not know the method is not asked again. */
  function ended(call: McpCall, before: McpCall | undefined, unknownMethod: boolean): void {
    before?.cancel?.('replaced')
    if (stopped || current !== call) return
    current = undefined
    if (unknownMethod) return
    const wait = Math.min(retryMaxMs, retryBaseMs * 2 ** failures++)
    cancelRetry = clock.after(wait * Math.random(), open)
  }

  function filter(): Params {
    const changes = (kind: string) => isObject(capabilities[kind]) && capabilities[kind]['listChanged'] === true
    return {
      ...(changes('tools') ? { toolsListChanged: true } : {}),
      ...(changes('prompts') ? { promptsListChanged: true } : {}),
      ...(changes('resources') ? { resourcesListChanged: true } : {}),
      ...(uris.size > 0 ? { resourceSubscriptions: [...uris] } : {}),
    }
  }
}
