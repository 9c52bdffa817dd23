import { kinds } from '@mcpg/proto/kinds'
import { kindOf } from '../api/objects.ts'
import { tenancyKinds } from '../api/tenancy.ts'
import { mapValues, specSchema, type Schema } from '../create/schema.ts'

export const kindWords = (): string[] => [...kinds, ...tenancyKinds].map(({ plural }) => plural)

/** The fields that may follow `server.` or `server.placement.`, each with the whole path before it. */
export function fieldsAt(path: string): string[] {
  const [word = '', ...fields] = path.split('.')
  const above = fields.slice(0, -1)
  const schema = above.reduce<Schema | undefined>((parent, field) => parent && properties(parent)[field], specSchema(kindOf(word)))
  return Object.keys(schema ? properties(schema) : {}).map((field) => [word, ...above, field].join('.'))
}

function properties(schema: Schema): Record<string, Schema> {
  const inner = [schema, schema.items, mapValues(schema), ...(schema.anyOf ?? [])].find((one) => one?.properties)
  return inner?.properties ?? {}
}
