import { spawnSync } from 'node:child_process'

/** Installs packages of the system where that is possible; else throws with what to do. */
export function aptInstall(...packages: string[]): void {
  if (process.getuid?.() !== 0) throw new Error(`${packages[0]} is not installed. Install it: apt-get install ${packages.join(' ')}`)
  console.log(`installing ${packages[0]} for the stories`)
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const done = spawnSync('apt-get', args, { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
    if (done.status !== 0) throw new Error(`apt-get ${args[0]} failed: ${done.stderr}`)
  }
}
