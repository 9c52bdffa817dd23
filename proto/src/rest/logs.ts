import { z } from 'zod'
import { Duration } from '../durations.ts'

/**
 * `GET …/workspaces/{w}/instances/{id}/logs`, `…/servers/{s}/logs`, `…/environments/{e}/gateways/{g}/logs` and `/v1/control/logs`.
 *
 * Without `follow` the answer is JSON lines (`application/x-ndjson`), one LogEntry each, oldest first over all instances and gateways,
 * and ends. With `follow=true` it is an SSE stream that ends with the client: `event:` is the type of the entry, `data:` the LogEntry; a
 * comment comes as keep-alive. One that was cut is asked for again with `since` and `tail=all`. Entries of several gateways come as they arrive.
 */
export const LogQuery = z.strictObject({
  /** Last lines of each instance to begin with; `all` for everything that is kept. */
  tail: z.union([z.literal('all'), z.coerce.number().int().min(0).max(1_000_000)]).default(100),
  /** Nothing older: a duration back from now, or a time in RFC 3339. */
  since: z.union([Duration, z.iso.datetime({ offset: true })]).optional(),
  /** The life before the present one: of a process that was started again, or of the instance that this one replaced. */
  previous: z.stringbool().default(false),
  follow: z.stringbool().default(false),
  /** Of a server: one instance, by its id or by its place in the list of `get instances` (from 0). */
  instance: z.string().max(128).optional(),
})
export type LogQuery = z.infer<typeof LogQuery>

/** `agent` also stands for what an agent says about an instance: started, ended, why. */
export const logSources = ['stderr', 'stdout', 'mcp', 'agent', 'control-plane'] as const
export type LogSource = (typeof logSources)[number]

/** `gateway` and `instance` say whose it is; a gateway's own log has no instance, the control plane's neither. */
const origin = { gateway: z.string().optional(), instance: z.string().optional() }

export const LogEntry = z.discriminatedUnion('type', [
  /** One line, redacted, at most 16 KiB. */
  z.object({ type: z.literal('log'), time: z.string(), source: z.enum(logSources), text: z.string(), ...origin }),
  /** So many lines are missing here: the server wrote faster than is kept, or the reader read slower than it wrote. */
  z.object({ type: z.literal('dropped'), lines: z.number().int(), ...origin }),
  /** A gateway went away, or came back and goes on; only with `follow`. */
  z.object({ type: z.literal('gateway'), gateway: z.string(), state: z.enum(['online', 'offline']), message: z.string() }),
  /** Nothing more comes from here, and why. */
  z.object({ type: z.literal('error'), message: z.string(), ...origin }),
  /** What was followed has ended, an instance for good; without it a stream that ends was cut. */
  z.object({ type: z.literal('end') }),
])
export type LogEntry = z.infer<typeof LogEntry>
