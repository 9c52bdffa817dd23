import type { ConfigProjectInput, ConfigPrompt } from '@mcpg/proto/gateway-config'
import type { ProjectSpec, ToolPolicy } from '@mcpg/proto/kinds/project'
import { canonicalBytes } from './canonical.ts'

/** What a project offers under a name of its own; `link` names the server and its own URI. */
export type SnapshotPrompt = Omit<ConfigPrompt, 'priority'> & { priority?: number }

export type SnapshotProject = { name: string; spec: ProjectSpec; prompts: SnapshotPrompt[] }

/** One project as it stands in a document; `json` is canonical. */
export type ProjectEntry = { name: string; servers: readonly string[]; spec: ProjectSpec; json: string }

// A snapshot brings the same object for a project that has not changed.
const entries = new WeakMap<SnapshotProject, ProjectEntry>()

/** A project as canonical JSON without its defaults. */
export function projectEntryOf(project: SnapshotProject): ProjectEntry {
  let entry = entries.get(project)
  if (!entry) entries.set(project, (entry = makeEntry(project)))
  return entry
}

function makeEntry({ name, spec, prompts }: SnapshotProject): ProjectEntry {
  const { servers = [], serverOverrides = {}, instructions, prompt, proxyModel, llm } = spec
  const entry: ConfigProjectInput = {
    name,
    servers: servers.toSorted().map((server) => ({
      name: server,
      ...toolsOf(serverOverrides[server]?.tools),
      ...textOf('instructions', serverOverrides[server]?.instructions),
    })),
    ...toolsOf(spec.tools),
    ...textOf('instructions', instructions),
    ...textOf('prompt', prompt),
    ...(prompts.length > 0 && { prompts: prompts.toSorted(byPriority).map(withoutDefault) }),
    ...(spec.gated && { gated: true }),
    ...(proxyModel !== undefined && proxyModel !== 'default' && { pipeline: proxyModel }),
    ...(llm && { llm }),
  }
  return { name, servers, spec, json: Buffer.from(canonicalBytes(entry)).toString() }
}

/** The most important first, as clients list them. */
function byPriority(one: SnapshotPrompt, other: SnapshotPrompt): number {
  return (other.priority ?? 5) - (one.priority ?? 5) || (one.name < other.name ? -1 : 1)
}

function withoutDefault({
  priority = 5,
  ...prompt
}: SnapshotPrompt): ConfigProjectInput['prompts'] extends (infer One)[] | undefined ? One : never {
  return { ...prompt, ...(priority !== 5 && { priority }) }
}

/** Globs are a set, so their order says nothing; an empty `allow` allows nothing and stays. */
function toolsOf(tools: ToolPolicy | undefined): Pick<ConfigProjectInput, 'tools'> {
  const { allow, deny = [] } = tools ?? {}
  if (allow === undefined && deny.length === 0) return {}
  return { tools: { ...(allow && { allow: allow.toSorted() }), ...(deny.length > 0 && { deny: deny.toSorted() }) } }
}

function textOf<Field extends string>(field: Field, text: string | undefined): { [Key in Field]?: string } {
  return text === undefined || text === '' ? {} : ({ [field]: text } as { [Key in Field]?: string })
}
