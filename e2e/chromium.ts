import { existsSync } from 'node:fs'
import { aptInstall } from './apt.ts'

/** Set-up of runs that need a browser: uses MCPG_CHROMIUM, else the system's, else installs it where that is possible. */
export default function ensureChromium(): void {
  process.env['MCPG_CHROMIUM'] ??= '/usr/bin/chromium'
  if (existsSync(process.env['MCPG_CHROMIUM'])) return
  try {
    aptInstall('chromium', 'fonts-dejavu-core')
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}, or set MCPG_CHROMIUM`, { cause: error })
  }
}
