import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '@mcpg/core/lifecycle'
import { createApp } from './app.ts'
import { readConfig, type Environment, type Flags } from './config.ts'
import type { Endpoints } from './control/control.ts'
import { runFile } from './control/run-file.ts'
import { takeStateDir } from './control/state-folder.ts'
import { databaseFailure } from './db/db.ts'
import { crashStep } from './operations/crash-step.ts'
import { inspectDatabase, type Inspection } from './db/inspect.ts'

export type { Inspection }
export { kubernetesManifests } from './kubernetes/install.ts'

export type ServeOptions = {
  flags: Flags
  env: Environment
  stopping: AbortSignal
  stderr: { write(text: string): unknown }
  /** Program and arguments that start this program again; without them no managed gateway runs on this machine. */
  self?: readonly string[]
  /** `setupCode` creates the first user; null once there is one, or where nobody signs in with a password. */
  onReady?: (endpoints: Endpoints, about: { setupCode: string | null }) => void
}

/**
 * Runs the control plane until `stopping` aborts or somebody asks for its end by REST. Throws McpgError; ends no process and handles
 * no signal.
 */
export async function serve({ flags, env, stopping, stderr, self, onReady }: ServeOptions): Promise<void> {
  const config = { ...readConfig(flags, env), local: self ? { program: self, env } : null }
  const release = await takeStateDir(config.stateDir)
  try {
    await mkdir(join(config.stateDir, 'run'), { recursive: true, mode: 0o700 })
    const atStep = crashStep(env, config.stateDir)
    const app = await createApp(config, { ...(!config.log.file && { logTo: stderr }), ...(atStep && { atStep }) })
    const setupCode = await app.firstUserCode()
    const ended = AbortSignal.any([stopping, app.control.stopRequested])
    try {
      await run([...app.parts, runFile(config.stateDir, { endpoints: app.control.endpoints, pins: app.pins() })], ended, () =>
        onReady?.(app.control.endpoints(), { setupCode }),
      )
    } finally {
      // Open since createApp, also when the start was broken off before its part was reached.
      await app.db.stop()
    }
  } catch (error) {
    throw databaseFailure(error) ?? error
  } finally {
    release()
  }
}

/** What a person is told about a PostgreSQL with no control plane running; null for a file. Throws McpgError when it cannot be reached. */
export async function inspect(flags: Flags, env: Environment): Promise<Inspection | null> {
  return await inspectDatabase(readConfig(flags, env).database)
}
