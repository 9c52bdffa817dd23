import { McpgError } from '@mcpg/proto/errors'
import { CreatedToken, type Binding } from '@mcpg/proto/rest/tokens'
import { workspacePath } from '../api/paths.ts'
import type { Context } from '../context.ts'
import { relative } from '../output/age.ts'
import { pairs } from '../output/table.ts'
import { readBindings } from './bindings.ts'

export type TokenOptions = { bind: string[]; ttl: string; serviceAccount?: string; rbac?: 'empty' | 'clone'; force?: boolean }
type Body = { serviceAccount?: string; name: string; ttl: string; bind?: Binding[]; rbac?: string; force?: boolean }

/** A token of whoever asks, or of a service account. */
export async function makeOwnToken(context: Context, name: string, { bind, ttl, serviceAccount }: TokenOptions): Promise<void> {
  const { org } = context.settings
  await make(context, `/v1/orgs/${encodeURIComponent(org)}/tokens`, {
    name,
    ttl,
    ...boundTo(bind),
    ...(serviceAccount !== undefined && { serviceAccount }),
  })
}

/** A token of an MCP client of the project that `-p` names. */
export async function makeMcpToken(context: Context, name: string, { bind, ttl, rbac, force }: TokenOptions): Promise<void> {
  const { project } = context.settings
  if (project === undefined)
    throw new McpgError('invalid', 'usage', 'A token of an MCP client belongs to a project, and none is named.', {
      hint: `mcpg-ctl create mcptoken ${name} -p <project> (MCPG_PROJECT)`,
    })
  const path = `${workspacePath(context.settings)}/projects/${encodeURIComponent(project)}/tokens`
  await make(context, path, { name, ttl, ...boundTo(bind), ...(rbac && { rbac }), ...(force && { force }) })
}

async function make(context: Context, path: string, body: Body): Promise<void> {
  const { settings, print, say } = context
  const api = await context.api()
  const { body: made } = await api.call('POST', path, { schema: CreatedToken, body })
  if (settings.output === 'json') return print(JSON.stringify(made, null, 2))
  if (settings.output === 'yaml') return print((await import('../manifest/print-form.ts')).toYaml(made).trimEnd())
  if (settings.output === 'name') return print(`mcptoken/${made.name}`)
  pairs([
    ['token', made.name],
    ...(made.project === undefined ? [] : [['project', made.project] as [string, string]]),
    ['expires', made.expiresAt === undefined ? 'never' : `${made.expiresAt} (${relative(made.expiresAt)})`],
  ]).forEach((line) => print(line))
  print(`\n  ${made.token}`)
  say(
    `\nthe token is shown this once; keep it where no other program reads it${made.project === undefined ? ', and give it by MCPG_TOKEN' : ''}`,
  )
}

const boundTo = (words: string[]): { bind?: Binding[] } => (words.length > 0 ? { bind: readBindings(words) } : {})
