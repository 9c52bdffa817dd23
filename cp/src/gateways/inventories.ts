import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '@mcpg/core/clock'
import { InventoryKind, type ServerInventory } from '@mcpg/proto/gen/delivery'
import type { GatewayStore } from './store.ts'
import type { Writes } from './writes.ts'

const Item = z.object({
  kind: z.enum(['tool', 'prompt', 'resource', 'resource_template']),
  name: z.string(),
  exposedName: z.string(),
  definition: z.record(z.string(), z.unknown()),
  definitionHash: z.string(),
})
const Body = z.object({
  serverInfo: z.object({ name: z.string(), version: z.string() }),
  instructions: z.string(),
  items: z.array(Item),
  truncated: z.boolean(),
})
/** What a server offers, as its gateway reported it. */
export type InventoryBody = z.infer<typeof Body>

const kindWords = new Map<InventoryKind, z.infer<typeof Item>['kind']>([
  [InventoryKind.TOOL, 'tool'],
  [InventoryKind.PROMPT, 'prompt'],
  [InventoryKind.RESOURCE, 'resource'],
  [InventoryKind.RESOURCE_TEMPLATE, 'resource_template'],
])

/** JSON text of the bodies that are kept parsed, in characters; the others are read again when somebody looks. */
const cachedSize = 64 * 1024 * 1024
const rememberedMissing = 20_000

export type Inventories = ReturnType<typeof inventories>

/** Bodies of inventories, each once per hash, however many gateways run the same server. */
export function inventories({
  store,
  writes,
  clock,
}: {
  store: Pick<GatewayStore, 'inventory'>
  writes: Pick<Writes, 'put'>
  clock: Clock
}) {
  const bodies = new Map<string, { body: InventoryBody; size: number; tools: string[] }>()
  // A fleet that comes back asks for the same bodies from every gateway at once.
  const missing = new Set<string>()
  let size = 0
  return { find, toolNames, accept, forget: (hashes: string[]) => hashes.forEach(drop) }

  async function find(hash: string): Promise<InventoryBody | null> {
    const known = bodies.get(hash)
    if (known) return known.body
    if (missing.has(hash)) return null
    const text = await store.inventory(hash)
    if (text === null) {
      if (missing.size >= rememberedMissing) missing.clear()
      missing.add(hash)
      return null
    }
    const body = Body.parse(JSON.parse(text))
    remember(hash, body, text.length)
    return body
  }

  /** Names of its tools, none where the body is not known. */
  async function toolNames(hash: string): Promise<readonly string[]> {
    const body = await find(hash)
    return bodies.get(hash)?.tools ?? (body ? namesOf(body) : [])
  }

  /** Stores a body after checking that it is the one its hash names; false when it is not. */
  function accept(report: ServerInventory): boolean {
    const hash = Buffer.from(report.inventoryHash).toString('hex')
    if (bodies.has(hash)) return true
    const body = readBody(report)
    if (!body) return false
    const text = JSON.stringify(body)
    remember(hash, body, text.length)
    writes.put(`inventory/${hash}`, { op: 'inventory', hash, body: text, createdAt: new Date(clock.now()).toISOString() })
    return true
  }

  function remember(hash: string, body: InventoryBody, itsSize: number): void {
    drop(hash)
    missing.delete(hash)
    bodies.set(hash, { body, size: itsSize, tools: namesOf(body) })
    size += itsSize
    for (const oldest of bodies.keys()) {
      if (size <= cachedSize || oldest === hash) break
      drop(oldest)
    }
  }

  function drop(hash: string): void {
    size -= bodies.get(hash)?.size ?? 0
    bodies.delete(hash)
  }
}

function namesOf({ items }: InventoryBody): string[] {
  return items.filter((item) => item.kind === 'tool').map((item) => item.name)
}

/**
 * Null when a definition, or the list of them, is not what its hash says: a body is shared by every gateway that reports its hash, so one
 * of them must not be able to choose it for the others. A definition that was left out for its size still counts by its hash.
 */
function readBody(report: ServerInventory): InventoryBody | null {
  const all = createHash('sha256')
  const items: InventoryBody['items'] = []
  for (const item of report.items) {
    all.update(item.definitionHash)
    if (report.truncated && item.definition.length === 0) continue
    const hash = createHash('sha256').update(item.definition).digest()
    if (!hash.equals(item.definitionHash)) return null
    const kind = kindWords.get(item.kind)
    if (!kind) continue
    const definition = parseObject(item.definition)
    if (!definition) return null
    items.push({ kind, name: item.name, exposedName: item.exposedName, definition, definitionHash: hash.toString('hex') })
  }
  if (!all.digest().equals(report.inventoryHash)) return null
  return {
    serverInfo: { name: report.serverInfoName, version: report.serverInfoVersion },
    instructions: report.instructions.slice(0, 4096),
    items,
    truncated: report.truncated,
  }
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
