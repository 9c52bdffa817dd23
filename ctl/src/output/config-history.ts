import type { Pin } from '@mcpg/proto/kinds/gateway'
import type { ConfigCause, ConfigDiff, GatewayConfigEntry } from '@mcpg/proto/rest/gateways'
import { relative } from './age.ts'
import { fieldLine } from './field-line.ts'
import { table } from './table.ts'

/** Generations shown, the newest ones. */
const maxGenerations = 10

/** The newest configs of a gateway as a table. */
export function historyLines(entries: GatewayConfigEntry[]): string[] {
  if (entries.length === 0) return []
  const rows = entries
    .slice(0, maxGenerations)
    .map(({ generation, hash, state, reason, cause, servers, createdAt, pinned }) => [
      `${generation}${pinned ? ' (pinned)' : ''}`,
      hash.slice(0, 12),
      reason ? `${state}, ${reason}` : state,
      String(servers.length),
      relative(createdAt),
      cause ? causeText(cause) : '',
    ])
  const older = entries.length - maxGenerations
  return [
    ...table(['generation', 'hash', 'state', 'servers', 'created', 'because of'], rows),
    ...(older > 0 ? [`and ${older} older ones`] : []),
  ]
}

function causeText({ why, to, by, actions, more }: ConfigCause): string {
  if (why === 'rollback') return `rollback to ${to} by ${by}`
  if (why === 'resume') return `resume by ${by}`
  if (why === 'renumbered') return 'the same config, numbered anew'
  if (why === 'start') return 'start of the control plane'
  const named = actions.map(({ action, object, by: who }) => `${action} ${object.replace(/^[^/]*\//, '')}${who ? ` by ${who}` : ''}`)
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

const signs = { added: '+', changed: '~', removed: '-' } as const

/** What differs, servers first. */
export const configDiffObjects = ({ servers, others }: ConfigDiff) => [
  ...servers.map(({ server, ...diff }) => ({ object: `server/${server}`, ...diff })),
  ...others.map(({ kind, name, ...diff }) => ({ object: `${kind.toLowerCase()}/${name}`, ...diff })),
]

/** Object by object, field by field. */
export function configDiffLines(diff: ConfigDiff): string[] {
  return configDiffObjects(diff).flatMap(({ object, result, fields }) => [
    `${signs[result]} ${object} ${result}`,
    ...(result === 'changed' ? fields.map((field) => `    ${fieldLine(field)}`) : []),
  ])
}

/** The sentence about a pin, the same everywhere. */
export function pinSentence(gateway: string, { generation, since, by }: Omit<Pin, 'hash'>): string {
  return `gateway ${gateway} is pinned to generation ${generation} since ${since} by ${by}: this change reaches it after mcpg-ctl resume gateway/${gateway}`
}
