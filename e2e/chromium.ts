import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Set-up of runs that need a browser: uses MCPG_CHROMIUM, else the system's, else installs it where that is possible. */
export default function ensureChromium(): void {
  process.env['MCPG_CHROMIUM'] ??= '/usr/bin/chromium'
  if (existsSync(process.env['MCPG_CHROMIUM'])) return
  if (process.getuid?.() !== 0) throw new Error('Chromium is not installed. Install it (apt-get install chromium) or set MCPG_CHROMIUM.')
  console.log('installing chromium for the stories')
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'],
  ]) {
    const done = spawnSync('apt-get', args, { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
    if (done.status !== 0) throw new Error(`apt-get ${args[0]} failed: ${done.stderr}`)
  }
}
