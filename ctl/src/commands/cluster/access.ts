import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { McpgError } from '@mcpg/proto/errors'
import type { KubernetesAccess } from '@mcpg/proto/rest/clusters'

export type AccessOptions = {
  kubeconfig?: string
  context?: string
  namespace?: string
  server?: string
  caFile?: string
  tokenFile?: string
  gatewayImage?: string
  imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never'
  hostPath?: string
  storageClass?: string
  ingressNamespace?: string
  ingressClass?: string
  certificateIssuer?: string
  gatewayApi?: string
  egress: string[]
}

/** How the control plane reaches the cluster: what the flags say, else the kubeconfig of this person, else nothing. */
export async function readAccess(
  {
    kubeconfig,
    context,
    namespace,
    server,
    caFile,
    tokenFile,
    gatewayImage,
    imagePullPolicy,
    hostPath,
    storageClass,
    ingressNamespace,
    ingressClass,
    certificateIssuer,
    gatewayApi,
    egress,
  }: AccessOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ kubernetes?: KubernetesAccess }> {
  const how = {
    ...(namespace && { namespace }),
    ...(gatewayImage && { image: gatewayImage }),
    ...(imagePullPolicy && { imagePullPolicy }),
    ...(hostPath && { hostPath }),
    ...(storageClass && { storageClass }),
    ...(ingressNamespace && { ingressNamespace }),
    ...(ingressClass && { ingressClass }),
    ...(certificateIssuer && { certificateIssuer }),
    ...(gatewayApi && { gatewayApi }),
    ...(egress.length > 0 && { egress }),
  }
  // Nothing said of how gateways run there leaves it as it is.
  const workloads = Object.keys(how).length > 0 ? { workloads: how } : {}
  if (server !== undefined) {
    if (kubeconfig !== undefined || context !== undefined) throw usage('--server takes the place of --kubeconfig and --context.')
    if (tokenFile === undefined) throw usage('--server needs --token-file.')
    const ca = caFile === undefined ? {} : { ca: await contentOf('--ca-file', caFile) }
    return { kubernetes: { server, token: (await contentOf('--token-file', tokenFile)).trim(), ...ca, ...workloads } }
  }
  if (caFile !== undefined || tokenFile !== undefined) throw usage('--ca-file and --token-file go with --server.')
  const chosen = context === undefined ? {} : { context }
  if (kubeconfig !== undefined) return { kubernetes: { kubeconfig: await contentOf('--kubeconfig', kubeconfig), ...chosen, ...workloads } }
  if (env['KUBECONFIG']?.includes(delimiter)) throw usage('KUBECONFIG names several files; choose one with --kubeconfig.')
  const own = env['KUBECONFIG'] || join(env['HOME'] ?? homedir(), '.kube/config')
  const found = await readFile(own, 'utf8').catch(() => null)
  if (found !== null) return { kubernetes: { kubeconfig: found, ...chosen, ...workloads } }
  if (context !== undefined) throw usage(`There is no kubeconfig at ${own} for --context ${context}.`)
  return {}
}

async function contentOf(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw usage(`${flag} ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}).`)
  }
}

const usage = (message: string) => new McpgError('invalid', 'usage', message, { hint: 'mcpg-ctl cluster register --help' })
