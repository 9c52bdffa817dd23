import type { Domain } from '@mcpg/proto/rest/domains'
import type { Context } from '../context.ts'
import { pairs, table } from './table.ts'

export async function printDomains({ settings, print, say }: Context, domains: Domain[]): Promise<void> {
  switch (settings.output) {
    case 'json':
      return print(JSON.stringify({ items: domains }, null, 2))
    case 'yaml':
      return print((await import('../manifest/print-form.ts')).toYaml({ domains }).trimEnd())
    case 'ndjson':
      return domains.forEach((one) => print(JSON.stringify(one)))
    case 'name':
      return domains.forEach(({ host }) => print(`domain/${host}`))
    default: {
      if (domains.length === 0) return say('no domains found')
      const rows = domains.map(({ host, state, record }) => [host, state, record.name, record.value])
      table(['host', 'state', 'txt record', 'value'], rows).forEach((line) => print(line))
    }
  }
}

export async function printDomain({ settings, print }: Context, domain: Domain): Promise<void> {
  if (settings.output === 'json') return print(JSON.stringify(domain, null, 2))
  if (settings.output === 'yaml') return print((await import('../manifest/print-form.ts')).toYaml(domain).trimEnd())
  if (settings.output === 'name') return print(`domain/${domain.host}`)
  pairs([
    ['Host', domain.host],
    ['State', domain.state],
    ['TXT record', domain.record.name],
    ['Value', domain.record.value],
    ...domain.usedBy.map((one): [string, string] => ['Used by', `${one.workspace}/${one.environment}/${one.gateway} (${one.hostname})`]),
  ]).forEach((line) => print(line))
}
