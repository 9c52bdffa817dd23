import type { ConfigLlmInput, ConfigProxyModel } from '@mcpg/proto/gateway-config'
import type { LlmSpec } from '@mcpg/proto/kinds/llm'
import type { ProjectSpec } from '@mcpg/proto/kinds/project'
import { builtInPipelines, type ProxyModelSpec } from '@mcpg/proto/kinds/proxy-model'
import { canonicalBytes } from './canonical.ts'

export type SnapshotLlm = { name: string; spec: LlmSpec }
export type SnapshotProxyModel = { name: string; spec: ProxyModelSpec }

/** An Llm or a ProxyModel as it stands in a document; `json` is canonical. */
export type ModelEntry = { name: string; json: string }

/**
 * What these projects name: their pipelines, and the models that a project or one of those pipelines asks, sorted by name. Built-in
 * pipelines have no object, and a name that nobody has leads nowhere.
 */
export function modelsOf(
  specs: readonly ProjectSpec[],
  { llms, proxyModels }: { llms: readonly SnapshotLlm[]; proxyModels: readonly SnapshotProxyModel[] },
): { llms: ModelEntry[]; proxyModels: ModelEntry[] } {
  const pipelines = named(
    proxyModels,
    new Set(specs.map(({ proxyModel = '' }) => (builtInPipelines.includes(proxyModel) ? undefined : proxyModel))),
  )
  const asked = new Set([...specs.map(({ llm }) => llm?.name), ...pipelines.map(({ spec }) => spec.llm)])
  return { llms: named(llms, asked).map(llmEntryOf), proxyModels: pipelines.map(proxyModelEntryOf) }
}

function named<One extends { name: string }>(all: readonly One[], wanted: ReadonlySet<string | undefined>): One[] {
  return all.filter(({ name }) => wanted.has(name)).sort((one, other) => (one.name < other.name ? -1 : 1))
}

// A snapshot brings the same object for what has not changed.
const entries = new WeakMap<object, ModelEntry>()

function entryOf(object: { name: string }, content: () => unknown): ModelEntry {
  let entry = entries.get(object)
  if (!entry) entries.set(object, (entry = { name: object.name, json: Buffer.from(canonicalBytes(content())).toString() }))
  return entry
}

const llmEntryOf = (llm: SnapshotLlm) =>
  entryOf(llm, (): ConfigLlmInput => {
    const { description: _, extra = {}, ...spec } = llm.spec
    return { name: llm.name, ...spec, ...(Object.keys(extra).length > 0 && { extra }) }
  })

const proxyModelEntryOf = (model: SnapshotProxyModel) =>
  entryOf(model, (): ConfigProxyModel => {
    const { description: _, stages, ...spec } = model.spec
    const withoutEmpty = stages.map(({ type, options = {} }) => ({ type, ...(Object.keys(options).length > 0 && { options }) }))
    return { name: model.name, ...spec, stages: withoutEmpty }
  })
