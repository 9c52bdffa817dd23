import type { McpAnswer, McpAsk, McpClient, McpConnection } from '../mcp/connection.ts'
import type { Instance } from './instance.ts'
import type { InstanceEnd } from './runtimes/runtime.ts'
import type { OwnWish } from './supervision.ts'

/** Starts an instance for one owner; `onOutcome` as in InstanceDeps. */
export type StartOwn = (own: {
  belongsTo: 'session' | 'caller'
  client: McpClient | undefined
  onOutcome: (end: InstanceEnd | null) => void
}) => Instance

export type OwnChild = {
  key: string
  owner: string
  belongsTo: 'session' | 'caller'
  instance: Instance
  /** Resolves once: with null when it is ready, else with how its start failed. */
  started: Promise<InstanceEnd | null>
  connection(): McpConnection | undefined
  stop(): Promise<void>
  held: number
  usedAt: number
  /** Who answers what it asks; none: no call is in flight, and nobody can be asked. */
  answer: ((ask: McpAsk) => Promise<McpAnswer>) | undefined
  /** Set while the call that holds it waits for its client. */
  parked: { at: number; giveUp: () => void } | undefined
}

const nobody: McpAnswer = { error: { code: -32600, message: 'No call of a client is in flight that this question could belong to.' } }

/** The process of one owner. It is not restarted: `onEnd` says that it ended by itself, and the next call of its owner starts another. */
export function ownChild(
  wish: OwnWish,
  { key, start, now, onEnd }: { key: string; start: StartOwn; now: number; onEnd: (child: OwnChild) => void },
): OwnChild {
  const { owner, belongsTo, capabilities, onAsk } = wish
  const started = Promise.withResolvers<InstanceEnd | null>()
  const canBeAsked = Object.keys(capabilities).length > 0
  const client: McpClient = { capabilities, onAsk: (ask) => child.answer?.(ask) ?? Promise.resolve(nobody) }
  const instance = start({
    belongsTo,
    client: canBeAsked ? client : undefined,
    onOutcome(end) {
      started.resolve(end)
      if (end) return onEnd(child)
      // The end of the conversation comes before the exit of its process is heard of.
      void instance.connection()?.closed.then(() => onEnd(child))
    },
  })
  const child: OwnChild = {
    key,
    owner,
    belongsTo,
    instance,
    started: started.promise,
    connection: () => instance.connection(),
    stop() {
      started.resolve({ reason: 'Stopped', message: 'stopped before it was ready' })
      return instance.stop()
    },
    held: 0,
    usedAt: now,
    answer: onAsk,
    parked: undefined,
  }
  return child
}
