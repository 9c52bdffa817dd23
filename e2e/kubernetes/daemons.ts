import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { closeLater } from '../harness/cleanup.ts'

export type Daemon = { pid: number; stop: () => Promise<void>; log: () => string }

/**
 * A program of others that runs as long as what registered it; the kernel ends it when this process is gone. Its output goes to
 * `<folder>/<name>.log`.
 */
export function daemon(folder: string, name: string, command: string, args: string[], env: Record<string, string> = {}): Daemon {
  const file = join(folder, `${name}.log`)
  const log = openSync(file, 'a')
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const exited = once(child, 'exit')
  child.on('error', () => {})
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
    await exited
    clearTimeout(timer)
  }
  closeLater(stop)
  return { pid: child.pid ?? -1, stop, log: () => readFileSync(file, 'utf8').slice(-4000) }
}
