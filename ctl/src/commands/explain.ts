import { McpgError } from '@mcpg/proto/errors'
import { z } from 'zod'
import { kindOf } from '../api/objects.ts'
import type { Context } from '../context.ts'
import { nearest } from '../nearest.ts'
import { table } from '../output/table.ts'

type Schema = {
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

export async function run({ settings, print }: Context, [path = '']: string[]): Promise<void> {
  const [word = '', ...fields] = path.split('.')
  const kind = kindOf(word)
  const root = z.toJSONSchema(kind.manifest ?? kind.spec, { io: 'input', unrepresentable: 'any' }) as Schema
  const schema = fields
    .filter((field, index) => !(index === 0 && field === 'spec'))
    .reduce((parent, field) => childOf(parent, field, path), root)
  if (settings.output === 'json' || settings.output === 'yaml') {
    const { toYaml } = await import('../manifest/print-form.ts')
    return print(settings.output === 'json' ? JSON.stringify(schema, null, 2) : toYaml(schema).trimEnd())
  }
  print(`kind:  ${kind.kind}  (${kind.plural}, ${kind.aliases.join(', ')})`)
  if (fields.length > 0) print(`field: ${fields.join('.')}  <${typeOf(schema)}>`)
  const description = fields.length > 0 ? schema.description : kind.description
  if (description) print(`\n${description}`)
  const target = elementOf(schema)
  if (fields.length === 0 && kind.oneOf.length > 0) print(`\nexactly one of: ${kind.oneOf.join(', ')}`)
  if (!target.properties) return
  print('')
  const rows = Object.entries(target.properties).map(([name, one]) => [
    `${name}${target.required?.includes(name) ? ' *' : ''}`,
    `<${typeOf(one)}>`,
    one.description ?? '',
  ])
  for (const line of table(['field', 'type', 'description'], rows)) print(line)
}

function childOf(parent: Schema, field: string, path: string): Schema {
  const { properties = {} } = elementOf(parent)
  const child = properties[field]
  if (child) return child
  const guess = nearest(field, Object.keys(properties))
  throw new McpgError('not_found', 'unknown_field', `There is no field ${path}.`, {
    hint: guess ? `did you mean ${guess}?` : `fields: ${Object.keys(properties).join(', ') || 'none'}`,
  })
}

/** The object behind a list or one alternative of a union. */
function elementOf(schema: Schema): Schema {
  if (schema.items) return elementOf(schema.items)
  return schema.anyOf?.find((one) => elementOf(one).properties) ?? schema
}

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map(String).join(' | ')
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ')
  if (schema.type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'anything'}`
  if (schema.type === 'object') return schema.properties ? 'map' : 'map of text'
  if (schema.type === 'string') return schema.format === 'uri' ? 'URL' : schema.pattern?.includes('ms|s|m|h|d') ? 'duration' : 'text'
  return schema.type === 'boolean' ? 'true | false' : (schema.type ?? 'anything')
}
