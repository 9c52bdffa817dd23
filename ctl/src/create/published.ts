import { McpgError } from '@mcpg/proto/errors'
import type { Flag } from './flags.ts'
import type { Typed } from './read-spec.ts'

/** Flags that scripts already use under another name than that of the field. */
export const publishedNames: Record<string, Record<string, string>> = {
  Server: { runtime: 'package-runtime', header: 'url-header' },
  Project: { 'allow-tool': 'tools-allow', 'deny-tool': 'tools-deny' },
  User: { name: 'display-name' },
}

/** What comes with another version of this program. */
const notYet: ReadonlyMap<string, string> = new Map([
  ['docker-image', 'Servers from container images are not there yet'],
  ['replicas', 'Several replicas of a server come with container images, which are not there yet'],
])

/** Published flags of `create server` that are no field: flag and what it takes. */
export const serverFlags = [
  ['--transport <name>', 'STDIO, SSE or STREAMABLE_HTTP, as scripts say it; told by --package-name, --command and --url anyway'],
  ['--docker-image <image>', 'not there yet'],
  ['--replicas <n>', 'not there yet'],
] as const

export type ServerOptions = { transport?: string; dockerImage?: string; replicas?: string }

/** What the published flags of a server mean for its fields. */
export function readServerFlags(options: ServerOptions, typed: Typed[], flags: Flag[]): Typed[] {
  for (const [flag, value] of [
    ['docker-image', options.dockerImage],
    ['replicas', options.replicas],
  ] as const)
    if (value !== undefined && !(flag === 'replicas' && value === '1'))
      throw new McpgError('unsupported', 'not_there_yet', `--${flag}: ${notYet.get(flag)}.`, {
        hint: 'run it with --package-name, --command or --url',
      })
  const has = (name: string) => typed.some(({ flag }) => flag.flag === name || flag.flag.startsWith(`${name}-`))
  const also: Typed[] = []
  const add = (name: string, value: string) => {
    const flag = flags.find((one) => one.flag === name)
    if (flag) also.push({ flag, value })
  }
  if (has('package') && !typed.some(({ flag }) => flag.flag === 'package' || flag.flag === 'package-runtime'))
    add('package-runtime', 'node')
  const transport = options.transport?.toUpperCase().replaceAll('-', '_')
  if (transport === undefined) return also
  const isRemote = has('url')
  if (transport === 'STREAMABLE_HTTP' && isRemote) add('url-transport', 'streamable-http')
  else if (transport === 'STDIO' ? isRemote : true)
    throw new McpgError('invalid', 'usage', `--transport ${options.transport}: ${whyNot(transport)}.`, {
      hint: isRemote ? '--url <url> --transport STREAMABLE_HTTP' : '--package-name or --command, which speak STDIO',
    })
  return also
}

function whyNot(transport: string): string {
  if (transport === 'STDIO') return 'a server behind --url does not speak on standard input and output'
  if (transport === 'STREAMABLE_HTTP') return 'only a server behind --url speaks it'
  return transport === 'SSE' ? 'no gateway speaks the HTTP+SSE of 2024 to servers' : 'there is no such transport'
}
