import type { Resource } from '@mcpg/proto/kinds/kind'
import type { LlmSpec } from '@mcpg/proto/kinds/llm'
import type { ProxyModelSpec } from '@mcpg/proto/kinds/proxy-model'
import type { SecretBackendSpec } from '@mcpg/proto/kinds/secret-backend'
import { facts, rows, usedBy } from './parts.ts'
import type { Related } from './related.ts'

const tiers = { fast: 'short answers (fast)', heavy: 'long thoughts (heavy)' } as const

export function llmSections({ spec }: Resource, { users }: Pick<Related, 'users'>): string[] {
  const { type, model, tier, url, apiKeyRef, description, extra = {} } = spec as LlmSpec
  return [
    ...facts('Model', [
      ['Description', description],
      ['Provider', type],
      ['Model', model],
      ['Good for', tier && tiers[tier]],
      ['URL', url ?? 'that of the provider'],
      ['API key', apiKeyRef ? `key ${apiKeyRef.key} of secret/${apiKeyRef.name}, which no gateway gets yet` : 'none'],
    ]),
    ...rows(
      'Settings',
      ['name', 'value'],
      Object.entries(extra).map(([name, value]) => [name, String(value)]),
    ),
    ...usedBy(users, 'no project and no pipeline'),
  ]
}

export function proxyModelSections({ spec }: Resource, { users }: Pick<Related, 'users'>): string[] {
  const { description, stages, llm } = spec as ProxyModelSpec
  const settings = (options: ProxyModelSpec['stages'][number]['options'] = {}) =>
    Object.entries(options)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(', ')
  return [
    ...facts('Pipeline', [
      ['Description', description],
      ['Model', llm === undefined ? 'that of the project' : `that of the project, else llm/${llm}`],
    ]),
    ...rows(
      'Stages',
      ['', 'stage', 'settings'],
      stages.map(({ type, options }, index) => [String(index + 1), type, settings(options)]),
    ),
    ...usedBy(users, 'no project'),
  ]
}

export function secretBackendSections({ spec }: Resource): string[] {
  const { description, type = 'built-in', default: isDefault } = spec as SecretBackendSpec
  return facts('Backend', [
    ['Description', description],
    ['Keeps values', type === 'built-in' ? 'in the database, sealed under the master key (built-in)' : type],
    ['Default', isDefault ? 'yes: values go there where nothing is said' : 'no'],
  ])
}
