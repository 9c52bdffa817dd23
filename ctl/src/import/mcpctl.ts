import { sourceOf, wordsOf } from './command.ts'
import { isFields, nameOf, nothing, others, textsOf, type Draft, type Fields, type Imported } from './draft.ts'
import type { ImportDocument } from './document.ts'

const lists = ['secrets', 'servers', 'projects', 'serverattachments', 'prompts', 'llms'] as const
type List = (typeof lists)[number]
/** What the other system keeps about an object for itself. */
const own = ['kind', 'id', 'createdAt', 'updatedAt', 'version', 'ownerId', 'owner', 'status']
const serverFields = [
  'name',
  'transport',
  'packageName',
  'runtime',
  'dockerImage',
  'externalUrl',
  'command',
  'args',
  'env',
  'replicas',
  'description',
]

/** `secrets:`, `servers:` … as lists, or a document with a `kind`. */
export const isMcpctl = (value: unknown): value is Fields =>
  isFields(value) && (listOf(value['kind']) !== undefined || lists.some((list) => Array.isArray(value[list])))

const listOf = (kind: unknown): List | undefined =>
  typeof kind === 'string' ? lists.find((list) => list === kind.toLowerCase() || list === `${kind.toLowerCase()}s`) : undefined

type Entry = { fields: Fields; path: (string | number)[] }

/** The objects of an mcpctl manifest: servers, secrets, projects with what is attached to them, their prompts and models. */
export function readMcpctl(documents: ImportDocument[]): Imported {
  const imported = nothing()
  const entries = new Map<List, (Entry & { at: ImportDocument['at'] })[]>(lists.map((list) => [list, []]))
  for (const { value, at } of documents) {
    if (!isFields(value)) continue
    const single = listOf(value['kind'])
    if (single) entries.get(single)!.push({ fields: flat(value), path: [], at })
    for (const list of lists)
      for (const [index, fields] of (single || !Array.isArray(value[list]) ? [] : (value[list] as unknown[])).entries())
        if (isFields(fields)) entries.get(list)!.push({ fields: flat(fields), path: [list, index], at })
        else imported.problems.push({ position: at([list, index]), detail: 'is no map with a name' })
    const rest = single ? {} : others(value, lists)
    if (Object.keys(rest).length > 0) imported.aside.push({ of: '', fields: rest })
  }
  for (const entry of entries.get('servers')!) {
    const draft = draftOf(entry.fields, (inner) => entry.at(inner === undefined ? entry.path : [...entry.path, inner]))
    if ('problem' in draft) imported.problems.push({ position: entry.at(entry.path), detail: draft.problem, ...serverOf(entry.fields) })
    else imported.drafts.push(draft)
  }
  for (const entry of entries.get('secrets')!) add('Secret', entry, { data: textsOf(entry.fields['data']).texts }, ['data'])
  for (const entry of entries.get('llms')!)
    add('Llm', entry, others(entry.fields, [...own, 'name', ...unknownIn(entry.fields, llmFields)]), llmFields)
  for (const entry of entries.get('projects')!) readProject(entry)
  for (const { fields, path, at } of [...entries.get('serverattachments')!, ...entries.get('prompts')!])
    if (!imported.objects.some(({ kind, metadata }) => kind === 'Project' && metadata.name === nameOf(String(fields['project']))))
      imported.problems.push({
        position: at(path),
        detail: `names the project ${String(fields['project'] ?? '(none)')}, which is not in the file`,
      })
  return imported

  function readProject(entry: Entry & { at: ImportDocument['at'] }): void {
    const { name, servers = [] } = entry.fields
    const isOwn = ({ fields }: Entry) => fields['project'] === name
    const attached = entries
      .get('serverattachments')!
      .filter(isOwn)
      .map(({ fields }) => fields['server'])
    const prompts = entries
      .get('prompts')!
      .filter(isOwn)
      .map(({ fields }) => ({
        name: nameOf(String(fields['name'])),
        ...(typeof fields['content'] === 'string' && { content: fields['content'] }),
        ...(typeof fields['linkTarget'] === 'string' && { link: fields['linkTarget'] }),
        ...(typeof fields['priority'] === 'number' && { priority: fields['priority'] }),
      }))
    const named = (Array.isArray(servers) ? (servers as unknown[]) : []).map((one) => (isFields(one) ? one['name'] : one))
    const kept = others(entry.fields, [...own, 'name', 'servers', ...unknownIn(entry.fields, projectFields)])
    const all = [...new Set([...named, ...attached].map((one) => nameOf(String(one))))]
    add('Project', entry, { ...kept, ...(all.length > 0 && { servers: all }), ...(prompts.length > 0 && { prompts }) }, [
      'servers',
      ...projectFields,
    ])
  }

  function add(kind: string, { fields, path, at }: Entry & { at: ImportDocument['at'] }, spec: Fields, known: readonly string[]): void {
    const name = nameOf(String(fields['name'] ?? ''))
    const locate = () => at(path)
    if (typeof fields['name'] !== 'string')
      return void imported.problems.push({ position: locate(), detail: `is a ${kind} without a name` })
    imported.objects.push({ kind, metadata: { name }, spec, locate })
    const rest = others(fields, [...own, 'name', ...known])
    if (Object.keys(rest).length > 0) imported.aside.push({ of: `${kind.toLowerCase()}/${name}`, fields: rest })
  }
}

const projectFields = ['description', 'serverOverrides', 'gated', 'proxyModel', 'llm', 'prompt', 'instructions'] as const
const llmFields = ['type', 'model', 'tier', 'url', 'apiKeyRef', 'description', 'extra'] as const
const unknownIn = (fields: Fields, known: readonly string[]) => Object.keys(fields).filter((field) => !known.includes(field))

/** Newer files have the fields below `spec`, and the name in `metadata`. */
function flat(fields: Fields): Fields {
  const { metadata, spec, ...rest } = fields
  return { ...rest, ...(isFields(metadata) && { name: metadata['name'] }), ...(isFields(spec) ? spec : {}) }
}

const serverOf = ({ name }: Fields) => (typeof name === 'string' ? { server: nameOf(name) } : {})

function draftOf(fields: Fields, at: Draft['at']): Draft | { problem: string } {
  const { name, transport, packageName, runtime, dockerImage, externalUrl, command, args, env = [] } = fields
  if (typeof name !== 'string') return { problem: 'is a server without a name' }
  if (dockerImage !== undefined && dockerImage !== null) return { problem: `${name}: runs from a container image, which is not there yet` }
  if (typeof externalUrl === 'string' && String(transport).toUpperCase() === 'SSE')
    return { problem: `${name}: speaks HTTP+SSE of 2024, which no gateway speaks to servers` }
  const words = wordsOf(command ?? undefined, args)
  const runner = runtime === 'python' ? ['uvx'] : ['npx', '-y']
  const found =
    typeof externalUrl === 'string'
      ? { source: { url: externalUrl } as Draft['source'], headers: {} }
      : words
        ? sourceOf(words)
        : typeof packageName === 'string'
          ? sourceOf([...runner, packageName, ...(wordsOf(args, undefined) ?? [])])
          : undefined
  if (!found) return { problem: `${name}: has none of packageName, command and externalUrl` }
  const variables = (
    Array.isArray(env) ? (env as unknown[]) : Object.entries(env as Fields).map(([key, value]) => ({ name: key, value }))
  ).filter(isFields)
  const references = variables.filter((one) => one['valueFrom'] !== undefined)
  return {
    name: nameOf(name),
    source: found.source,
    env: textsOf(
      Object.fromEntries(variables.filter((one) => one['valueFrom'] === undefined).map((one) => [String(one['name']), one['value']])),
    ).texts,
    headers: found.headers,
    fields: references.length > 0 ? { env: references } : {},
    aside: others(fields, [...own, ...serverFields.filter((field) => field !== 'replicas' || fields['replicas'] === 1)]),
    at,
  }
}
