import type { ChangeCluster, Cluster, ClusterDriver, IsolationTier, KubernetesAccess, KubernetesWorkloads } from '@mcpg/proto/rest/clusters'
import { shellWord } from '../../lib/format.ts'
import { parseLabels, splitList } from '../../lib/label-text.ts'

/** How a cluster of Kubernetes is reached, as the fields hold it. `later`: not said now. */
export type AccessDraft = {
  way: 'kubeconfig' | 'account' | 'later'
  kubeconfig: string
  context: string
  server: string
  ca: string
  token: string
  /** By field of `workloads`. */
  workloads: Partial<Record<keyof KubernetesWorkloads, string>>
}

/** Totals in CPUs and GiB, as people say them. */
export type AmountsDraft = { gatewaysMax: string; cpus: string; gibibytes: string; labels: string }

export type ClusterDraft = AmountsDraft & {
  name: string
  region: string
  isolationTier: IsolationTier
  driver: ClusterDriver
  access: AccessDraft
}

export const noAccess: AccessDraft = { way: 'later', kubeconfig: '', context: '', server: '', ca: '', token: '', workloads: {} }

export const emptyDraft: ClusterDraft = {
  name: '',
  region: '',
  isolationTier: 'shared',
  driver: 'kubernetes',
  gatewaysMax: '40',
  cpus: '',
  gibibytes: '',
  labels: '',
  access: { ...noAccess, way: 'kubeconfig' },
}

export const amountsDraft = ({ gateways, totalsGiven, cpuMillicores, memoryBytes, labels }: Cluster): AmountsDraft => ({
  gatewaysMax: String(gateways.max),
  cpus: totalsGiven && cpuMillicores.total !== undefined ? String(cpuMillicores.total / 1000) : '',
  gibibytes: totalsGiven && memoryBytes.total !== undefined ? String(memoryBytes.total / gibibyte) : '',
  labels: Object.entries(labels)
    .map((pair) => pair.join('='))
    .join(', '),
})

const gibibyte = 2 ** 30

/** What is sent; the control plane says what is wrong with it, all at once. */
export function registerBody(draft: ClusterDraft): object {
  const { name, region, isolationTier, driver, gatewaysMax, cpus, gibibytes, labels, access } = draft
  const kubernetes = driver === 'kubernetes' ? accessBody(access) : undefined
  return {
    name: name.trim(),
    region: region.trim(),
    isolationTier,
    driver,
    gatewaysMax: numberOf(gatewaysMax),
    ...(cpus.trim() && { cpuMillicoresTotal: Math.round(Number(cpus) * 1000) }),
    ...(gibibytes.trim() && { memoryBytesTotal: Math.round(Number(gibibytes) * gibibyte) }),
    ...(labels.trim() && { labels: parseLabels(labels) }),
    ...(kubernetes && { kubernetes }),
  }
}

/** Only what differs. */
export function changeBody(before: AmountsDraft, { access, ...now }: AmountsDraft & { access: AccessDraft }): ChangeCluster {
  const kubernetes = accessBody(access)
  const total = (text: string, unit: number) => (text.trim() === '' ? null : Math.round(Number(text) * unit))
  return {
    ...(now.gatewaysMax !== before.gatewaysMax && { gatewaysMax: numberOf(now.gatewaysMax) ?? 0 }),
    ...(now.cpus !== before.cpus && { cpuMillicoresTotal: total(now.cpus, 1000) }),
    ...(now.gibibytes !== before.gibibytes && { memoryBytesTotal: total(now.gibibytes, gibibyte) }),
    ...(now.labels !== before.labels && { labels: parseLabels(now.labels) }),
    ...(kubernetes && { kubernetes }),
  }
}

function accessBody({ way, kubeconfig, context, server, ca, token, workloads }: AccessDraft): KubernetesAccess | undefined {
  if (way === 'later') return undefined
  const said = Object.entries(workloads).flatMap(([field, text]) =>
    text.trim() === '' ? [] : [[field, field === 'egress' ? splitList(text) : text.trim()]],
  )
  return {
    ...(way === 'kubeconfig'
      ? { kubeconfig, ...(context.trim() && { context: context.trim() }) }
      : { server: server.trim(), token: token.trim(), ...(ca.trim() && { ca }) }),
    ...(said.length > 0 && { workloads: Object.fromEntries(said) as KubernetesWorkloads }),
  }
}

const numberOf = (text: string): number | undefined => (text.trim() === '' ? undefined : Number(text))

const workloadFlags: Partial<Record<keyof KubernetesWorkloads, string>> = {
  namespace: '--namespace',
  image: '--gateway-image',
  imagePullPolicy: '--image-pull-policy',
  storageClass: '--storage-class',
  ingressNamespace: '--ingress-namespace',
  ingressClass: '--ingress-class',
  certificateIssuer: '--certificate-issuer',
  gatewayApi: '--gateway-api',
}

/** The command that does the same, with files in place of what was pasted. */
export function registerCommand({
  name,
  region,
  isolationTier,
  driver,
  gatewaysMax,
  cpus,
  gibibytes,
  labels,
  access,
}: ClusterDraft): string {
  const flags: [flag: string, value: string][] = [
    ['--name', name.trim() || '<name>'],
    ['--region', region.trim() || '<region>'],
    ['--gateways-max', gatewaysMax.trim() || '<n>'],
    ['--isolation-tier', isolationTier === 'shared' ? '' : isolationTier],
    ['--cpu-millicores-total', cpus.trim() && String(Math.round(Number(cpus) * 1000))],
    ['--memory-bytes-total', gibibytes.trim() && String(Math.round(Number(gibibytes) * gibibyte))],
    ...Object.entries(parseLabels(labels)).map((pair): [string, string] => ['--label', pair.join('=')]),
    ...(driver === 'local' ? ([['--driver', driver]] satisfies [string, string][]) : accessFlags(access)),
  ]
  const given = flags.filter(([, value]) => value !== '')
  return ['mcpg-ctl cluster register', ...given.map(([flag, value]) => `${flag} ${value.startsWith('<') ? value : shellWord(value)}`)].join(
    ' ',
  )
}

function accessFlags({ way, context, server, ca, workloads }: AccessDraft): [string, string][] {
  if (way === 'later') return []
  const access: [string, string][] =
    way === 'kubeconfig'
      ? [
          ['--kubeconfig', '<file>'],
          ['--context', context.trim()],
        ]
      : [
          ['--server', server.trim() || '<url>'],
          ['--ca-file', ca.trim() && '<file>'],
          ['--token-file', '<file>'],
        ]
  const said = Object.entries(workloads) as [keyof KubernetesWorkloads, string][]
  return [
    ...access,
    ...said.flatMap(([field, text]): [string, string][] =>
      field === 'egress'
        ? splitList(text).map((cidr) => ['--egress', cidr])
        : workloadFlags[field] === undefined
          ? []
          : [[workloadFlags[field], text.trim()]],
    ),
  ]
}

/** Without credentials, which `cluster register` takes; empty where nothing differs. */
export function setCommand(name: string, { gatewaysMax, cpuMillicoresTotal, memoryBytesTotal, labels }: ChangeCluster): string {
  const pairs = Object.entries(labels ?? {}).map((pair) => pair.join('='))
  const flags = [
    ...(gatewaysMax === undefined ? [] : [`--gateways-max ${gatewaysMax}`]),
    ...(cpuMillicoresTotal === undefined ? [] : [`--cpu-millicores-total ${cpuMillicoresTotal ?? 'probed'}`]),
    ...(memoryBytesTotal === undefined ? [] : [`--memory-bytes-total ${memoryBytesTotal ?? 'probed'}`]),
    ...(labels === undefined ? [] : (pairs.length > 0 ? pairs : ['=']).map((pair) => `--label ${shellWord(pair)}`)),
  ]
  return flags.length === 0 ? '' : ['mcpg-ctl cluster set', name, ...flags].join(' ')
}
