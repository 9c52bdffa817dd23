import { llmKind, LlmSpec } from '@mcpg/proto/kinds/llm'
import { projectKind, ProjectSpec } from '@mcpg/proto/kinds/project'
import { linkParts, promptKind, PromptSpec } from '@mcpg/proto/kinds/prompt'
import { proxyModelKind, ProxyModelSpec } from '@mcpg/proto/kinds/proxy-model'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import type { Reads } from '../db/db.ts'
import { projectsOf } from '../resources/scope.ts'
import { turn } from '../turns.ts'
import type { SnapshotLlm, SnapshotProxyModel } from './model-entry.ts'
import type { SnapshotProject, SnapshotPrompt } from './project-entry.ts'

const portion = 200
const wholeRows = 40

export type Served = { projects: SnapshotProject[]; llms: SnapshotLlm[]; proxyModels: SnapshotProxyModel[] }

type Row = { name: string; scope: string; spec: string; specVersion: number }
type Known<T> = { generation: number; value: T | null }
type Told = PromptSpec & { name: string }

/** Projects of a workspace with their prompts, and the models that projects may name; only what changed since the last time is read whole. */
export function projectReader() {
  const known = new Map<string, ReadonlyMap<string, Known<SnapshotProject>>>()
  const prompts = new Map<string, ReadonlyMap<string, Known<{ project: string; prompt: Told }>>>()
  const llms = new Map<string, ReadonlyMap<string, Known<SnapshotLlm>>>()
  const proxyModels = new Map<string, ReadonlyMap<string, Known<SnapshotProxyModel>>>()
  return { read }

  /** What has a stored spec that cannot be read is left out: the path of a project is gone, its servers are not. */
  async function read(reads: Reads, scope: string): Promise<Served> {
    const models = async <T>(known: Map<string, ReadonlyMap<string, Known<T>>>, kind: KindDeclaration, parse: (row: Row) => T | null) => {
      const now = await refreshed(reads, { scope, kind: kind.kind }, known.get(scope), parse)
      known.set(scope, now)
      return valuesOf(now)
    }
    const projects = await readProjects(reads, scope)
    return {
      projects,
      llms: await models(llms, llmKind, readLlm),
      proxyModels: await models(proxyModels, proxyModelKind, readProxyModel),
    }
  }

  async function readProjects(reads: Reads, scope: string): Promise<SnapshotProject[]> {
    const now = await refreshed(reads, { scope, kind: projectKind.kind }, known.get(scope), readProject)
    const told = await refreshed(reads, { scope: projectsOf(scope), kind: promptKind.kind }, prompts.get(scope), readPrompt)
    prompts.set(scope, told)
    const own = Map.groupBy(valuesOf(told), ({ project }) => project)
    resolvePrompts(now, (project) => own.get(project)?.map(({ prompt }) => prompt) ?? [])
    known.set(scope, now)
    return valuesOf(now)
  }
}

const valuesOf = <T>(known: ReadonlyMap<string, Known<T>>): T[] => [...known.values()].flatMap(({ value }) => value ?? [])

type Where = { scope: string | { gte: string; lt: string }; kind: string }

/** The rows of a kind by uid; those of the generation that is known already are not read again. */
async function refreshed<T>(
  reads: Reads,
  where: Where,
  before: ReadonlyMap<string, Known<T>> | undefined,
  parse: (row: Row) => T | null,
): Promise<Map<string, Known<T>>> {
  const now = new Map<string, Known<T>>()
  const changed: string[] = []
  for await (const { uid, generation } of generations(reads, where)) {
    const known = before?.get(uid)
    if (known?.generation === generation) now.set(uid, known)
    else changed.push(uid)
  }
  for (let from = 0; from < changed.length; from += wholeRows) {
    const rows = await reads.resource.findMany({ where: { uid: { in: changed.slice(from, from + wholeRows) } } })
    for (const row of rows) {
      now.set(row.uid, { generation: row.generation, value: parse(row) })
      await turn()
    }
  }
  return now
}

async function* generations(reads: Reads, where: Where) {
  for (let after = ''; ;) {
    const rows = await reads.resource.findMany({
      where: { ...where, uid: { gt: after } },
      select: { uid: true, generation: true },
      orderBy: { uid: 'asc' },
      take: portion,
    })
    yield* rows
    if (rows.length < portion) return
    after = rows.at(-1)!.uid
    await turn()
  }
}

function readProject({ name, spec, specVersion }: Row): SnapshotProject | null {
  const parsed = ProjectSpec.safeParse(projectKind.upgrade(JSON.parse(spec), specVersion))
  return parsed.success ? { name, spec: parsed.data, prompts: [] } : null
}

function readLlm({ name, spec, specVersion }: Row): SnapshotLlm | null {
  const parsed = LlmSpec.safeParse(llmKind.upgrade(JSON.parse(spec), specVersion))
  return parsed.success ? { name, spec: parsed.data } : null
}

function readProxyModel({ name, spec, specVersion }: Row): SnapshotProxyModel | null {
  const parsed = ProxyModelSpec.safeParse(proxyModelKind.upgrade(JSON.parse(spec), specVersion))
  return parsed.success ? { name, spec: parsed.data } : null
}

function readPrompt({ name, scope, spec, specVersion }: Row): { project: string; prompt: Told } | null {
  const parsed = PromptSpec.safeParse(promptKind.upgrade(JSON.parse(spec), specVersion))
  const project = scope.split('/').at(-1)!
  return parsed.success ? { project, prompt: { name, ...parsed.data } } : null
}

/**
 * The prompts of each project: those of its spec, and those that live in it, which come before one of the same name in the spec. A link
 * depends on another project: a project whose links lead elsewhere now is a changed one.
 */
function resolvePrompts(all: Map<string, Known<SnapshotProject>>, livingIn: (project: string) => Told[]): void {
  const servers = new Map<string, ReadonlySet<string>>()
  for (const { value } of all.values()) if (value) servers.set(value.name, new Set(value.spec.servers))
  for (const [uid, { generation, value }] of all) {
    if (!value) continue
    const byName = new Map([...(value.spec.prompts ?? []), ...livingIn(value.name)].map((prompt) => [prompt.name, prompt]))
    const prompts = [...byName.values()].map(({ link, ...prompt }): SnapshotPrompt => {
      if (link === undefined) return prompt
      const { project: of, server, uri } = linkParts(link)
      return servers.get(of)?.has(server) ? { ...prompt, link: { server, uri } } : prompt
    })
    if (JSON.stringify(prompts) !== JSON.stringify(value.prompts)) all.set(uid, { generation, value: { ...value, prompts } })
  }
}
