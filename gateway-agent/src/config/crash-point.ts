import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Without this file in the state dir the fault hook does nothing, whatever the environment says. */
export const crashMarker = 'crash-at-allowed'

/**
 * `MCPG_CRASH_AT=<n>`: the process kills itself (SIGKILL) at the n-th call, counted from 1. Only with NODE_ENV=test and the marker file;
 * the answer otherwise does nothing.
 */
export function crashPoint(env: Record<string, string | undefined>, stateDir: string): () => void {
  const at = Number(env['MCPG_CRASH_AT'] ?? 0)
  if (!(at > 0) || env['NODE_ENV'] !== 'test' || !existsSync(join(stateDir, crashMarker))) return () => {}
  let calls = 0
  return () => {
    calls++
    if (calls === at) process.kill(process.pid, 'SIGKILL')
  }
}
