/**
 * Every timer of the fleet protocol, in milliseconds. The defaults are those of `docs/protocol.md`;
 * `MCPG_TIMERS=heartbeat=200,probation=300` changes single ones, so that a test does not wait.
 */
export const defaultTimers = {
  /** Period of heartbeats, ±10 % at the gateway. */
  heartbeat: 15_000,
  /** Silence after which a gateway is `offline`; `late` is 2.5 heartbeats. */
  offlineAfter: 60_000,
  /** From a stream that broke without Goodbye to `offline`. */
  offlineAfterReset: 10_000,
  /** From the start of a stream to its Hello. */
  helloDeadline: 10_000,
  /** A frame sent and not answered: the gateway gives the stream up. */
  ackDeadline: 40_000,
  /** HTTP/2 PING period of the gateway, and how long its answer may take. */
  keepAlive: 30_000,
  keepAliveTimeout: 10_000,
  /** First reconnect after an unexpected break waits between 0 and this. */
  firstReconnect: 5_000,
  /** Full jitter from base to max after that; reset after `healthyStream`. */
  reconnectBase: 1_000,
  reconnectMax: 60_000,
  healthyStream: 60_000,
  /** A refused credential is tried again this late; so is a gateway that somebody else pretends to be, after `duplicateHold`. */
  unauthenticatedRetry: 3_600_000,
  duplicateHold: 300_000,
  /** Spread of reconnects when a control plane shuts down. */
  drainJitter: 5_000,
  /** Changes wait this long for company before a compile, and never longer than the second. */
  compileDebounce: 100,
  compileMaxWait: 2_000,
  /** A config that a gateway could not store is offered to it again after this. */
  storageRetry: 60_000,
  /** How long a new or changed instance must stay ready. */
  probation: 30_000,
  /** Batched write of last_seen_at. */
  lastSeenFlush: 10_000,
  /** Status and inventory rows are coalesced this long. */
  statusFlush: 100,
  /** One MCP request through the control plane, from its head to the last byte of its answer. */
  remoteCall: 60_000,
  /** Package installation. */
  install: 300_000,
  /** Restart back-off of a crashed instance: full jitter from base to max, reset after `restartReset` in ready. */
  restartBase: 1_000,
  restartMax: 60_000,
  restartReset: 60_000,
  /** `crash_loop` after `crashLoopEnds` ends within this window, then retried at this period. */
  crashLoopWindow: 120_000,
  crashLoopRetry: 60_000,
  /** Liveness probe of a ready instance, and how long its answer may take. */
  probe: 15_000,
  probeTimeout: 5_000,
  /** Between closing stdin and SIGTERM. */
  stdinGrace: 2_000,
  /** tools/list answered from cache for this long; an error is remembered for the second. */
  listCache: 60_000,
  listNegative: 10_000,
  /** How long an aggregated list waits for a silent server before its last list is used. */
  listWait: 250,
  /** Idle and absolute life of a client session. */
  sessionIdle: 1_800_000,
  sessionMax: 86_400_000,
  /** A server's own process for a session or caller is ended after so long without a call. */
  sessionChildIdle: 600_000,
  callerChildIdle: 300_000,
  /** How long a question of a server may wait for its answer. */
  parked: 300_000,
  /** Questions of a server this close to each other reach a modern client in one answer; parallel ones need 2 ms, a busy machine more. */
  asksTogether: 25,
  /** A call that finds all processes of its caller taken waits this long before the caller's oldest parked call is given up. */
  evictParked: 2_000,
  /** How often a server, and a client that waits, are told that a question is still being answered. */
  askProgress: 5_000,
  /** Keep-alive comment on a silent SSE stream. */
  sseKeepAlive: 15_000,
  /** Life of a gateway's certificate and of that of its endpoint; renewed at half of it, ±10 %. */
  certificateLife: 86_400_000,
  /** Every certificate is valid from this much before it was made: clocks differ. */
  certificateBackdate: 300_000,
  /** The old certificate is refused this long after a new one was issued, or when the new one is first used. */
  renewalOverlap: 600_000,
  /** A certificate that expired may be recovered for this long; the challenge must be answered within the second. */
  recoveryWindow: 2_592_000_000,
  recoveryChallenge: 60_000,
  /** Life of the issuing certificate, replaced in its last third, and of the control plane's own one, likewise. */
  issuingLife: 7_776_000_000,
  serverCertificateLife: 2_592_000_000,
  /** How often the control plane looks whether its certificate files or its names have changed. */
  certificateCheck: 30_000,
  /** Lease of an operation at work, renewed at a third of it; another control plane takes over what is not renewed. */
  operationLease: 30_000,
  /** A step that failed is tried again after full jitter over this, twice as much each time. */
  operationRetry: 1_000,
  /** How long a managed gateway may take to start and to enroll, each, and to apply its first config. */
  provisionStep: 120_000,
  provisionConfig: 600_000,
  /** How often the control plane looks whether the gateways that it started on its machine are alive. */
  managedProbe: 5_000,
  /** How often a cluster that is drained is looked after; a gateway whose move failed is tried again after this, twice as much each time. */
  clusterDrain: 5_000,
  /** How often clusters are asked what they have. */
  clusterProbe: 30_000,
  /** How often what runs on clusters is compared with what was deployed. */
  clusterDrift: 600_000,
}

export type Timers = typeof defaultTimers

/** Reads `name=ms` pairs over the defaults; throws a RangeError that names the bad pair. */
export function readTimers(text: string | undefined): Timers {
  const timers = { ...defaultTimers }
  for (const pair of (text ?? '').split(',').filter((part) => part.trim() !== '')) {
    const [name = '', value = ''] = pair.split('=').map((part) => part.trim())
    if (!Object.hasOwn(timers, name) || !/^\d+$/.test(value)) throw new RangeError(`"${pair}" is not a timer: write <name>=<milliseconds>`)
    timers[name as keyof Timers] = Number(value)
  }
  return timers
}
