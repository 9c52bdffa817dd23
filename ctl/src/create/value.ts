import { mapValues, type Schema } from './schema.ts'

/** A text that cannot be a value of its field; the message says what may stand there. */
export class BadValue extends Error {
  override name = 'BadValue'
}

/**
 * What a person means by the text of one flag or one side of `field=value`, by the schema of the field. Whatever it cannot read stays text,
 * for the schema itself to complain about.
 *
 * Objects are written as JSON, as `field=value,other.field=value`, or shortly: `name/key` for two texts, `NAME=value` and
 * `NAME=secret:<name>/<key>` for something with a name and a value.
 */
export function readValue(schema: Schema, text: string): unknown {
  if (schema.anyOf) return readUnion(schema.anyOf, text)
  if (schema.enum) return schema.enum.find((one) => String(one).toLowerCase() === text.toLowerCase()) ?? text
  const values = mapValues(schema)
  switch (schema.type) {
    case 'string':
      return text
    case 'integer':
    case 'number':
      return /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text) ? Number(text) : text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    case 'array':
      return asJson(text, Array.isArray) ?? [readValue(schema.items ?? {}, text)]
    case 'object':
      return asJson(text, isObject) ?? (values ? readFields({ additionalProperties: values }, text) : readObject(schema, text))
    default:
      return asJson(text, () => true) ?? text
  }
}

/** The alternative that is nearest to text: JSON for objects and lists, numbers, true and false, and all else as it stands. */
function readUnion(schemas: Schema[], text: string): unknown {
  const of = (...types: string[]) => schemas.find(({ type }) => type !== undefined && types.includes(type))
  const json = (of('object') && asJson(text, isObject)) ?? (of('array') && asJson(text, Array.isArray))
  if (json !== undefined) return json
  if (of('number', 'integer') && asJson(text, (value) => typeof value === 'number') !== undefined) return Number(text)
  if (of('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  // Quotes make a text of what would be a number.
  if (of('number', 'integer', 'boolean')) return asJson(text, (value) => typeof value === 'string') ?? text
  const chosen = of('string') ?? schemas[0]
  return chosen ? readValue(chosen, text) : text
}

function readObject(schema: Schema, text: string): unknown {
  const properties = schema.properties ?? {}
  const fields = Object.keys(properties)
  if (fields.includes('valueFrom') && fields.includes('name') && !startsWithField(fields, text)) return readValued(text)
  if (startsWithField(fields, text)) return readFields(schema, text)
  const [first = '', second, ...rest] = fields
  if (second === undefined || rest.length > 0 || fields.some((field) => properties[field]?.type !== 'string'))
    throw new BadValue(`must be JSON or field=value,field=value; fields: ${fields.join(', ') || 'none'}`)
  const [, before = '', after] = /^([^/:]+)(?:[/:](.+))?$/s.exec(text) ?? []
  if (before === '' || (after === undefined && schema.required?.includes(second))) throw new BadValue(`must be ${first}/${second}`)
  const value = (field: string, one: string) => readValue(properties[field] ?? {}, one)
  return { [first]: value(first, before), ...(after !== undefined && { [second]: value(second, after) }) }
}

const startsWithField = (fields: string[], text: string) => fields.some((field) => new RegExp(`^${field}(\\.[^=,]+)?[=:]`).test(text))

/** `NAME=value`, or `NAME=secret:<name>/<key>`. */
function readValued(text: string): unknown {
  const [name, value] = splitOnce(text)
  if (name === undefined) throw new BadValue('must be NAME=value, NAME=secret:<name>/<key>, or JSON')
  const [, secret, key] = /^secret:([^/]+)\/(.+)$/s.exec(value) ?? []
  return secret === undefined ? { name, value } : { name, valueFrom: { secretRef: { name: secret, key } } }
}

/** `a=x,b.c=y`, where a comma ends a value only before the next `field=`; a field that is given again makes a list longer. */
function readFields(schema: Schema, text: string): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const part of text.split(/,(?=[A-Za-z_][\w.-]*[=:])/)) {
    const [, path, value] = /^([A-Za-z_][\w.-]*)[=:](.*)$/s.exec(part) ?? []
    if (path === undefined || value === undefined) throw new BadValue(`holds "${part}", which is not field=value`)
    put(result, schema, path.split('.'), value)
  }
  return result
}

function put(target: Record<string, unknown>, schema: Schema, [field = '', ...rest]: string[], text: string): void {
  const inner = schema.properties?.[field] ?? mapValues(schema) ?? mapValues({ type: 'object', ...schema }) ?? {}
  if (rest.length > 0) return put((target[field] ??= {}) as Record<string, unknown>, inner, rest, text)
  const value = readValue(inner, text)
  const before = target[field]
  target[field] = Array.isArray(before) && Array.isArray(value) ? [...(before as unknown[]), ...(value as unknown[])] : value
}

/** The two sides of the first `=`. */
export function splitOnce(text: string): [string, string] | [undefined, undefined] {
  const at = text.indexOf('=')
  return at <= 0 ? [undefined, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** The JSON that the text is, if it is some of the wanted form. */
export function asJson<Value>(text: string, isWanted: (value: unknown) => value is Value): Value | undefined
export function asJson(text: string, isWanted: (value: unknown) => boolean): unknown
export function asJson(text: string, isWanted: (value: unknown) => boolean): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isWanted(value) ? value : undefined
  } catch {
    return undefined
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
