import type { Readable, Writable } from 'node:stream'

export type SpawnOrder = { argv: string[]; cwd: string; env: Record<string, string>; marker: string }

/** How the server's own process ended; `error` when it never became one (`ENOENT`, `EACCES`, …). */
export type Exit = { code: number | null; signal: string | null; error?: string }

/** A started process, before anybody decided how to end it. */
export type Spawned = {
  stdin: Writable
  stdout: Readable
  stderr: Readable
  /** Process id of the server itself; null when it could not be started. */
  pid: Promise<number | null>
  exited: Promise<Exit>
  /** SIGTERM to the server's group. */
  terminate(): void
  /** SIGKILL to everything this way of starting can reach. */
  kill(): void
  /** Resolves when the server and whatever holds it are gone. */
  released: Promise<void>
}
