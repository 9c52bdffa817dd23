import { McpgError } from '@mcpg/proto/errors'
import { findKind, kinds } from '@mcpg/proto/kinds'
import { Resource, type KindDeclaration } from '@mcpg/proto/kinds/kind'
import { ResourceList } from '@mcpg/proto/rest/list'
import { nearest } from '../nearest.ts'
import type { Settings } from '../settings.ts'
import type { Api } from './client.ts'
import { listPath, objectPath } from './paths.ts'

/** Largest page of a list. */
const pageSize = 500

/** The kind a person means by a word, in any case, plural or alias. */
export function kindOf(word: string): KindDeclaration {
  const kind = findKind(word)
  if (kind) return kind
  const guess = nearest(
    word,
    kinds.flatMap((one) => [one.plural, one.kind.toLowerCase(), ...one.aliases]),
  )
  throw new McpgError('invalid', 'unknown_kind', `"${word}" is no kind of object.`, {
    hint: guess ? `did you mean ${guess}?` : `kinds: ${kinds.map((one) => one.plural).join(', ')}`,
  })
}

/** `kind name…`, `kind/name…` and `kind,kind` as typed, taken apart. */
export function readTargets(args: string[]): { kinds: KindDeclaration[]; names: string[] } {
  const [first = '', ...rest] = args
  if (first.includes('/')) {
    const pairs = args.map((arg) => splitTarget(arg))
    const [kind] = pairs
    if (kind && pairs.some((pair) => pair.kind !== kind.kind))
      throw new McpgError('invalid', 'mixed_kinds', 'Only objects of one kind can be named by kind/name in one command.')
    return { kinds: kind ? [kind.kind] : [], names: pairs.map(({ name }) => name) }
  }
  // What happened is asked for by its own name; all is what there is.
  return { kinds: first === 'all' ? kinds.filter(({ kind }) => kind !== 'Event') : first.split(',').map(kindOf), names: rest }
}

export function splitTarget(text: string): { kind: KindDeclaration; name: string } {
  const slash = text.indexOf('/')
  if (slash < 1 || slash === text.length - 1)
    throw new McpgError('invalid', 'bad_target', `"${text}" is not kind/name.`, { hint: 'write it like server/everything' })
  return { kind: kindOf(text.slice(0, slash)), name: text.slice(slash + 1) }
}

export type Filter = { selector?: string | undefined; names?: string[]; environment?: string | undefined }

/** Every object of a kind that matches, over all pages. A name that is no glob and matches nothing is `not_found`. */
export async function listObjects(
  api: Api,
  kind: KindDeclaration,
  { selector, names = [], environment }: Filter = {},
  scope: Settings = api.settings,
): Promise<Resource[]> {
  const isGlob = names.some((name) => /[*?]/.test(name))
  if (names.length > 0 && !isGlob && !selector) return Promise.all(names.map((name) => getObject(api, kind, name, scope)))
  const found: Resource[] = []
  let cursor: string | undefined
  do {
    const { body } = await api.call('GET', listPath(scope, kind.plural), {
      query: { limit: pageSize, cursor, labelSelector: selector, sort: kind.order },
      schema: ResourceList,
    })
    found.push(...body.items)
    cursor = body.nextCursor
  } while (cursor)
  const patterns = names.map(globOf)
  return found.filter(
    ({ metadata }) =>
      (patterns.length === 0 || patterns.some((pattern) => pattern.test(metadata.name))) &&
      (!environment || !metadata.environment || metadata.environment === environment),
  )
}

export async function getObject(api: Api, kind: KindDeclaration, name: string, scope: Settings = api.settings): Promise<Resource> {
  try {
    const { body } = await api.call('GET', objectPath(scope, kind.plural, name), { schema: Resource })
    return body
  } catch (error) {
    throw withHint(error, kind)
  }
}

/** Null where there is none. */
export async function findObject(api: Api, kind: KindDeclaration, name: string): Promise<Resource | null> {
  return getObject(api, kind, name).catch((error: unknown) => {
    if (error instanceof McpgError && error.code === 'not_found') return null
    throw error
  })
}

function withHint(error: unknown, kind: KindDeclaration): unknown {
  if (!(error instanceof McpgError) || error.code !== 'not_found' || error.hint) return error
  return new McpgError(error.code, error.reason, error.message, {
    hint: `mcpg-ctl get ${kind.plural}`,
    cause: error.cause,
    violations: error.violations,
  })
}

/** `*` and `?` as in a shell. */
export const globOf = (text: string): RegExp =>
  new RegExp(
    `^${text
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  )
