import { readFileSync } from 'node:fs'

/** Whether a process does anything still: a zombie is only an exit code that its parent has yet to read. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
