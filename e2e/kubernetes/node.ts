import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { closeLater } from '../harness/cleanup.ts'
import { freePort } from '../harness/free-port.ts'
import { until } from '../harness/until.ts'
import { binaries } from './binaries.ts'
import { nodeName, type Cluster } from './control-plane.ts'
import { daemon } from './daemons.ts'

/** Where pods reach programs of this machine: the bridge of the container engine. */
export type Node = { address: string; docker: (args: string[], stdin?: string) => string }

/** A container engine of its own, all of it in the folder of the cluster. */
export async function startEngine({ folder }: Pick<Cluster, 'folder'>): Promise<Node> {
  const home = join(folder, 'docker')
  const socket = join(folder, 'docker.sock')
  mkdirSync(home)
  // Not every machine allows what the kubelet asks for: to be spared when memory runs out.
  const runc = join(folder, 'runc')
  writeFileSync(
    runc,
    `#!/bin/sh
prev=
for word in "$@"; do
  case "$prev" in --bundle|-b) bundle=$word ;; esac
  case "$word" in --bundle=*) bundle=\${word#*=} ;; esac
  prev=$word
done
if [ -n "$bundle" ] && [ -f "$bundle/config.json" ]; then sed -i 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' "$bundle/config.json"; fi
exec runc "$@"
`,
  )
  chmodSync(runc, 0o755)
  const places = ['--data-root', join(home, 'data'), '--exec-root', join(home, 'exec'), '-p', join(home, 'pid'), '-H', `unix://${socket}`]
  const engine = daemon(folder, 'dockerd', 'dockerd', [...places, '--add-runtime', `patient=${runc}`, '--default-runtime', 'patient'])
  const docker = (args: string[], input = '') =>
    execFileSync('docker', ['-H', `unix://${socket}`, ...args], {
      encoding: 'utf8',
      input,
      env: { ...process.env, DOCKER_BUILDKIT: '0' },
      maxBuffer: 64 << 20,
      timeout: 120_000,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  await until(`the container engine: ${engine.log()}`, () => docker(['version']) !== '', 60_000)
  closeLater(() => {
    const running = docker(['ps', '-aq']).split('\n').filter(Boolean)
    if (running.length > 0) docker(['rm', '-f', ...running])
  })
  // The first engine of a machine makes the bridge, and does not say its address yet: it is the first of its network.
  const described = docker(['network', 'inspect', 'bridge', '-f', '{{with index .IPAM.Config 0}}{{.Gateway}} {{.Subnet}}{{end}}'])
  const [gateway = '', subnet = ''] = described.trimEnd().split(' ')
  return { address: gateway || subnet.replace(/0\/\d+$/, '1'), docker }
}

/** A kubelet on that engine; the cluster has a node then. */
export async function joinNode({ folder, admin, kubeconfig }: Cluster, { address }: Node): Promise<void> {
  const root = join(folder, 'kubelet')
  const config = join(folder, 'kubelet.json')
  mkdirSync(root)
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: join(folder, 'ca.crt') } },
      authorization: { mode: 'Webhook' },
      cgroupDriver: 'cgroupfs',
      cgroupRoot: '/',
      enforceNodeAllocatable: [],
      failSwapOn: false,
      address,
      port: await freePort(),
      healthzPort: 0,
      readOnlyPort: 0,
      evictionHard: { 'nodefs.available': '1%', 'imagefs.available': '1%', 'memory.available': '100Mi' },
      imageGCHighThresholdPercent: 100,
      oomScoreAdj: 0,
      makeIPTablesUtilChains: false,
      volumePluginDir: join(folder, 'volume-plugins'),
      maxOpenFiles: 20_000,
      nodeStatusUpdateFrequency: '1s',
      syncFrequency: '2s',
    }),
  )
  // Registered first, so that it runs last: what the kubelet mounted for pods holds the folder.
  closeLater(() => unmountBelow(root))
  daemon(folder, 'kubelet', join(binaries, 'kubelet'), [
    `--config=${config}`,
    `--kubeconfig=${kubeconfig('node')}`,
    `--hostname-override=${nodeName}`,
    `--root-dir=${root}`,
    `--cert-dir=${root}`,
    '--container-runtime=docker',
    `--docker-endpoint=unix://${join(folder, 'docker.sock')}`,
    '--pod-infra-container-image=localhost/pause:1',
    '--runtime-cgroups=/',
    `--node-ip=${address}`,
  ])
  type List = { items: { status: { conditions: { type: string; status: string }[] } }[] }
  await until(
    'the node to be ready',
    async () => {
      const { items } = await admin.get<List>('/api/v1/nodes')
      return items[0]?.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
    },
    90_000,
  )
}

/** It mounts its own folder too. */
function unmountBelow(folder: string): void {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
  for (const path of mounts.toReversed()) execFileSync('umount', ['-l', path])
}
