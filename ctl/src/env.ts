import type { Readable, Writable } from 'node:stream'

/** Everything a command may touch of the process it runs in, so that a test runs commands without spawning. */
export type Env = {
  stdin: Readable
  stdout: Writable
  stderr: Writable
  env: Record<string, string | undefined>
  cwd: string
  isTTY: { stdin: boolean; stdout: boolean; stderr: boolean }
  /** Width of the terminal, for what is drawn on one. */
  columns: number
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP; the reason is the name of the signal. */
  stopping: AbortSignal
  /** Program and arguments that start this program again. */
  self: string[]
}
