import { McpgError } from '@mcpg/proto/errors'
import { findKind, kinds } from '@mcpg/proto/kinds'
import { Resource, type KindDeclaration } from '@mcpg/proto/kinds/kind'
import { ResourceList } from '@mcpg/proto/rest/list'
import { nearest } from '@mcpg/core/nearest'
import type { Settings } from '../settings.ts'
import type { Api, Patience } from './client.ts'
import { listPath, objectPath } from './paths.ts'
import { getTenancy, isTenancy, listTenancies, tenancyKindOf, tenancyKinds } from './tenancy.ts'

/** Largest page of a list. */
const pageSize = 500
/** A guess is no reason to wait. */
const guessTimeoutMs = 2000

/** What is looked at by a command of its own. */
const commandsOf: readonly [word: RegExp, command: string][] = [
  [/^clusters?$/i, 'cluster list'],
  [/^operations?$/i, 'provision history --org <org>'],
  [/^domains?$/i, 'domain list'],
]

/** The kind a person means by a word, in any case, plural or alias. */
export function kindOf(word: string): KindDeclaration {
  const kind = findKind(word) ?? tenancyKindOf(word)
  if (kind) return kind
  const command = commandsOf.find(([meant]) => meant.test(word))?.[1]
  if (command) throw new McpgError('invalid', 'unknown_kind', `"${word}" is no kind of object.`, { hint: `mcpg-ctl ${command}` })
  const guess = nearest(
    word,
    [...kinds, ...tenancyKinds].flatMap((one) => [one.plural, one.kind.toLowerCase(), ...one.aliases]),
  )
  throw new McpgError('invalid', 'unknown_kind', `"${word}" is no kind of object.`, {
    hint: guess ? `did you mean ${guess}?` : `kinds: ${[...kinds, ...tenancyKinds].map((one) => one.plural).join(', ')}`,
  })
}

export function splitTarget(text: string): { kind: KindDeclaration; name: string } {
  const slash = text.indexOf('/')
  if (slash < 1 || slash === text.length - 1)
    throw new McpgError('invalid', 'bad_target', `"${text}" is not kind/name.`, { hint: 'write it like server/everything' })
  return { kind: kindOf(text.slice(0, slash)), name: text.slice(slash + 1) }
}

export type Filter = {
  selector?: string | undefined
  names?: string[]
  environment?: string | undefined
  /** Names that stand for nothing are no failure. */
  lenient?: boolean
  /** Given up after so long, and not tried again. */
  timeoutMs?: number
}

/** Every object of a kind that matches, over all pages. A name that is no glob and matches nothing is `not_found`. */
export async function listObjects(
  api: Api,
  kind: KindDeclaration,
  { selector, names = [], environment, lenient = false, timeoutMs }: Filter = {},
  scope: Settings = api.settings,
): Promise<Resource[]> {
  // Without a project, whatever project it is in.
  const isAnywhere = kind.scope === 'project' && scope.project === undefined
  if (names.length > 0 && !names.some(isGlob) && !selector && !lenient && !isAnywhere) return await namedObjects(api, kind, names, scope)
  const patience = timeoutMs === undefined ? {} : { timeoutMs, retries: 0 }
  const found = isTenancy(kind)
    ? selector
      ? []
      : await listTenancies(api, kind, scope, patience)
    : await allPages(api, kind, selector, scope, patience)
  const patterns = names.map(globOf)
  const meant = found.filter(
    ({ metadata }) =>
      (patterns.length === 0 || patterns.some((pattern) => pattern.test(metadata.name))) &&
      (!environment || !metadata.environment || metadata.environment === environment),
  )
  if (!lenient) refuseMissing(kind, names, meant, found)
  return meant
}

async function allPages(
  api: Api,
  kind: KindDeclaration,
  selector: string | undefined,
  scope: Settings,
  patience: Patience,
): Promise<Resource[]> {
  const found: Resource[] = []
  let cursor: string | undefined
  do {
    const { body } = await api.call('GET', listPath(scope, kind), {
      query: { limit: pageSize, cursor, labelSelector: selector, sort: kind.order },
      schema: ResourceList,
      ...patience,
    })
    found.push(...body.items)
    cursor = body.nextCursor
  } while (cursor)
  return found
}

/** Throws `not_found` with every name that is no glob and that none of the objects has; one of `known` may have been meant. */
export function refuseMissing(kind: KindDeclaration, names: string[], found: Resource[], known: Resource[] = []): void {
  const missing = names.filter((name) => !isGlob(name) && !found.some(({ metadata }) => metadata.name === name))
  if (missing.length > 0) throw unknownNames(kind, missing, known)
}

async function namedObjects(api: Api, kind: KindDeclaration, names: string[], scope: Settings): Promise<Resource[]> {
  const [name] = names
  if (names.length === 1 && name !== undefined)
    return [
      await getObject(api, kind, name, scope).catch(async (error: unknown) => {
        throw await withGuess(api, kind, name, scope, error)
      }),
    ]
  const found = await Promise.all(
    [...new Set(names)].map(async (one) => {
      const resource = await findObject(api, kind, one, scope)
      return resource ? [resource] : []
    }),
  )
  if (found.some((one) => one.length === 0)) refuseMissing(kind, names, found.flat(), await existing(api, kind, scope))
  return found.flat()
}

export async function getObject(api: Api, kind: KindDeclaration, name: string, scope: Settings = api.settings): Promise<Resource> {
  try {
    if (isTenancy(kind)) return await getTenancy(api, kind, name, scope)
    const { body } = await api.call('GET', objectPath(scope, kind, name), { schema: Resource })
    return body
  } catch (error) {
    throw withHint(error, kind)
  }
}

/** Looks at the names there are, for one that was meant. */
async function withGuess(api: Api, kind: KindDeclaration, name: string, scope: Settings, error: unknown): Promise<unknown> {
  if (!(error instanceof McpgError) || error.code !== 'not_found') return error
  const found = await existing(api, kind, scope)
  const guess = nearest(
    name,
    found.map(({ metadata }) => metadata.name),
  )
  if (guess === undefined) return error
  const hint = `did you mean ${guess}?${error.hint ? ` ${error.hint}` : ''}`
  return new McpgError(error.code, error.reason, error.message, { hint, cause: error.cause, violations: error.violations })
}

/** To guess by; none where they cannot be read. */
const existing = (api: Api, kind: KindDeclaration, scope: Settings): Promise<Resource[]> =>
  listObjects(api, kind, { timeoutMs: guessTimeoutMs, lenient: true }, scope).catch(() => [])

/** Null where there is none. */
export async function findObject(api: Api, kind: KindDeclaration, name: string, scope: Settings = api.settings): Promise<Resource | null> {
  return getObject(api, kind, name, scope).catch((error: unknown) => {
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

function unknownNames({ kind, plural }: KindDeclaration, names: string[], known: Resource[]): McpgError {
  const there = known.map(({ metadata }) => metadata.name)
  const guesses = names.flatMap((name) => nearest(name, there) ?? [])
  const guess = guesses.length > 0 ? `did you mean ${guesses.join(', ')}? ` : ''
  const all = names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
  return new McpgError('not_found', 'object_unknown', `There is no ${kind} ${all}.`, { hint: `${guess}mcpg-ctl get ${plural}` })
}

export const isGlob = (name: string) => /[*?]/.test(name)

/** `*` and `?` as in a shell. */
export const globOf = (text: string): RegExp =>
  new RegExp(
    `^${text
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  )
