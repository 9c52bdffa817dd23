import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { aptInstall } from '../apt.ts'

const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mcpg/kubernetes-1.20.2')

/** Where the programs of Kubernetes 1.20.2 are; outside of the clone, so that they are built once. */
export const binaries = join(folder, 'bin')

/** Set-up of the stories on a real Kubernetes. The first time takes minutes: there is no binary to be had, so it is built. */
export default function ensureKubernetes(): void {
  const programs: [string, string][] = [
    ['etcd', 'etcd-server'],
    ['dockerd', 'docker.io'],
    ['runc', 'runc'],
    ['conntrack', 'conntrack'],
    ['iptables', 'iptables'],
    ['promtool', 'prometheus'],
  ]
  const missing = programs.filter(([program]) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0)
  if (missing.length > 0) aptInstall(...missing.map(([, name]) => name))
  if (existsSync(join(binaries, 'kubelet'))) return
  console.log(`building Kubernetes 1.20.2 from the source package of Debian into ${folder}; it is kept there`)
  const built = spawnSync('nice', ['-n', '19', join(import.meta.dirname, 'build.sh'), folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 40 * 60_000,
  })
  if (built.status !== 0) throw new Error(`Kubernetes could not be built: ${built.stderr.slice(-2000)}`)
}
