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

/** Bodies kept parsed; the others are read again when somebody looks. */
const cached = 500

export type Inventories = ReturnType<typeof inventories>

/** Bodies of inventories, each once per hash, however many gateways run the same server. */
export function inventories({
  store,
  writes,
  clock,
}: {
  store: Pick<GatewayStore, 'inventory' | 'putInventory'>
  writes: Pick<Writes, 'put'>
  clock: Clock
}) {
  const bodies = new Map<string, InventoryBody>()
  return { find, accept, forget: (hashes: string[]) => hashes.forEach((hash) => bodies.delete(hash)) }

  async function find(hash: string): Promise<InventoryBody | null> {
    const known = bodies.get(hash)
    if (known) return known
    const text = await store.inventory(hash)
    if (text === null) return null
    const body = Body.parse(JSON.parse(text))
    remember(hash, body)
    return body
  }

  /** Stores a body after checking that it is the one its hash names; false when it is not. */
  function accept(report: ServerInventory): boolean {
    const body = readBody(report)
    if (!body) return false
    const hash = Buffer.from(report.inventoryHash).toString('hex')
    if (bodies.has(hash)) return true
    remember(hash, body)
    const now = new Date(clock.now()).toISOString()
    writes.put(`inventory/${hash}`, (tx) => store.putInventory(tx, hash, JSON.stringify(body), now))
    return true
  }

  function remember(hash: string, body: InventoryBody): void {
    bodies.set(hash, body)
    if (bodies.size > cached) bodies.delete(bodies.keys().next().value!)
  }
}

/**
 * Null when a definition is not what its hash says. The hash over all of them is checked where nothing was left out: a body is shared
 * by every gateway that reports its hash, so one of them must not be able to choose it for the others.
 */
function readBody(report: ServerInventory): InventoryBody | null {
  const all = createHash('sha256')
  const items: InventoryBody['items'] = []
  for (const item of report.items) {
    const hash = createHash('sha256').update(item.definition).digest()
    if (!hash.equals(item.definitionHash)) return null
    all.update(hash)
    const kind = kindWords.get(item.kind)
    if (!kind) continue
    const definition = parseObject(item.definition)
    if (!definition) return null
    items.push({ kind, name: item.name, exposedName: item.exposedName, definition, definitionHash: hash.toString('hex') })
  }
  if (!report.truncated && !all.digest().equals(report.inventoryHash)) return null
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
