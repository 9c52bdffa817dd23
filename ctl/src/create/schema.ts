import { z } from 'zod'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'

/** What `z.toJSONSchema` says of a field, as far as the command line asks. */
export type Schema = {
  type?: string
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  additionalProperties?: Schema | boolean
  pattern?: string
  format?: string
}

/** The spec of a kind as a manifest may say it. */
export const specSchema = (kind: KindDeclaration): Schema =>
  unified(z.toJSONSchema(kind.manifest ?? kind.spec, { io: 'input', unrepresentable: 'any' }) as Schema)

/** Alternatives that differ in the values of the same fields only are one object, as a person sees it: `kind: User | Group`, `name`. */
function unified({ oneOf, ...schema }: Schema & { oneOf?: Schema[] }): Schema {
  const all = schema.anyOf ?? oneOf
  const alternatives = all?.map(unified)
  const result: Schema = {
    ...schema,
    ...(alternatives && { anyOf: alternatives }),
    ...(schema.items && { items: unified(schema.items) }),
    ...(schema.properties && {
      properties: Object.fromEntries(Object.entries(schema.properties).map(([field, one]) => [field, unified(one)])),
    }),
    ...(typeof schema.additionalProperties === 'object' && { additionalProperties: unified(schema.additionalProperties) }),
  }
  if (!oneOf || !alternatives || !alternatives.every(({ properties }) => properties)) return result
  const { anyOf: _anyOf, ...rest } = result
  return { ...rest, ...merged(alternatives) }
}

function merged(alternatives: Schema[]): Schema {
  const fields = [...new Set(alternatives.flatMap(({ properties = {} }) => Object.keys(properties)))]
  const ofField = (field: string): Schema => {
    const all = alternatives.flatMap(({ properties }) => properties?.[field] ?? [])
    const constants = all.flatMap((one) => (one.const === undefined ? (one.enum ?? []) : [one.const]))
    return constants.length >= all.length ? { ...all[0], type: 'string', enum: [...new Set(constants)] } : { ...all[0] }
  }
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field, ofField(field)])),
    required: fields.filter((field) => alternatives.every(({ required }) => required?.includes(field))),
  }
}

/** The schema of the values of a map, or undefined where the schema is no map. */
export function mapValues({ type, properties, additionalProperties }: Schema): Schema | undefined {
  if (type !== 'object' || properties) return undefined
  return typeof additionalProperties === 'object' ? additionalProperties : {}
}

/** The alternative that is a list, of a field that takes a list or something else. */
export const listOf = (schema: Schema): Schema | undefined =>
  schema.type === 'array' ? schema : schema.anyOf?.find(({ type }) => type === 'array')
