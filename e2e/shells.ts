import { spawnSync } from 'node:child_process'
import { aptInstall } from './apt.ts'

/** Set-up of runs that complete a line in every shell; where one is missing and cannot be installed, its tests are skipped and counted. */
export default function ensureShells(): void {
  const missing = ['zsh', 'fish'].filter((shell) => spawnSync(shell, ['-c', 'true']).error)
  if (missing.length === 0) return
  try {
    aptInstall(...missing)
  } catch (error) {
    console.warn(`completion is not tested in ${missing.join(' and ')}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
