import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AtStep } from './engine.ts'

/** Without this file in the state dir the fault hook does nothing, whatever the environment says. */
export const crashMarker = 'crash-at-allowed'

/**
 * `MCPG_CRASH_AT_STEP=<kind>/<step>/before|after`: the process kills itself (SIGKILL) there; `<kind>/<step>/undo/before|after` where the step
 * is taken back. Only with NODE_ENV=test and the marker file; undefined otherwise.
 */
export function crashStep(env: Readonly<Record<string, string | undefined>>, stateDir: string): AtStep | undefined {
  const at = env['MCPG_CRASH_AT_STEP']
  if (!at || env['NODE_ENV'] !== 'test' || !existsSync(join(stateDir, crashMarker))) return undefined
  return async ({ kind, compensating }, step, when) => {
    if (`${kind}/${step}/${compensating ? 'undo/' : ''}${when}` === at) process.kill(process.pid, 'SIGKILL')
  }
}
