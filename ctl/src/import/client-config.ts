import type { ImportDocument } from './document.ts'
import { fromCodex } from './codex.ts'
import { sourceOf, wordsOf } from './command.ts'
import { isFields, nameOf, nothing, others, textsOf, type Draft, type Fields, type Imported } from './draft.ts'

/** Where clients keep their servers: `mcpServers`, `servers` (VS Code), `context_servers` (Zed), `mcp_servers` (Codex), `mcp.servers` in old settings. */
const rooms = ['mcpServers', 'servers', 'context_servers', 'mcp_servers'] as const
const known = [
  'type',
  'transport',
  'command',
  'args',
  'env',
  'url',
  'httpUrl',
  'serverUrl',
  'headers',
  'cwd',
  'disabled',
  'enabled',
  'envFile',
  'source',
]

/** Whether a document is the file of a client. */
export function isClientConfig(value: unknown): value is Fields {
  return roomsOf(value, undefined).length > 0
}

/** Every map from names to servers in the file. `folder` is the project whose own servers count in a file of all projects. */
function roomsOf(value: unknown, folder: string | undefined): { servers: Fields; path: string[] }[] {
  if (!isFields(value)) return []
  const own = rooms.flatMap((room) => (isFields(value[room]) ? [{ servers: value[room], path: [room as string] }] : []))
  const nested = isFields(value['mcp']) ? roomsOf(value['mcp'], undefined) : []
  const projects = isFields(value['projects']) && folder !== undefined ? roomsOf(value['projects'][folder], undefined) : []
  return [
    ...own,
    ...nested.map(({ servers, path }) => ({ servers, path: ['mcp', ...path] })),
    ...projects.map(({ servers, path }) => ({ servers, path: ['projects', folder ?? '', ...path] })),
  ]
}

/** The servers of a client's file. */
export function readClientConfig({ value, at }: ImportDocument, folder: string): Imported {
  const imported = nothing()
  if (!isFields(value)) return imported
  for (const { servers, path } of roomsOf(value, folder))
    for (const [name, entry] of Object.entries(servers)) {
      const place = [...path, name]
      const isCodex = path.at(-1) === 'mcp_servers' && isFields(entry)
      const said = isCodex ? fromCodex(entry) : { entry, fields: {} }
      const draft = draftOf(name, said, (inner) => at(inner === undefined ? place : [...place, inner]))
      if ('problem' in draft) imported.problems.push({ position: at(place), detail: `${name}: ${draft.problem}`, server: nameOf(name) })
      else imported.drafts.push(draft)
    }
  // What VS Code asks a person for is asked for as a variable; a line about it would say nothing new.
  const rest = others(value, [...rooms, 'mcp', 'projects', 'inputs', '$schema'])
  if (Object.keys(rest).length > 0) imported.aside.push({ of: '', fields: rest })
  return imported
}

function draftOf(name: string, { entry, fields }: { entry: unknown; fields: Fields }, at: Draft['at']): Draft | { problem: string } {
  if (!isFields(entry)) return { problem: 'is no map with command or url' }
  const url = entry['url'] ?? entry['httpUrl'] ?? entry['serverUrl']
  const type = String(entry['type'] ?? entry['transport'] ?? '').toLowerCase()
  if (type === 'sse') return { problem: 'speaks HTTP+SSE of 2024, which no gateway speaks to servers' }
  const words = wordsOf(entry['command'], entry['args'])
  if (url !== undefined && entry['command'] !== undefined) return { problem: 'has both a command and a URL' }
  if (url !== undefined && typeof url !== 'string') return { problem: 'has a URL that is no text' }
  if (url === undefined && !words)
    return { problem: entry['command'] === undefined ? 'has neither a command nor a URL' : 'has a command or args that are no texts' }
  const { source, headers } = words ? sourceOf(words) : { source: urlSource(url!, type), headers: {} }
  const env = textsOf(entry['env'])
  const written = textsOf(entry['headers'])
  return {
    name: nameOf(name),
    source,
    env: env.texts,
    headers: { ...headers, ...written.texts },
    fields: {
      ...fields,
      ...(typeof entry['cwd'] === 'string' && { cwd: entry['cwd'] }),
      ...((entry['disabled'] === true || entry['enabled'] === false) && { state: 'stopped' }),
      ...(typeof entry['envFile'] === 'string' && { envFile: entry['envFile'] }),
    },
    aside: {
      ...others(entry, known),
      ...(Object.keys(env.rest).length > 0 && { env: env.rest }),
      ...(Object.keys(written.rest).length > 0 && { headers: written.rest }),
    },
    at,
  }
}

const urlSource = (url: string, type: string): Draft['source'] => ({
  url,
  ...(/^(streamable-?http|http)$/.test(type) && { transport: 'streamable-http' as const }),
})
