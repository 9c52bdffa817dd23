import { listOf, recordOf, textOf, textsOf } from '../../../lib/objects/reported.ts'

type Schema = Record<string, unknown>

/** References followed one after the other; more is a circle. */
const maxReferences = 10

/**
 * A schema without the wrappings that mean nothing for a form: local references followed, a lone `allOf` opened, "or null" taken off
 * and remembered. `why` is set where alternatives remain that no single field can show.
 */
export function simplified(value: unknown, root: Schema): { schema: Schema; isNullable: boolean; why: string } {
  const outer = dereferenced(recordOf(value), root)
  if (outer === undefined) return { schema: recordOf(value), isNullable: false, why: 'Its definition is not in the schema.' }
  const { schema, isNullable } = withoutNull(outer, root)
  const alternatives = listOf(schema['anyOf'] ?? schema['oneOf']).map(recordOf)
  const areConstants = alternatives.length > 0 && alternatives.every((one) => 'const' in one)
  if (alternatives.length > 0 && !areConstants) return { schema, isNullable, why: 'It may be one of several things.' }
  if (Array.isArray(schema['type'])) return { schema, isNullable, why: 'It may be one of several types.' }
  if (listOf(schema['allOf']).length > 0 || schema['not'] || schema['if'])
    return { schema, isNullable, why: 'Its rules are more than a form can show.' }
  return { schema, isNullable, why: '' }
}

/** Words beside a reference or a lone alternative (title, description, default) win over those inside. */
function dereferenced(schema: Schema, root: Schema): Schema | undefined {
  let at = schema
  for (let hops = 0; hops < maxReferences; hops++) {
    const { $ref, allOf, ...own } = at
    const only = listOf(allOf)
    if (typeof $ref === 'string') {
      const target = targetOf($ref, root)
      if (!target) return undefined
      at = { ...target, ...own, ...(only.length > 0 ? { allOf } : {}) }
    } else if (only.length === 1) at = { ...recordOf(only[0]), ...own }
    else return at
  }
  return undefined
}

/** `#/$defs/Place` and the like; nothing is ever loaded from elsewhere. */
function targetOf(reference: string, root: Schema): Schema | undefined {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) return undefined
  let at: unknown = root
  for (const part of reference.slice(2).split('/')) at = recordOf(at)[part.replaceAll('~1', '/').replaceAll('~0', '~')]
  return at !== null && typeof at === 'object' ? recordOf(at) : undefined
}

function withoutNull(schema: Schema, root: Schema): { schema: Schema; isNullable: boolean } {
  const types = textsOf(schema['type'])
  if (types.length > 0) {
    const rest = types.filter((one) => one !== 'null')
    const type = rest.length === 1 ? rest[0] : rest
    return { schema: { ...schema, type }, isNullable: rest.length < types.length }
  }
  for (const word of ['anyOf', 'oneOf'] as const) {
    const options = listOf(schema[word]).map(recordOf)
    const rest = options.filter((one) => textOf(one['type']) !== 'null')
    if (rest.length === options.length) continue
    const { [word]: _, ...own } = schema
    if (rest.length !== 1) return { schema: { ...own, [word]: rest }, isNullable: true }
    const inner = dereferenced(rest[0]!, root)
    return { schema: inner ? { ...inner, ...own } : own, isNullable: true }
  }
  return { schema, isNullable: schema['nullable'] === true }
}
