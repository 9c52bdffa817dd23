import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { isSameProcess } from '@mcpg/core/process-identity'
import { controlPlaneRunFile, gatewayRunFile, RunFile } from '@mcpg/proto/run-files'
import { closeLater } from './cleanup.ts'
import { databaseOf } from './database.ts'
import { until } from './until.ts'

// Another build, such as an installed package, is tried by E2E_PROGRAM.
export const programFile = process.env['E2E_PROGRAM'] ?? join(import.meta.dirname, '../../ctl/dist/mcpg-ctl.js')

/** Short protocol timers, so that no story waits for a default. */
export const fastTimers =
  'heartbeat=300,offlineAfter=2000,offlineAfterReset=700,firstReconnect=200,reconnectBase=100,reconnectMax=500,healthyStream=2000,' +
  'drainJitter=100,compileDebounce=20,compileMaxWait=200,probation=800,lastSeenFlush=500,restartBase=100,restartMax=500,restartReset=3000,' +
  'crashLoopWindow=5000,crashLoopRetry=1000,probe=1000,stdinGrace=300'

export type Finished = { code: number | null; stdout: string; stderr: string }

/** A program of ours as its own process; its output is kept for the failure message. */
export type Program = {
  pid: number
  output(): string
  exited: Promise<number | null>
  /** SIGTERM, then its exit code. */
  stop(): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
}

export const environmentOf = (extra: Record<string, string> = {}) => ({
  PATH: process.env['PATH'] ?? '',
  HOME: process.env['HOME'] ?? '',
  // Not the clusters of whoever runs the stories.
  KUBECONFIG: '/nonexistent/kubeconfig',
  ...(process.env['npm_config_registry'] ? { npm_config_registry: process.env['npm_config_registry'] } : {}),
  NODE_ENV: 'test',
  CI: 'true',
  MCPG_TIMERS: fastTimers,
  ...extra,
})

/** Where and how a program runs; `within` is what is put before its command line, e.g. the way into another machine. */
export type Place = { stateDir: string; env?: Record<string, string>; within?: string[] }

export function commandOf(args: string[], within: string[] = []): [string, string[]] {
  const [first = '', ...rest] = [...within, process.execPath, programFile, ...args]
  return [first, rest]
}

/** Runs `mcpg-ctl <args>` to its end. */
export async function ctl(args: string[], { stdin, ...place }: Place & { stdin?: string }): Promise<Finished> {
  const running = talk(args, place)
  running.end(stdin ?? '')
  return running.finished
}

/** Runs `mcpg-ctl <args>` and answers what it asks; `said` is what it has printed so far, on both streams. */
export function talk(args: string[], { stateDir, env, within }: Place) {
  const child = spawn(...commandOf(args, within), {
    env: environmentOf({ MCPG_STATE_DIR: stateDir, ...env }),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin.on('error', () => {})
  const finished = once(child, 'close').then(([code]): Finished => ({ code: code as number | null, stdout, stderr }))
  return {
    said: () => stdout + stderr,
    write: (line: string) => void child.stdin.write(`${line}\n`),
    end: (text = '') => void child.stdin.end(text),
    finished,
    interrupt: () => void child.kill('SIGINT'),
  }
}

/** Starts `mcpg-ctl <args>` and leaves it running; it is stopped after the test. */
export function start(args: string[], { stateDir, env, within }: Place): Program {
  const child = spawn(...commandOf(args, within), {
    env: environmentOf({ MCPG_STATE_DIR: stateDir, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return program(child)
}

/** The same, with what it prints line by line; `output` is what it says on standard error. */
export function startReading(args: string[], { stateDir, env, within }: Place, onLine: (line: string) => void): Program {
  const child = spawn(...commandOf(args, within), {
    env: environmentOf({ MCPG_STATE_DIR: stateDir, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  createInterface({ input: child.stdout }).on('line', onLine)
  return program(child, [child.stderr])
}

function program(child: ChildProcess, outputs = [child.stdout, child.stderr]): Program {
  let text = ''
  const keep = (chunk: Buffer) => (text = (text + chunk.toString()).slice(-200_000))
  for (const output of outputs) output?.on('data', keep)
  const exited = once(child, 'close').then(([code]) => code as number | null)
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return exited
  }
  closeLater(() => end('SIGKILL'))
  return {
    pid: child.pid ?? -1,
    output: () => text,
    exited,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
  }
}

/** A machine that does much else may take so long to start a program; that it starts is not what a story is about. */
const startMs = 240_000

/** Waits for the run file of a program that is still the same process. */
async function runFile(path: string, running: Program): Promise<RunFile> {
  const ended = running.exited.then((code) => {
    throw new Error(`the program ended with ${code} before it was ready:\n${running.output()}`)
  })
  const ready = until(
    `run file ${path}\n${running.output()}`,
    () => {
      if (!existsSync(path)) return null
      const file = RunFile.parse(JSON.parse(readFileSync(path, 'utf8')))
      return file.pid === running.pid && isSameProcess(file.pid, file.startTime) ? file : null
    },
    startMs,
  )
  return Promise.race([ready, ended])
}

export type ControlPlane = Program & {
  http: string
  grpc: string
  stateDir: string
  restart(change?: Partial<Place>): Promise<ControlPlane>
}

export async function startControlPlane({
  stateDir,
  http = '127.0.0.1:0',
  grpc = '127.0.0.1:0',
  args = [],
  ...place
}: Place & {
  http?: string
  grpc?: string
  args?: string[]
}): Promise<ControlPlane> {
  const running = start(['serve', '--bind-http', http, '--bind-grpc', grpc, '--json-logs', ...args], {
    ...place,
    stateDir,
    env: { ...(await databaseOf(stateDir)), ...place.env },
  })
  const { endpoints } = await runFile(join(stateDir, controlPlaneRunFile), running)
  const address = (url: string | undefined) => new URL(url ?? '').host
  return {
    ...running,
    stateDir,
    http: endpoints['http'] ?? '',
    grpc: endpoints['grpc'] ?? '',
    restart: (change = {}) =>
      startControlPlane({ stateDir, http: address(endpoints['http']), grpc: address(endpoints['grpc']), args, ...place, ...change }),
  }
}

export type Gateway = Program & { endpoint: string; name: string; stateDir: string }

/** `url` null: no enrollment URL is given, as after a restart. The endpoint binds a free port. */
export async function startGateway({
  stateDir,
  name = 'default',
  url = null,
  args = [],
  ...place
}: Place & {
  name?: string
  url?: string | null
  args?: string[]
}): Promise<Gateway> {
  const given = url === null ? [] : ['--enrollment-url', url]
  const running = start(['gateway', '--name', name, '--bind', '127.0.0.1:0', '--json-logs', ...given, ...args], {
    stateDir,
    ...place,
  })
  const { endpoints } = await runFile(join(stateDir, gatewayRunFile(name)), running)
  return { ...running, stateDir, name, endpoint: endpoints['mcp'] ?? '' }
}
