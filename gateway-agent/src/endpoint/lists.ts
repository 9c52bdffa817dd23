import type { Params } from '../mcp/protocol.ts'

/** What a server can list. */
export const listKinds = ['tools', 'prompts', 'resources', 'resourceTemplates'] as const
export type ListKind = (typeof listKinds)[number]

export const listMethods: Record<ListKind, string> = {
  tools: 'tools/list',
  prompts: 'prompts/list',
  resources: 'resources/list',
  resourceTemplates: 'resources/templates/list',
}

/** The list a method asks for. */
export const kindOfMethod = new Map(listKinds.map((kind) => [listMethods[kind], kind]))

/** The capability a server declares when it has such a list. */
export const capabilityOf: Record<ListKind, 'tools' | 'prompts' | 'resources'> = {
  tools: 'tools',
  prompts: 'prompts',
  resources: 'resources',
  resourceTemplates: 'resources',
}

/** Field of a definition that calls name it by. */
export const keyOf: Record<ListKind, string> = { tools: 'name', prompts: 'name', resources: 'uri', resourceTemplates: 'uriTemplate' }

/** The kinds a `list_changed` notification is about; undefined for another notification. */
export function changedKinds(method: string): ListKind[] | undefined {
  if (method === 'notifications/tools/list_changed') return ['tools']
  if (method === 'notifications/prompts/list_changed') return ['prompts']
  return method === 'notifications/resources/list_changed' ? ['resources', 'resourceTemplates'] : undefined
}

export type Definition = Params

/** Text of a definition's own key; '' when a careless server left it out. */
export function keyText(kind: ListKind, definition: Definition): string {
  const key = definition[keyOf[kind]]
  return typeof key === 'string' ? key : ''
}
