import { spawn, type ChildProcess } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { killQuietly, markerVariable } from './marker.ts'
import type { Exit, Spawned, SpawnOrder } from './spawned.ts'

/** Tier 1: a process group of its own. Reaches neither a child that calls setsid nor, after a crash of the agent, anything. */
export function spawnInGroup({ argv, cwd, env, marker }: SpawnOrder): Spawned {
  const [program = '', ...args] = argv
  const onWindows = process.platform === 'win32'
  const exit = Promise.withResolvers<Exit>()
  const child = tryToSpawn()
  const pid = child?.pid ?? null
  // A write to a process that has just died is an EPIPE, and its exit says more.
  for (const stream of child?.stdio ?? []) stream?.on('error', () => {})
  return {
    stdin: child?.stdin ?? new PassThrough(),
    stdout: child?.stdout ?? ended(),
    stderr: child?.stderr ?? ended(),
    pid: Promise.resolve(pid),
    exited: exit.promise,
    terminate: () => signal('SIGTERM'),
    kill: () => signal('SIGKILL'),
    released: exit.promise.then(() => {}),
  }

  function tryToSpawn(): ChildProcess | undefined {
    try {
      return spawn(program, args, {
        cwd,
        env: { ...env, [markerVariable]: marker },
        detached: !onWindows,
        stdio: ['pipe', 'pipe', 'pipe'],
        windowsHide: true,
      })
        .on('error', (error: NodeJS.ErrnoException) => exit.resolve({ code: null, signal: null, error: error.code ?? error.message }))
        .on('exit', (code, signal) => exit.resolve({ code, signal }))
    } catch (error) {
      exit.resolve({ code: null, signal: null, error: error instanceof Error ? error.message : String(error) })
      return undefined
    }
  }

  function signal(name: 'SIGTERM' | 'SIGKILL'): void {
    if (pid === null) return
    if (!onWindows) killQuietly(-pid, name)
    else if (name === 'SIGKILL')
      spawn('taskkill', ['/T', '/F', '/PID', String(pid)], { stdio: 'ignore', windowsHide: true }).on('error', () => child?.kill())
  }
}

function ended(): PassThrough {
  return new PassThrough().end() as PassThrough
}
