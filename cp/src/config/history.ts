import { McpgError } from '@mcpg/proto/errors'
import type { ConfigCause, ConfigDiff, ConfigPartDiff, GatewayConfigEntry } from '@mcpg/proto/rest/gateways'
import { differences } from '../resources/differ.ts'
import { turn } from '../turns.ts'
import type { Documents, ReadDocument } from './documents.ts'
import type { Generations } from './generations.ts'
import type { Pins } from './pins.ts'
import type { Assignment, ConfigStore } from './store.ts'

type Of = { id: string; name: string }

export type ConfigHistory = ReturnType<typeof configHistory>

/** The configs that a gateway got, and how one of them differs from another. */
export function configHistory({
  store,
  documents,
  generations,
  pins,
}: {
  store: Pick<ConfigStore, 'history' | 'find' | 'generationsOf'>
  documents: Pick<Documents, 'load'>
  generations: Pick<Generations, 'get'>
  pins: Pick<Pins, 'find'>
}) {
  return { list, get }

  /** Newest first. */
  async function list({ id }: Of): Promise<GatewayConfigEntry[]> {
    const entries: GatewayConfigEntry[] = []
    for (const row of await store.history(id)) {
      entries.push(entryOf(row, await documents.load(row.configHash)))
      await turn()
    }
    return entries
  }

  /** With its document, or instead with what leads to it from generation `diff`. */
  async function get(gateway: Of, generation: number, diff?: number): Promise<GatewayConfigEntry> {
    const { row, document } = await read(gateway, generation)
    const entry = entryOf(row, document)
    if (diff === undefined) return { ...entry, document: contentOf(document) }
    return { ...entry, diff: await diffOf(await read(gateway, diff), { row, document }) }
  }

  async function read({ id, name }: Of, generation: number): Promise<{ row: Assignment; document: ReadDocument }> {
    const row = await store.find(id, generation)
    const document = row && (await documents.load(row.configHash))
    if (row && document) return { row, document }
    throw await unknownGeneration(store, { id, name }, generation)
  }

  function entryOf(row: Assignment, document: ReadDocument | null): GatewayConfigEntry {
    const { gatewayId, generation, configHash, createdAt, force, cause } = row
    const current = generations.get(gatewayId)
    // What a gateway said last may still be on its way to the table.
    const { state, reason, message } = current?.generation === generation ? current : row
    return {
      generation,
      hash: configHash,
      state,
      ...(reason !== null && { reason }),
      ...(message !== null && { message }),
      force,
      servers: [...(document?.entries.keys() ?? [])],
      createdAt,
      ...(cause !== null && { cause: JSON.parse(cause) as ConfigCause }),
      ...(current?.generation === generation && pins.find(gatewayId) && { pinned: true }),
    }
  }
}

export async function unknownGeneration(
  store: Pick<ConfigStore, 'generationsOf'>,
  { id, name }: Of,
  generation: number,
): Promise<McpgError> {
  const kept = await store.generationsOf(id)
  const known = kept.length === 0 ? 'it has none yet' : `it has ${kept.at(-1)} to ${kept[0]}`
  return new McpgError('not_found', 'generation_unknown', `The history of ${name} has no generation ${generation}; ${known}.`, {
    hint: `mcpg-ctl describe gateway/${name}`,
  })
}

async function diffOf(
  before: { row: Assignment; document: ReadDocument },
  after: { row: Assignment; document: ReadDocument },
): Promise<ConfigDiff> {
  const [old, now] = [contentOf(before.document), contentOf(after.document)]
  const servers = await partsOf(old, now, 'servers')
  const others: ConfigPartDiff[] = []
  for (const [field, kind] of beside) others.push(...(await partsOf(old, now, field)).map((part) => ({ kind, ...part })))
  return {
    from: before.row.generation,
    to: after.row.generation,
    servers: servers.map(({ name, ...part }) => ({ server: name, ...part })),
    others,
  }
}

/** What documents hold beside servers, and of which kind it is. */
const beside = [
  ['projects', 'Project'],
  ['proxyModels', 'ProxyModel'],
  ['llms', 'Llm'],
] as const

type Content = Record<string, unknown>
type Part = { name: string; [field: string]: unknown }

/** The parts of one list that differ, by name. */
async function partsOf(before: Content, after: Content, field: string): Promise<Omit<ConfigPartDiff, 'kind'>[]> {
  const [old, now] = [byName(before[field]), byName(after[field])]
  const differing: Omit<ConfigPartDiff, 'kind'>[] = []
  for (const name of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const was = old.get(name)
    const is = now.get(name)
    // Of one that is only on one side every field is a difference.
    const fields = differences(was ?? {}, is ?? {}).filter(({ path }) => path !== '/name')
    if (!was || !is) differing.push({ name, result: was ? 'removed' : 'added', fields })
    else if (fields.length > 0) differing.push({ name, result: 'changed', fields })
    await turn()
  }
  return differing
}

const contentOf = ({ bytes }: ReadDocument) => JSON.parse(Buffer.from(bytes).toString()) as Content

const byName = (parts: unknown) => new Map(((parts ?? []) as Part[]).map((part) => [part.name, part]))
