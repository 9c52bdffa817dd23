import type { Violation } from '@mcpg/proto/errors'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import { mapValues, specSchema, type Schema } from '../create/schema.ts'
import { BadValue, readValue, splitOnce } from '../create/value.ts'
import { nearest } from '@mcpg/core/nearest'

type Fields = Record<string, unknown>
/** RFC 7396. */
export type Patch = { metadata?: { labels?: Fields; annotations?: Fields }; spec?: Fields }

const maps: ReadonlySet<string> = new Set(['labels', 'annotations'])

/**
 * The merge patch that words like `placement.gatewaySelector.role=edge` say, and everything that cannot be read in them. The path begins at
 * the spec, or with `labels` or `annotations`; its keys may be quoted. The value is read by the schema of its field; `null` removes it.
 */
export function readPatch(kind: KindDeclaration, words: string[]): { patch: Patch; violations: Violation[] } {
  const root = specSchema(kind)
  const patch: { metadata?: Fields; spec?: Fields } = {}
  const violations: Violation[] = []
  for (const word of words) {
    const [path, value] = splitOnce(word)
    try {
      if (path === undefined) throw new BadValue('is not field=value')
      read(path, value)
    } catch (error) {
      if (!(error instanceof BadValue)) throw error
      violations.push({ pointer: path ?? word, detail: error.message })
    }
  }
  for (const field of otherSources(kind, patch.spec ?? {})) patch.spec![field] = null
  return { patch, violations }

  function read(text: string, value: string): void {
    const [first = '', ...rest] = keysOf(text)
    if (first === 'metadata') return inMetadata(rest, value)
    if (maps.has(first)) return inMetadata([first, ...rest], value)
    put((patch.spec ??= {}), root, first === 'spec' ? rest : [first, ...rest], value)
  }

  function inMetadata([map = '', ...rest]: string[], value: string): void {
    if (!maps.has(map) || rest.length === 0)
      throw new BadValue('cannot be changed; of the metadata only labels.<key> and annotations.<key> can')
    const fields = ((patch.metadata ??= {})[map] ??= {}) as Fields
    fields[rest.join('.')] = value === 'null' ? null : value
  }
}

function put(target: Fields, schema: Schema, [key = '', ...rest]: string[], value: string): void {
  const values = mapValues(schema)
  // The keys of a map of texts may have dots themselves.
  const isLeaf = values !== undefined && !objectOf(values)
  const field = isLeaf ? [key, ...rest].join('.') : key
  const inner = values ?? schema.properties?.[field]
  if (!inner) throw new BadValue(`is an unknown field${guess(field, Object.keys(schema.properties ?? {}))}`)
  if (isLeaf || rest.length === 0) return void (target[field] = value === 'null' ? null : readField(field, inner, value))
  const next = objectOf(inner)
  if (!next)
    throw new BadValue(
      inner.type === 'array' || inner.anyOf?.some(({ type }) => type === 'array')
        ? `is inside a list, which is replaced as a whole: ${field}='[…]'; single entries are changed by edit`
        : `is no field: ${field} holds no others`,
    )
  put((target[field] ??= {}) as Fields, next, rest, value)
}

/** An object may be called like the most important of its fields: `url=https://…` is `url.url=https://…`. */
function readField(field: string, schema: Schema, text: string): unknown {
  const same = schema.properties?.[field]
  return same && !/^[{]|^[\w.]+=/.test(text) ? { [field]: readValue(same, text) } : readValue(schema, text)
}

/** What has fields or keys of its own. */
const objectOf = (schema: Schema): Schema | undefined =>
  schema.properties || mapValues(schema) ? schema : schema.anyOf?.find((one) => one.properties ?? mapValues(one))

/** Naming one variant takes the place of the one there was. */
function otherSources({ oneOf }: KindDeclaration, spec: Fields): string[] {
  const given = oneOf.filter((field) => spec[field] !== undefined && spec[field] !== null)
  return given.length === 1 ? oneOf.filter((field) => !(field in spec)) : []
}

/** `a.b."c.d"` → a, b, c.d */
function keysOf(path: string): string[] {
  const keys = [...path.matchAll(/(?:^|\.)(?:"([^"]*)"|([^."]+))/g)]
  if (keys.map(([whole]) => whole).join('') !== path) throw new BadValue('is no path of fields; write a.b or a."key.with.dots"')
  return keys.map(([, quoted, plain]) => quoted ?? plain ?? '')
}

function guess(word: string, candidates: string[]): string {
  const best = nearest(word, candidates)
  return best ? `; did you mean ${best}?` : candidates.length > 0 ? `; there are ${candidates.join(', ')}` : ''
}
