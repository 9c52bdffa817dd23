import { labelsOf, listOf, recordOf, textOf, textsOf } from '../../../lib/objects/reported.ts'
import { simplified } from './simplified.ts'

export type Choice = { value: unknown; label: string }

/** What a value must keep to, as JSON Schema 2020-12 names it; an absent rule is none. Lengths in characters. */
export type Rules = {
  minLength?: number
  maxLength?: number
  pattern?: string
  format?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  multipleOf?: number
  minItems?: number
  maxItems?: number
}

type Base = {
  key: string // the property it fills; empty for the whole and for items of a list
  label: string
  description: string
  isRequired: boolean
  isNullable: boolean // null is allowed, too
  initial: unknown // the default of the schema; undefined: none
  rules: Rules
}

/**
 * How one value of a tool's arguments is asked for. `json` is the honest answer to a schema that no form can show:
 * the value itself is written, and `why` says so.
 */
export type Field = Base &
  (
    | { kind: 'text'; isLong: boolean }
    | { kind: 'number'; isInteger: boolean }
    | { kind: 'choice'; choices: Choice[] }
    | { kind: 'choices'; choices: Choice[] }
    | { kind: 'list'; item: Field }
    | { kind: 'group'; fields: Field[] }
    | { kind: 'json'; why: string }
  )
export type GroupField = Extract<Field, { kind: 'group' }>

/** Deeper than this a form is a maze; the rest is written as JSON. Also what ends a schema that contains itself. */
const maxDepth = 5

/** The form of a tool's input schema, or of what a server asks for in the middle of a call. */
export function formOf(schema: unknown): GroupField {
  const root = recordOf(schema)
  const whole = fieldOf({ key: '', schema: root, root, isRequired: true, depth: 0 })
  // MCP's input schemas are objects; one that says nothing takes nothing.
  return whole.kind === 'group' ? whole : { ...whole, kind: 'group', fields: [] }
}

type Place = { key: string; schema: unknown; root: Record<string, unknown>; isRequired: boolean; depth: number }

function fieldOf({ key, schema, root, isRequired, depth }: Place): Field {
  const { schema: plain, isNullable, why } = simplified(schema, root)
  const base: Base = {
    key,
    label: textOf(plain['title']) || key,
    description: textOf(plain['description']),
    isRequired,
    isNullable,
    initial: plain['default'] === null ? undefined : plain['default'],
    rules: rulesOf(plain),
  }
  if (why) return { ...base, kind: 'json', why }
  const choices = choicesOf(plain)
  if (choices) return { ...base, kind: 'choice', choices }
  switch (typeOf(plain)) {
    case 'string':
      return { ...base, kind: 'text', isLong: isLong(base.rules) }
    case 'integer':
    case 'number':
      return { ...base, kind: 'number', isInteger: typeOf(plain) === 'integer' }
    case 'boolean':
      return { ...base, kind: 'choice', choices: [true, false].map((value) => ({ value, label: String(value) })) }
    case 'array':
      return listField(base, plain, root, depth)
    case 'object':
      return groupField(base, plain, root, depth)
    default:
      return { ...base, kind: 'json', why: 'The schema leaves its type open.' }
  }
}

function listField(base: Base, schema: Record<string, unknown>, root: Record<string, unknown>, depth: number): Field {
  if (schema['prefixItems']) return { ...base, kind: 'json', why: 'Its items have a type each.' }
  const { schema: items } = simplified(schema['items'], root)
  const choices = choicesOf(items)
  if (choices && schema['uniqueItems'] !== false) return { ...base, kind: 'choices', choices }
  if (depth >= maxDepth || Object.keys(items).length === 0) return { ...base, kind: 'json', why: 'The schema leaves its items open.' }
  const item = fieldOf({ key: '', schema: schema['items'], root, isRequired: true, depth: depth + 1 })
  return { ...base, kind: 'list', item }
}

function groupField(base: Base, schema: Record<string, unknown>, root: Record<string, unknown>, depth: number): Field {
  const required = new Set(textsOf(schema['required']))
  const properties = Object.entries(recordOf(schema['properties']))
  if (depth >= maxDepth) return { ...base, kind: 'json', why: 'It is nested too deeply for a form.' }
  if (properties.length === 0 && depth > 0) return { ...base, kind: 'json', why: 'The schema names none of its fields.' }
  const fields = properties.map(([key, one]) => fieldOf({ key, schema: one, root, isRequired: required.has(key), depth: depth + 1 }))
  // What has to be filled in comes first; otherwise as the server wrote it.
  const ordered = [...fields.filter((one) => one.isRequired), ...fields.filter((one) => !one.isRequired)]
  return { ...base, kind: 'group', fields: ordered }
}

function typeOf(schema: Record<string, unknown>): string {
  const type = schema['type']
  if (typeof type === 'string') return type
  if (schema['properties']) return 'object'
  return schema['items'] ? 'array' : ''
}

/** `enum` with the titles some servers put beside it, or `oneOf`/`anyOf` of constants with a title each. */
function choicesOf(schema: Record<string, unknown>): Choice[] | undefined {
  if ('const' in schema) return [{ value: schema['const'], label: labelOf(schema['const']) }]
  const allowed = schema['enum']
  if (Array.isArray(allowed)) {
    const titles = listOf(schema['enumNames'])
    return allowed.map((value: unknown, index) => ({ value, label: textOf(titles[index]) || labelOf(value) }))
  }
  const options = listOf(schema['oneOf'] ?? schema['anyOf']).map(recordOf)
  if (options.length === 0 || !options.every((one) => 'const' in one)) return undefined
  return options.map((one) => ({ value: one['const'], label: textOf(one['title']) || labelOf(one['const']) }))
}

const labelOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

function rulesOf(schema: Record<string, unknown>): Rules {
  const numbers = Object.entries(schema).filter(([key, value]) => numberRules.has(key) && typeof value === 'number')
  return { ...Object.fromEntries(numbers), ...pick(labelsOf(schema), ['pattern', 'format']) }
}

const numberRules = new Set<string>([
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
] satisfies (keyof Rules)[])

const pick = (record: Record<string, string>, keys: string[]) =>
  Object.fromEntries(keys.flatMap((key) => (record[key] === undefined ? [] : [[key, record[key]]])))

/** A text that may be a paragraph gets room for one. */
const isLong = ({ format, pattern, maxLength }: Rules) => !format && !pattern && (maxLength === undefined || maxLength > 120)
