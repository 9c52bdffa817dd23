import { McpgError } from '@mcpg/proto/errors'
import { kinds } from '@mcpg/proto/kinds'
import { Metadata, type KindDeclaration } from '@mcpg/proto/kinds/kind'
import { z } from 'zod'
import { kindOf } from '../api/objects.ts'
import { tenancyKinds } from '../api/tenancy.ts'
import type { Context } from '../context.ts'
import { mapValues, specSchema, type Schema } from '../create/schema.ts'
import { nearest } from '@mcpg/core/nearest'
import { table } from '../output/table.ts'

export type ExplainOptions = { recursive?: boolean }

export async function run(context: Context, [path]: string[], { recursive: isRecursive = false }: ExplainOptions): Promise<void> {
  const { settings, print } = context
  if (path === undefined) return printKinds(context)
  const [word = '', ...fields] = path.split('.')
  const kind = kindOf(word)
  const [root, steps] = roomOf(kind, fields)
  const schema = steps.reduce((parent, field) => childOf(parent, field, path), root)
  if (settings.output === 'json' || settings.output === 'yaml') {
    const { toYaml } = await import('../manifest/print-form.ts')
    return print(settings.output === 'json' ? JSON.stringify(schema, null, 2) : toYaml(schema).trimEnd())
  }
  print(`kind:  ${kind.kind}  (${[kind.plural, ...kind.aliases].join(', ')})`)
  if (fields.length > 0) print(`field: ${fields.join('.')}  <${typeOf(schema)}>`)
  const description = fields.length > 0 ? schema.description : kind.description
  if (description) print(`\n${description}`)
  if (fields.length === 0 && kind.oneOf.length > 0) print(`\nexactly one of: ${kind.oneOf.join(', ')}`)
  const rows = rowsOf(schema, '', isRecursive)
  if (rows.length === 0) return
  print('')
  for (const line of table(['field', 'type', 'description'], rows)) print(line)
}

function printKinds({ print, settings }: Context): void {
  if (settings.output === 'name') return [...kinds, ...tenancyKinds].forEach(({ plural }) => print(plural))
  const rows = [...kinds, ...tenancyKinds].map(({ kind, plural, aliases, scope, description }) => [
    plural,
    kind,
    aliases.join(', '),
    scope,
    firstSentence(description),
  ])
  for (const line of table(['name', 'kind', 'also', 'of', 'what it is'], rows)) print(line)
}

/** Fields of the spec stand for themselves; `metadata` and `status` are said before theirs, where the spec has no such field. */
function roomOf(kind: KindDeclaration, [first, ...rest]: string[]): [Schema, string[]] {
  const spec = specSchema(kind)
  const fields = first === undefined ? [] : [first, ...rest]
  if (first === undefined || spec.properties?.[first]) return [spec, fields]
  if (first === 'spec') return [spec, rest]
  if (first === 'status') return [jsonSchema(kind.status), rest]
  if (first === 'metadata') return [jsonSchema(Metadata), rest]
  return [spec, fields]
}

const jsonSchema = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Schema

function rowsOf(schema: Schema, above: string, isRecursive: boolean): string[][] {
  const { properties = {}, required } = elementOf(schema)
  return Object.entries(properties).flatMap(([name, one]) => [
    [`${above}${name}${required?.includes(name) ? ' *' : ''}`, `<${typeOf(one)}>`, one.description ?? ''],
    ...(isRecursive ? rowsOf(one, `${above}${name}.`, isRecursive) : []),
  ])
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

/** The object behind a list, a map or one alternative of a union. */
function elementOf(schema: Schema): Schema {
  if (schema.items) return elementOf(schema.items)
  const values = mapValues(schema)
  if (values?.properties) return values
  return schema.anyOf?.find((one) => elementOf(one).properties) ?? schema
}

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map(String).join(' | ')
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ')
  if (schema.type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'anything'}`
  if (schema.type === 'object') return mapText(schema)
  if (schema.type === 'string') return schema.format === 'uri' ? 'URL' : schema.pattern?.includes('ms|s|m|h|d') ? 'duration' : 'text'
  return schema.type === 'boolean' ? 'true | false' : (schema.type ?? 'anything')
}

function mapText(schema: Schema): string {
  const values = mapValues(schema)
  return values?.type ? `map of ${typeOf(values)}` : values?.anyOf ? `map of ${typeOf(values)}` : 'map'
}

const firstSentence = (text: string) => /^.*?[.](?= |$)/s.exec(text)?.[0].replace(/\.$/, '') ?? text
