import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whoever installs for the tests takes this: apt does not wait for another one that reads its lists. */
const lock = join(tmpdir(), 'mcpg-apt.lock')

/** Installs packages of the system where that is possible; else throws with what to do. */
export function aptInstall(...packages: string[]): void {
  if (process.getuid?.() !== 0) throw new Error(`${packages[0]} is not installed. Install it: apt-get install ${packages.join(' ')}`)
  console.log(`installing ${packages[0]} for the stories`)
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const done = spawnSync('flock', [lock, 'apt-get', '-o', 'DPkg::Lock::Timeout=600', ...args], { encoding: 'utf8', env })
    if (done.status !== 0) throw new Error(`apt-get ${args[0]} failed: ${done.stderr}`)
  }
}
