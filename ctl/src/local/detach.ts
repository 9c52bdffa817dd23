import { spawn } from 'node:child_process'
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { McpgError } from '@mcpg/proto/errors'
import { prepareStateDir } from '@mcpg/core/state-dir'
import { redact } from '@mcpg/core/redact'
import type { Context } from '../context.ts'
import { FailedStart, Interrupted } from '../failure.ts'

/** A program of ours in the background; its log begins `logStart` bytes into the file. */
export type Detached = { pid: number; logFile: string; logStart: number; exited: Promise<number>; hasExited: () => boolean }

/** Lines of the log that are shown when a start failed. */
const shownLines = 20

/**
 * Starts this program again in a session of its own, its output appended to `<state>/logs/<name>.log` (0600). What is secret goes by
 * the environment, never by argv.
 */
export async function startDetached(
  { env, settings }: Context,
  name: string,
  args: string[],
  variables: Record<string, string | undefined>,
): Promise<Detached> {
  const logFile = join(settings.stateDir, 'logs', `${name}.log`)
  const problem = await prepareStateDir(settings.stateDir)
  if (problem) throw new McpgError('failed_precondition', problem.reason, `${problem.message}.`, { hint: problem.fix })
  mkdirSync(join(settings.stateDir, 'logs'), { recursive: true, mode: 0o700 })
  const log = openSync(logFile, 'a', 0o600)
  const logStart = fstatSync(log).size
  const [program = '', ...rest] = env.self
  try {
    const child = spawn(program, [...rest, ...args], {
      cwd: env.cwd,
      detached: true,
      stdio: ['ignore', log, log],
      // Without MCPG_DETACH: the background would go to the background, for ever.
      env: { ...env.env, ...variables, MCPG_DETACH: undefined } as NodeJS.ProcessEnv,
    })
    const exited = new Promise<number>((resolve) => {
      child.once('error', () => resolve(1))
      child.once('exit', (code) => resolve(code ?? 1))
    })
    child.unref()
    return { pid: child.pid ?? -1, logFile, logStart, exited, hasExited: () => child.exitCode !== null || child.signalCode !== null }
  } finally {
    closeSync(log)
  }
}

/** Asks `ready` until it answers; throws when the program ends before, with the end of its log. The answer of `ready` is handed on. */
export async function untilReady<Ready>(
  { stopping }: Context,
  started: Detached,
  what: string,
  timeoutMs: number,
  ready: () => Promise<Ready | null>,
): Promise<Ready> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ready()
    if (answer !== null) return answer
    if (started.hasExited()) throw await failedStart(started, what)
    if (stopping.aborted)
      throw new Interrupted(`${what} goes on starting in the background (pid ${started.pid}); its log: ${started.logFile}`)
    if (performance.now() > deadline)
      throw new McpgError('timeout', 'start_timeout', `${what} is not ready after ${timeoutMs / 1000} s (pid ${started.pid}).`, {
        hint: `its log: ${started.logFile}`,
      })
    await delay(50)
  }
}

async function failedStart(started: Detached, what: string): Promise<FailedStart> {
  const log = await readFile(started.logFile).catch(() => Buffer.alloc(0))
  const lines = redact(log.subarray(started.logStart).toString()).trimEnd().split('\n')
  return new FailedStart(what, await started.exited, lines.slice(-shownLines), started.logFile)
}
