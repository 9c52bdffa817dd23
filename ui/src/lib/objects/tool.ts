import type { Resource } from '@mcpg/proto/kinds/kind'
import { recordOf, textOf, textsOf } from './reported.ts'

/** `claims` are the annotations, which the server claims and nobody checked. */
export type ToolView = {
  server: string
  name: string
  exposedName: string
  title: string
  description: string
  claims: string[]
  inputSchema: Record<string, unknown>
  gateways: string[]
}

export function toolView(resource: Resource): ToolView {
  const spec = recordOf(resource.spec)
  const definition = recordOf(spec['definition'])
  const annotations = recordOf(definition['annotations'])
  return {
    server: textOf(spec['server']),
    name: textOf(spec['name']) || resource.metadata.name,
    exposedName: textOf(spec['exposedName']) || resource.metadata.name,
    title: textOf(spec['title']) || textOf(definition['title']) || textOf(annotations['title']),
    description: textOf(spec['description']) || textOf(definition['description']),
    claims: claimWords.flatMap(([hint, yes, no]) => {
      const value = annotations[hint]
      return value === true ? [yes] : value === false && no ? [no] : []
    }),
    inputSchema: recordOf(definition['inputSchema']),
    gateways: textsOf(recordOf(resource.status)['gateways']),
  }
}

const claimWords = [
  ['readOnlyHint', 'read-only', ''],
  ['destructiveHint', 'destructive', ''],
  ['idempotentHint', 'idempotent', ''],
  ['openWorldHint', 'open world', 'closed world'],
] as const

/** One top-level parameter of an input schema, in words. */
export type Parameter = { name: string; type: string; required: boolean; description: string }

export function parametersOf(schema: Record<string, unknown>): Parameter[] {
  const required = new Set(textsOf(schema['required']))
  return Object.entries(recordOf(schema['properties'])).map(([name, value]) => {
    const property = recordOf(value)
    return { name, type: typeOf(property), required: required.has(name), description: textOf(property['description']) }
  })
}

function typeOf(property: Record<string, unknown>): string {
  const allowed = property['enum']
  if (Array.isArray(allowed)) return allowed.map((one) => JSON.stringify(one)).join(' | ')
  const type = property['type']
  const word = Array.isArray(type) ? textsOf(type).join(' | ') : textOf(type)
  if (word === 'array') return `${typeOf(recordOf(property['items']))}[]`
  return word || (property['anyOf'] || property['oneOf'] ? 'one of several' : 'any')
}
