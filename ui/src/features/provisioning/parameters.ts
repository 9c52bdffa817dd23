import { gatewaySizes, type GatewaySize } from '@mcpg/proto/managed-gateways'
import type { GatewayParameters } from '@mcpg/proto/rest/provisioning'
import { plural, shellWord, spellBytes, spellCpu } from '../../lib/format.ts'

export type EnvironmentScope = { org: string; workspace: string; environment: string }

export function sizeText(size: GatewaySize): string {
  const { cpuMillicores, memoryBytes } = gatewaySizes[size]
  return `${spellCpu(cpuMillicores)}, ${spellBytes(memoryBytes).replace('.0 ', ' ')}`
}

type Shape = Pick<GatewayParameters, 'size' | 'replicas' | 'maxReplicas'>

/** `size m (0.5 CPU, 1 GiB each), 2 replicas`, or `2 to 5 replicas` where load decides. */
export function shapeText({ size, replicas, maxReplicas }: Shape): string {
  const each = replicas > 1 || maxReplicas !== undefined ? ' each' : ''
  const count = maxReplicas === undefined ? plural(replicas, 'replica') : `${replicas} to ${maxReplicas} replicas`
  return `size ${size} (${sizeText(size)}${each}), ${count}`
}

/** The command that does the same; what is a default is left out. */
export function createCommand(scope: EnvironmentScope, name: string, parameters: Partial<GatewayParameters>): string {
  const { size = 's', replicas = 1, maxReplicas, imageTag = 'latest', customHostname } = parameters
  const { region, isolationTier, allowHigherTier, clusterSelector, strategy } = parameters
  const flags: [flag: string, value: string | undefined][] = [
    ['--name', name || '<name>'],
    ['--size', size === 's' ? undefined : size],
    ['--replicas', replicas === 1 ? undefined : String(replicas)],
    ['--max-replicas', maxReplicas === undefined ? undefined : String(maxReplicas)],
    ['--image-tag', imageTag === 'latest' ? undefined : imageTag],
    ['--region', region],
    ['--isolation-tier', isolationTier],
    ['--cluster-selector', clusterSelector],
    ['--custom-hostname', customHostname],
    ['--strategy', strategy === 'spread' ? strategy : undefined],
  ]
  const given = flags.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${value === '<name>' ? value : shellWord(value)}`]))
  return ['mcpg-ctl provision create', scopeFlags(scope), ...given, ...(allowHigherTier ? ['--allow-higher-tier'] : [])].join(' ')
}

export const deleteCommand = (scope: EnvironmentScope, instanceUid: string): string =>
  `mcpg-ctl provision delete ${scopeFlags(scope)} --instance-uid ${instanceUid}`

const scopeFlags = ({ org, workspace, environment }: EnvironmentScope) => `--org ${org} --workspace ${workspace} --env ${environment}`
