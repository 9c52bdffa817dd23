import type { Quota, Quotas } from '@mcpg/proto/rest/quotas'
import type { Context } from '../context.ts'
import { mebibytes, millicores, used } from './print-clusters.ts'
import { table } from './table.ts'

export async function printQuotas({ settings, print }: Pick<Context, 'settings' | 'print'>, quotas: Quotas): Promise<void> {
  const { org } = settings
  switch (settings.output) {
    case 'json':
      return print(JSON.stringify(quotas, null, 2))
    case 'yaml':
      return print((await import('../manifest/print-form.ts')).toYaml(quotas).trimEnd())
    case 'ndjson':
      return [{ org, ...quotas.org }, ...quotas.environments].forEach((one) => print(JSON.stringify(one)))
    case 'name':
      return [org, ...quotas.environments.map(pathOf)].forEach((one) => print(`quota/${one}`))
    default: {
      const rows = [[`org ${org}`, ...cells(quotas.org)], ...quotas.environments.map((one) => [pathOf(one), ...cells(one)])]
      table(['quota', 'gateways', 'cpu', 'memory'], rows).forEach((line) => print(line))
    }
  }
}

const pathOf = ({ workspace, environment }: Quotas['environments'][0]): string => `${workspace}/${environment}`

const cells = ({ limits, used: takes }: Quota): string[] => [
  used(takes.gateways, limits.gateways, String),
  used(takes.cpuMillicores, limits.cpuMillicores, millicores),
  used(takes.memoryBytes, limits.memoryBytes, mebibytes),
]
