import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import { listOf, mapValues, specSchema, type Schema } from './schema.ts'

/**
 * One flag of `create <kind>`, for one field of the spec. `list` is a field of several values, one by each flag, and `map` takes `key=value`
 * from each; both take the whole field as JSON, too.
 */
export type Flag = { flag: string; path: string[]; takes: 'value' | 'switch' | 'list' | 'map'; schema: Schema; placeholder: string }

/** Names that mean something else beside the fields: the flags of every command, and those of every `create`. */
const taken = new Set(
  (
    'state-dir json-logs log-level log-file quiet output json input color debug cp-url insecure-plaintext session-cookie token ' +
    'org workspace environment project version help label annotation dry-run from'
  ).split(' '),
)

/** Every flag of a kind, from its schema: the fields of objects one by one, with the names on the way to them before theirs. */
export const flagsOf = (kind: KindDeclaration): Flag[] => within(specSchema(kind), [])

function within(schema: Schema, path: string[]): Flag[] {
  const properties = Object.entries(schema.properties ?? {})
  const names = new Set(properties.map(([field]) => kebab(field)))
  return properties.flatMap(([field, one]) => flagsOfField([...path, field], one, names))
}

function flagsOfField(path: string[], schema: Schema, siblings: ReadonlySet<string>): Flag[] {
  const field = path.at(-1) ?? ''
  const above = path.slice(0, -1).map(kebab)
  const named = (word: string) => free([...above, word].join('-'))
  const whole = kebab(field)
  const single = singular(whole)
  const name = named(siblings.has(single) ? whole : single)
  if (listOf(schema)) return [{ flag: name, path, takes: 'list', schema, placeholder: hintOf(listOf(schema)?.items ?? {}) }]
  const values = mapValues(schema)
  if (values) return [{ flag: name, path, takes: 'map', schema, placeholder: `key=${hintOf(values)}` }]
  if (schema.properties) {
    const own: Flag = { flag: named(whole), path, takes: 'value', schema, placeholder: hintOf(schema) }
    // `--url <url>` stands for the field of that name inside, which has no flag of its own then.
    const inner = within(schema, path).filter(({ flag }) => flag !== `${own.flag}-${whole}`)
    return [own, ...inner]
  }
  return [{ flag: named(whole), path, takes: schema.type === 'boolean' ? 'switch' : 'value', schema, placeholder: hintOf(schema) }]
}

const free = (flag: string) => (taken.has(flag) ? `spec-${flag}` : flag)

export const kebab = (word: string): string => word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/^-/, '')

function singular(word: string): string {
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`
  return /(ss|us|is)$/.test(word) ? word : word.replace(/s$/, '')
}

function hintOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map(String).join('|')
  if (schema.properties) {
    const fields = Object.keys(schema.properties)
    if (fields.includes('valueFrom')) return 'NAME=value'
    return fields.length === 2 && fields.every((field) => schema.properties?.[field]?.type === 'string') ? fields.join('/') : 'fields'
  }
  if (schema.type === 'integer' || schema.type === 'number') return 'n'
  if (schema.type === 'boolean') return 'true|false'
  if (schema.format === 'uri') return 'url'
  return schema.pattern?.includes('ms|s|m|h|d') ? 'duration' : 'value'
}
