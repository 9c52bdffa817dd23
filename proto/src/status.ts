/** Connection of a gateway as the control plane sees it (`docs/protocol.md`). */
export const connectionStates = [
  'online', // a frame within 2.5 heartbeats
  'late', // silent for longer than that
  'offline', // silent for 60 s, or the stream broke 10 s ago
  'stopped', // said goodbye
  'unknown', // the replica that holds its stream is lost
  'never_seen', // enrolled, no hello yet
  'revoked', // its credential is void
] as const
export type ConnectionState = (typeof connectionStates)[number]

export const instanceStates = [
  'pending',
  'installing',
  'starting',
  'ready',
  'unhealthy',
  'crash_loop',
  'stopping',
  'stopped',
  'failed',
] as const
export type InstanceState = (typeof instanceStates)[number]

export const serverStates = ['starting', 'ready', 'degraded', 'failed', 'stopped'] as const
export type ServerState = (typeof serverStates)[number]

export const configStates = ['staged', 'applying', 'probation', 'applied', 'rejected', 'rolled_back', 'superseded'] as const
export type ConfigState = (typeof configStates)[number]

export const configFailures = [
  'HASH_MISMATCH',
  'BAD_SIGNATURE',
  'STALE_GENERATION',
  'INVALID',
  'LOCAL_POLICY',
  'UNHEALTHY',
  'CRASH_LOOP',
  'STORAGE',
  'QUARANTINED',
  'WRONG_GATEWAY',
  'SLOT_CORRUPT',
  'CONFLICTING_GENERATION',
  'MISSING_SECRET',
  'INSTALL_FAILED',
] as const
export type ConfigFailure = (typeof configFailures)[number]

/** Health of a gateway: all servers ready, some, none, or nobody knows. */
export const healthStates = ['healthy', 'degraded', 'down', 'unknown'] as const
export type HealthState = (typeof healthStates)[number]
