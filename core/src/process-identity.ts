import { readFileSync } from 'node:fs'

/**
 * Kernel start time of a process in clock ticks since boot; with the pid it names one process for ever, where a pid alone is reused.
 * '' where the platform does not tell (anything but Linux); null when there is no such process or it is a zombie.
 */
export function startTimeOf(pid: number): string | null {
  if (process.platform !== 'linux') return isAlive(pid) ? '' : null
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return null
  }
  // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? null : (fields[19] ?? null)
}

/** True while exactly this process lives. */
export function isSameProcess(pid: number, startTime: string): boolean {
  return startTimeOf(pid) === startTime
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
