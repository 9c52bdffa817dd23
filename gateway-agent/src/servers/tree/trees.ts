import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { startTimeOf } from '@mcpg/core/process-identity'
import type { Timers } from '@mcpg/core/timers'
import { spawnInGroup } from './in-group.ts'
import { instanceFiles, isAlive } from './instance-files.ts'
import { killQuietly, markerOf, markerScanner } from './marker.ts'
import { probeSupervision, type Supervision } from './probe.ts'
import { spawnUnderReaper } from './reaper.ts'
import type { Exit, Spawned } from './spawned.ts'
import { startWatchdog } from './watchdog.ts'

/** A server's process with whatever it starts. */
export type Tree = Pick<Spawned, 'stdin' | 'stdout' | 'stderr' | 'pid' | 'exited'> & {
  /** End of file, `stdinGrace`, SIGTERM to the group, `graceMs`, SIGKILL to everything, marker scan. Afterwards nothing is left. */
  stop(graceMs: number): Promise<void>
}

export type Trees = ReturnType<typeof processTrees>
type Deps = {
  gatewayId: string
  /** The gateway's folder. */
  folder: string
  timers: Pick<Timers, 'stdinGrace'>
  clock: Clock
  log: Log
  /** What a test may take away. */
  supervision?: Supervision
}

/** How long a process that was killed may take to vanish before it is given up and said so. */
const killDeadlineMs = 10_000

/**
 * Owner of every process of every server of one agent. What was started is known in three places, so that one is left whatever dies: in
 * memory, in the watchdog, and in a file for the next start.
 */
export function processTrees({ gatewayId, folder, timers, clock, log, supervision }: Deps) {
  const files = instanceFiles(join(folder, 'run', 'instances'))
  const scanner = markerScanner()
  const alive = new Set<Tree>()
  let watchdog: ReturnType<typeof startWatchdog> | undefined
  let perl: string | undefined
  const ready = open()
  return { ready, start, stop }

  async function open(): Promise<Supervision> {
    const probed = supervision ?? (await probeSupervision())
    if (probed.active === 2) perl = probed.perl
    if (probed.shell && process.platform !== 'win32') watchdog = startWatchdog(probed.shell)
    await sweep()
    return probed
  }

  /** Ends what an earlier run of this agent left; the state lock guarantees that it is not running. */
  async function sweep(): Promise<void> {
    const left = files.list()
    await Promise.all(
      left.map(async ({ instanceId, file }) => {
        const wasAlive = isAlive(file)
        if (wasAlive && process.platform !== 'win32') killQuietly(-file.pid)
        else if (wasAlive) killQuietly(file.pid)
        const killed = await scanner.end(file.marker)
        files.remove(instanceId)
        if (wasAlive || killed > 0) log.warn({ instanceId, killed }, 'ended what an earlier run left behind')
      }),
    )
  }

  /** Throws only when the instance cannot be written down (full disk): a process nobody knows of must not be started. */
  async function start(instanceId: string, order: { argv: string[]; cwd: string; env: Record<string, string> }): Promise<Tree> {
    await ready
    const marker = markerOf(gatewayId, instanceId)
    // Known before it exists: a kill -9 between the two leaves a marker to look for.
    files.write(instanceId, { marker, pid: 0, startTime: '' })
    watchdog?.watch({ marker, pid: 0, startTime: '' })
    const spawned = perl === undefined ? spawnInGroup({ ...order, marker }) : spawnUnderReaper(perl, { ...order, marker })
    let stopped: Promise<void> | undefined
    void spawned.pid.then(note)
    const tree: Tree = {
      stdin: spawned.stdin,
      stdout: spawned.stdout,
      stderr: spawned.stderr,
      pid: spawned.pid,
      exited: spawned.exited,
      stop: (graceMs) => (stopped ??= end(graceMs)),
    }
    alive.add(tree)
    return tree

    function note(pid: number | null): void {
      const startTime = pid === null ? null : startTimeOf(pid)
      if (pid === null || startTime === null || !alive.has(tree)) return
      watchdog?.watch({ marker, pid, startTime })
      try {
        files.write(instanceId, { marker, pid, startTime })
      } catch (error) {
        // The file without the pid is still there: the next start looks for the marker.
        log.warn({ err: error, instanceId }, 'the process of an instance could not be written down')
      }
    }

    async function end(graceMs: number): Promise<void> {
      await endInOrder(spawned, graceMs)
      // A server that could not be started has left nothing; everything else is looked for.
      if ((await spawned.pid) !== null) await scanner.end(marker)
      for (const stream of [spawned.stdin, spawned.stdout, spawned.stderr]) stream.destroy()
      alive.delete(tree)
      watchdog?.forget(marker)
      files.remove(instanceId)
    }
  }

  async function endInOrder(spawned: Spawned, graceMs: number): Promise<void> {
    spawned.stdin.end()
    if (!(await within(spawned.exited, timers.stdinGrace))) {
      spawned.terminate()
      await within(spawned.exited, graceMs)
    }
    spawned.kill()
    const waiting = new AbortController()
    const late = sleep(killDeadlineMs, false, { ref: false, signal: waiting.signal }).catch(() => true)
    const gone = await Promise.race([spawned.released.then(() => true), late])
    waiting.abort()
    if (!gone) log.error({ pid: await spawned.pid }, 'a process of a server does not end on SIGKILL')
  }

  function within(exited: Promise<Exit>, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, () => resolve(false))
      void exited.then(() => {
        cancel()
        resolve(true)
      })
    })
  }

  /** Everything that still runs is ended at once; then the watchdog. */
  async function stop(): Promise<void> {
    await ready.catch(() => {})
    await Promise.all([...alive].map((tree) => tree.stop(0)))
    await watchdog?.stop()
  }
}
