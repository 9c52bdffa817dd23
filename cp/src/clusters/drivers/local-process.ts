import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@mcpg/core/clock'
import { isSameProcess, startTimeOf } from '@mcpg/core/process-identity'
import { redact } from '@mcpg/core/redact'
import { McpgError } from '@mcpg/proto/errors'
import { gatewayRunFile, managedProcessFile, RunFile } from '@mcpg/proto/run-files'

export type Found = { pid: number; startTime: string; version: string | null; isReady: boolean }

/** Until a gateway that was told to end is killed. */
const patienceMs = 30_000
const lookMs = 50
/** Lines of its log that tell why one has ended. */
const shownLines = 5

/**
 * Variables that an agent on this machine needs. The others stay with the control plane: a server may take over variables of its agent, and
 * among them would be those of the database.
 */
const passedOn =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|APPDATA|LOCALAPPDATA|USERPROFILE|XDG_\w+|(HTTPS?|NO|ALL)_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|NPM_CONFIG_\w+|PIP_\w+|UV_\w+|MCPG_TIMERS)$/i

export type LocalProcesses = ReturnType<typeof localProcesses>

/** Gateway agents of this machine as processes of their own, known by pid and start time, so that they outlive this one. */
export function localProcesses({
  stateDir,
  program,
  env,
  clock,
}: {
  stateDir: string
  /** How this program is started: the path and what stands before its command. */
  program: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  clock: Clock
}) {
  const failures = new Map<string, string>()
  return { find, list, folders, start, end, retire, forget, hasIdentity, failureOf: (uid: string) => failures.get(uid) ?? null }

  /** What runs as this gateway, whoever started it. */
  async function find(uid: string): Promise<Found | null> {
    const ready = await readRunFile(join(stateDir, gatewayRunFile(uid)))
    if (ready) return { pid: ready.pid, startTime: ready.startTime, version: ready.version, isReady: true }
    const begun = readBegun(uid)
    return begun && { ...begun, version: null, isReady: false }
  }

  /** Those that were started here, or could not be, and not retired; others of this machine were started by somebody else. */
  function list(): string[] {
    return [...new Set([...folders().filter((uid) => existsSync(begunFile(uid))), ...failures.keys()])]
  }

  /** Of all agents that have something on this machine. */
  function folders(): string[] {
    const folder = join(stateDir, 'gateways')
    return existsSync(folder) ? readdirSync(folder) : []
  }

  /** In a session of its own, so that it goes on without us; the secret goes by the environment. */
  function start(uid: string, { controlPlane, enrollmentUrl }: { controlPlane: string; enrollmentUrl: string | null }): void {
    mkdirSync(folderOf(uid), { recursive: true, mode: 0o700 })
    mkdirSync(join(stateDir, 'logs'), { recursive: true, mode: 0o700 })
    const [file = '', ...before] = program
    const flags = ['--state-dir', stateDir, '--name', uid, '--instance-uid', uid, '--cp-grpc', controlPlane]
    const log = openSync(logOf(uid), 'a', 0o600)
    try {
      failures.delete(uid)
      const child = spawn(file, [...before, 'gateway', ...flags, '--json-logs'], {
        cwd: folderOf(uid),
        detached: true,
        stdio: ['ignore', log, log],
        env: {
          ...Object.fromEntries(Object.entries(env).filter(([name]) => passedOn.test(name))),
          ...(enrollmentUrl !== null && { MCPG_ENROLLMENT_URL: enrollmentUrl }),
        },
      })
      child.once('error', (error) => failures.set(uid, error.message))
      child.once('exit', (code, signal) => {
        // One that was retired or forgotten may have been killed.
        if (code !== 0 && signal !== 'SIGTERM' && existsSync(begunFile(uid)))
          failures.set(uid, `its agent ended with ${signal ?? `exit ${code}`}: ${lastWords(uid)}`)
      })
      child.unref()
      const startTime = child.pid === undefined ? null : startTimeOf(child.pid)
      if (child.pid !== undefined && startTime !== null)
        writeFileSync(begunFile(uid), JSON.stringify({ pid: child.pid, startTime }), { mode: 0o600 })
    } finally {
      closeSync(log)
    }
  }

  /** Resolves when it has ended; one that takes too long is killed. */
  async function end(uid: string): Promise<void> {
    const deadline = clock.monotonic() + patienceMs
    let told: number | null = null
    for (let found = await find(uid); found; found = await find(uid)) {
      const isLate = clock.monotonic() > deadline
      if (clock.monotonic() > deadline + patienceMs)
        throw new McpgError('unavailable', 'process_does_not_end', `The gateway ${uid} (pid ${found.pid}) does not end.`, {
          hint: `kill -9 ${found.pid}`,
        })
      if (told !== found.pid || isLate) signal(found, isLate ? 'SIGKILL' : 'SIGTERM')
      told = found.pid
      await new Promise<void>((resolve) => clock.after(lookMs, resolve))
    }
  }

  /** It is not one of those that should run any more; who it is stays. */
  function retire(uid: string): void {
    failures.delete(uid)
    rmSync(begunFile(uid), { force: true })
  }

  async function forget(uid: string): Promise<void> {
    failures.delete(uid)
    await rm(folderOf(uid), { recursive: true, force: true, maxRetries: 5 })
    rmSync(join(stateDir, gatewayRunFile(uid)), { force: true })
    rmSync(logOf(uid), { force: true })
  }

  function hasIdentity(uid: string): boolean {
    return existsSync(join(folderOf(uid), 'identity.json'))
  }

  function readBegun(uid: string): { pid: number; startTime: string } | null {
    try {
      const { pid, startTime } = JSON.parse(readFileSync(begunFile(uid), 'utf8')) as { pid: number; startTime: string }
      return isSameProcess(pid, startTime) ? { pid, startTime } : null
    } catch {
      return null
    }
  }

  /** What its log ends with, for a person. */
  function lastWords(uid: string): string {
    try {
      return redact(readFileSync(logOf(uid), 'utf8').slice(-4_000))
        .trimEnd()
        .split('\n')
        .slice(-shownLines)
        .join(' | ')
    } catch {
      return 'it said nothing'
    }
  }

  function folderOf(uid: string): string {
    return join(stateDir, 'gateways', uid)
  }

  function begunFile(uid: string): string {
    return join(stateDir, managedProcessFile(uid))
  }

  function logOf(uid: string): string {
    return join(stateDir, 'logs', `gateway-${uid}.log`)
  }
}

/** Looked at again just before: a pid is reused. */
function signal({ pid, startTime }: Found, name: 'SIGTERM' | 'SIGKILL'): void {
  if (!isSameProcess(pid, startTime)) return
  try {
    process.kill(pid, name)
  } catch {
    // It ended in between.
  }
}

async function readRunFile(path: string): Promise<RunFile | null> {
  try {
    const file = RunFile.parse(JSON.parse(await readFile(path, 'utf8')))
    return isSameProcess(file.pid, file.startTime) ? file : null
  } catch {
    return null
  }
}
