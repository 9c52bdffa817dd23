import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ctl } from '../harness/programs.ts'
import { publishedAccount } from './account.ts'
import { clusterWithNode } from './cluster-with-node.ts'

export type ManagedCluster = Awaited<ReturnType<typeof managedCluster>>
export type Pod = { metadata: { name: string; uid: string; namespace: string } }

const scope = ['--org', 'default', '--workspace', 'default', '--env', 'default']

/** A control plane and a Kubernetes that it may be registered with, by the account of the published role. */
export async function managedCluster(options: { timers?: string; dnsServer?: string } = {}) {
  const setup = await clusterWithNode(options)
  const { cluster, controlPlane, volume } = setup
  const { credentials } = await publishedAccount(cluster)
  const file = (name: string, text: string) => {
    const path = join(cluster.folder, name)
    writeFileSync(path, text)
    return path
  }
  const given = {
    '--server': cluster.server,
    '--ca-file': file('given-ca.pem', cluster.ca),
    '--token-file': file('given-token', 'token' in credentials.user ? credentials.user.token : ''),
    '--gateway-image': 'localhost/mcpg-gateway',
    '--image-pull-policy': 'Never',
    '--host-path': volume,
  }
  const run = (...args: string[]) => ctl(args, controlPlane)
  return { ...setup, run, registration, create, remove, pods, nothingLeft }

  /** Arguments that register it. */
  function registration(name: string, rest: Record<string, string> = {}): string[] {
    const required = ['cluster', 'register', '--region', 'eu', '--gateways-max', '30', '--name', name]
    return [...required, ...Object.entries({ ...given, ...rest }).flat()]
  }

  /** The last of two flags counts. */
  function create(name: string, ...rest: string[]) {
    return run('provision', 'create', ...scope, '--name', name, '--region', 'eu', '--image-tag', 'test', ...rest)
  }

  function remove(instanceUid: string) {
    return run('provision', 'delete', ...scope, '--instance-uid', instanceUid)
  }

  async function pods(gateway: string): Promise<Pod[]> {
    return (await cluster.admin.get<{ items: Pod[] }>('/api/v1/pods', { labelSelector: `mcpg.dev/gateway=${gateway}` })).items
  }

  /** Of gateways, on the cluster: their namespaces and what carries our label. */
  async function nothingLeft(): Promise<string[]> {
    const labelSelector = 'app.kubernetes.io/managed-by=mcpg-control-plane'
    const paths = [
      '/api/v1/namespaces',
      '/apis/apps/v1/statefulsets',
      '/apis/networking.k8s.io/v1/networkpolicies',
      '/apis/networking.k8s.io/v1/ingresses',
      '/apis/policy/v1beta1/poddisruptionbudgets',
      '/apis/autoscaling/v1/horizontalpodautoscalers',
      '/api/v1/pods',
      '/api/v1/secrets',
      '/api/v1/services',
      '/api/v1/serviceaccounts',
    ]
    const lists = await Promise.all(
      paths.map((path) => cluster.admin.get<{ items: { metadata: { name: string } }[] }>(path, { labelSelector })),
    )
    return lists.flatMap(({ items }, index) => items.map(({ metadata }) => `${paths[index]}/${metadata.name}`))
  }
}
