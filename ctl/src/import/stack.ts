import { sourceOf, wordsOf } from './command.ts'
import { isFields, nameOf, nothing, others, textsOf, type Draft, type Fields, type Imported } from './draft.ts'
import type { ImportDocument } from './document.ts'

const serverFields = ['name', 'command', 'env', 'url', 'transport', 'auth', 'ready_timeout', 'protocol_generation']
const eras: Record<string, string> = { handshake: 'legacy', stateless: 'modern' }
const notYet: Record<string, string> = {
  image: 'runs from a container image',
  source: 'is built from a source repository',
  ssh: 'runs on another machine over ssh',
  openapi: 'is made from an OpenAPI document',
}

export const isStack = (value: unknown): value is Fields => isFields(value) && Array.isArray(value['mcp-servers'])

/** The servers of a gridctl `stack.yaml`, and its groups as projects. */
export function readStack({ value, at }: ImportDocument): Imported {
  const imported = nothing()
  if (!isStack(value)) return imported
  const servers = value['mcp-servers'] as unknown[]
  servers.forEach((entry, index) => {
    const place = (inner?: string) => at(inner === undefined ? ['mcp-servers', index] : ['mcp-servers', index, inner])
    const draft = draftOf(entry, place)
    if ('problem' in draft) imported.problems.push({ position: place(), detail: draft.problem, ...serverOf(entry) })
    else imported.drafts.push(draft)
  })
  for (const [name, group] of Object.entries(isFields(value['groups']) ? value['groups'] : {})) readGroup(name, group)
  const rest = others(value, ['version', 'name', 'mcp-servers', 'groups'])
  if (Object.keys(rest).length > 0) imported.aside.push({ of: '', fields: rest })
  return imported

  function readGroup(name: string, group: unknown): void {
    const position = at(['groups', name])
    if (!isFields(group)) return void imported.problems.push({ position, detail: `group ${name} is no map` })
    const { description, servers: names, tools, exclude } = group
    const spec = {
      ...(typeof description === 'string' && { description }),
      ...(Array.isArray(names) && { servers: names.map((one) => nameOf(String(one))) }),
      ...((Array.isArray(tools) || Array.isArray(exclude)) && {
        tools: { ...(Array.isArray(tools) && { allow: tools }), ...(Array.isArray(exclude) && { deny: exclude }) },
      }),
    }
    imported.objects.push({ kind: 'Project', metadata: { name: nameOf(name) }, spec, locate: () => position })
    const rest = others(group, ['description', 'servers', 'tools', 'exclude'])
    if (Object.keys(rest).length > 0) imported.aside.push({ of: `project/${nameOf(name)}`, fields: rest })
  }
}

const serverOf = (entry: unknown) => (isFields(entry) && typeof entry['name'] === 'string' ? { server: nameOf(entry['name']) } : {})

function draftOf(entry: unknown, at: Draft['at']): Draft | { problem: string } {
  if (!isFields(entry) || typeof entry['name'] !== 'string') return { problem: 'is no server with a name' }
  const name = entry['name']
  const unknown = Object.keys(notYet).find((field) => entry[field] !== undefined)
  if (unknown) return { problem: `${name}: ${notYet[unknown]}, which is not there yet` }
  if (entry['transport'] === 'sse') return { problem: `${name}: speaks HTTP+SSE of 2024, which no gateway speaks to servers` }
  const words = wordsOf(entry['command'], undefined)
  const url = typeof entry['url'] === 'string' ? entry['url'] : undefined
  if (url === undefined && !words) return { problem: `${name}: has neither a command nor a URL` }
  const { source, headers } = words ? sourceOf(words) : { source: { url: url! }, headers: {} }
  const env = textsOf(entry['env'])
  const auth = authHeaders(entry['auth'])
  const era = eras[String(entry['protocol_generation'])]
  const timeout = entry['ready_timeout']
  return {
    name: nameOf(name),
    source,
    env: env.texts,
    headers: { ...headers, ...auth.headers },
    fields: {
      ...(era !== undefined && { era }),
      ...(typeof timeout === 'string' && /^\d+(ms|s|m|h)$/.test(timeout) && { startTimeout: timeout }),
    },
    aside: {
      ...others(entry, serverFields),
      ...(auth.isUnknown && { auth: entry['auth'] }),
      ...(Object.keys(env.rest).length > 0 && { env: env.rest }),
    },
    at,
  }
}

/** `bearer` and `header` are headers; to sign in with OAuth is nothing that a file could say. */
function authHeaders(auth: unknown): { headers: Record<string, string>; isUnknown: boolean } {
  if (!isFields(auth)) return { headers: {}, isUnknown: auth !== undefined }
  if (auth['type'] === 'bearer' && typeof auth['token'] === 'string')
    return { headers: { Authorization: `Bearer ${auth['token']}` }, isUnknown: false }
  if (auth['type'] === 'header' && typeof auth['header'] === 'string' && typeof auth['value'] === 'string')
    return { headers: { [auth['header']]: auth['value'] }, isUnknown: false }
  return { headers: {}, isUnknown: true }
}
