import fc, { type Arbitrary } from 'fast-check'

/** As much of JSON Schema as our routes use. */
export type JsonSchema = {
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  propertyNames?: JsonSchema
  items?: JsonSchema
  minItems?: number
  maxItems?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  minimum?: number
  maximum?: number
}

const few = 3

/** Values that fit the schema, small ones. What the schema cannot say (a reference, a refinement) they may still break. */
export function valuesOf(schema: JsonSchema): Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const branches = schema.anyOf ?? schema.oneOf
  if (branches) return fc.oneof(...branches.map(valuesOf))
  if (schema.allOf) return fc.tuple(...schema.allOf.map(valuesOf)).map((parts) => Object.assign({}, ...parts) as unknown)
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'string') return texts(schema)
  if (type === 'boolean') return fc.boolean()
  if (type === 'null') return fc.constant(null)
  if (type === 'integer') return fc.integer({ min: Math.max(schema.minimum ?? 0, -1000), max: Math.min(schema.maximum ?? 1000, 100_000) })
  if (type === 'number') return fc.double({ min: schema.minimum ?? -1000, max: schema.maximum ?? 1000, noNaN: true })
  if (type === 'array') return lists(schema)
  if (type === 'object' || schema.properties) return objects(schema)
  return fc.jsonValue({ maxDepth: 2 })
}

function texts({ pattern, minLength = 0, maxLength = 40 }: JsonSchema): Arbitrary<string> {
  const free = fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 40)), unit: 'grapheme' })
  if (pattern === undefined) return free
  try {
    return fc.stringMatching(new RegExp(pattern), { size: 'xsmall' })
  } catch {
    return free
  }
}

function lists({ items = {}, minItems = 0, maxItems = few }: JsonSchema): Arbitrary<unknown[]> {
  return fc.array(valuesOf(items), { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, few)) })
}

function objects({ properties = {}, required = [], additionalProperties, propertyNames }: JsonSchema): Arbitrary<object> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valuesOf(schema)]))
  const own = fc.record(fields, { requiredKeys: required.filter((name) => name in fields), noNullPrototype: true })
  if (Object.keys(properties).length > 0 || typeof additionalProperties !== 'object') return own
  return fc.dictionary(valuesOf(propertyNames ?? { type: 'string' }) as Arbitrary<string>, valuesOf(additionalProperties), { maxKeys: few })
}

/** One value with something in it made wrong: a field gone, of another type, unheard of, or all of it something else. */
export function mutated(value: unknown): Arbitrary<unknown> {
  const anything = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant('x'.repeat(5000)), fc.constant(-1), fc.constant(null))
  if (typeof value !== 'object' || value === null) return anything
  const fields = Object.keys(value)
  const changed = (key: string, make: (old: unknown) => Arbitrary<unknown>) =>
    make((value as Record<string, unknown>)[key]).map((one): unknown =>
      Array.isArray(value) ? value.with(Number(key), one) : { ...value, [key]: one },
    )
  return fc.oneof(
    anything,
    fc.string().map((name) => (Array.isArray(value) ? [...(value as unknown[]), name] : { ...value, [name]: name })),
    ...(fields.length === 0
      ? []
      : [
          fc.constantFrom(...fields).map((key) => Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))),
          fc.constantFrom(...fields).chain((key) => changed(key, () => anything)),
          fc.constantFrom(...fields).chain((key) => changed(key, mutated)),
        ]),
  )
}
