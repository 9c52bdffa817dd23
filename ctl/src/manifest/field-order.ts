import { z } from 'zod'

type JsonSchema = { properties?: Record<string, JsonSchema>; items?: JsonSchema }

const known = new WeakMap<z.ZodType, JsonSchema>()

/** The value with the fields of its objects in the order in which the schema declares them; unknown ones follow in theirs. */
export function fieldOrder(schema: z.ZodType, value: unknown): unknown {
  let json = known.get(schema)
  if (!json) known.set(schema, (json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema))
  return ordered(json, value)
}

function ordered(schema: JsonSchema | undefined, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => ordered(schema?.items, item))
  if (typeof value !== 'object' || value === null) return value
  const { properties = {} } = schema ?? {}
  const fields = value as Record<string, unknown>
  const names = [
    ...Object.keys(properties).filter((name) => name in fields),
    ...Object.keys(fields).filter((name) => !(name in properties)),
  ]
  return Object.fromEntries(names.map((name) => [name, ordered(properties[name], fields[name])]))
}
