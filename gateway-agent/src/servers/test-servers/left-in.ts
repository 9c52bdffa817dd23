import { readdirSync, readlinkSync } from 'node:fs'

/**
 * Processes that work below a folder. A child inherits the folder whatever it does to its session and environment, so this sees what
 * the supervisor's own means might miss.
 */
export function leftIn(folder: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`).startsWith(folder) ? [Number(name)] : []
    } catch {
      return []
    }
  })
}
