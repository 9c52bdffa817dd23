import { spawnSync } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the programs of Kubernetes 1.20.2 are; outside of the clone, so that they are built once. */
export const binaries = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mcpg/kubernetes-1.20.2/bin')

/** Set-up of the stories on a real Kubernetes. The first time takes minutes: there is no binary to be had, so it is built. */
export default function ensureKubernetes(): void {
  const built = spawnSync(join(import.meta.dirname, 'build.sh'), {
    encoding: 'utf8',
    stdio: ['ignore', 'inherit', 'pipe'],
    timeout: 40 * 60_000,
  })
  if (built.status !== 0) throw new Error(`Kubernetes could not be built: ${built.stderr.slice(-2000)}`)
}
