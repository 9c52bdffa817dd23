import { create } from '@bufbuild/protobuf'
import canonicalize from 'canonicalize'
import { createHash } from 'node:crypto'
import {
  InventoryItemSchema,
  InventoryKind,
  ServerInventorySchema,
  type InventoryItem,
  type ServerInventory,
} from '@mcpg/proto/gen/delivery'

export type InventoryEntry = {
  kind: 'tool' | 'prompt' | 'resource' | 'resource_template'
  name: string
  exposedName: string
  definition: object
}

/** What one server offers, as the catalog knows it. */
export type Inventory = { serverInfoName: string; serverInfoVersion: string; instructions: string | undefined; items: InventoryEntry[] }

export type InventorySource = {
  onInventory: (listener: (server: string) => void) => () => void
  /** Null while nothing is known. */
  inventory: (server: string) => Inventory | null
}

/** Definitions beyond this are left out, and the message says so. */
const maxBytes = 1024 * 1024
const kinds = {
  tool: InventoryKind.TOOL,
  prompt: InventoryKind.PROMPT,
  resource: InventoryKind.RESOURCE,
  resource_template: InventoryKind.RESOURCE_TEMPLATE,
} as const

/** Items by kind and name, so that equal servers have an equal hash whatever order they list in; computed once per change. */
export function inventories(source: InventorySource) {
  const known = new Map<string, { hash: Uint8Array<ArrayBuffer>; items: InventoryItem[]; inventory: Inventory }>()
  const forget = source.onInventory((server) => void known.delete(server))
  return { hash: (server: string) => look(server)?.hash, message, stop: forget }

  /** Null when nothing is known of the server. */
  function message(server: string, { withItems }: { withItems: boolean }): ServerInventory | null {
    const found = look(server)
    if (!found) return null
    const { items, isTruncated } = withItems ? cut(found.items) : { items: [], isTruncated: false }
    return create(ServerInventorySchema, {
      server,
      inventoryHash: found.hash,
      serverInfoName: found.inventory.serverInfoName,
      serverInfoVersion: found.inventory.serverInfoVersion,
      instructions: (found.inventory.instructions ?? '').slice(0, 4096),
      items,
      truncated: isTruncated,
    })
  }

  function look(server: string) {
    const cached = known.get(server)
    if (cached) return cached
    const inventory = source.inventory(server)
    if (!inventory) return undefined
    const items = inventory.items.map(itemOnWire).sort((a, b) => a.kind - b.kind || (a.name < b.name ? -1 : 1))
    const hash = createHash('sha256')
    for (const item of items) hash.update(item.definitionHash)
    const entry = { hash: new Uint8Array(hash.digest()), items, inventory }
    known.set(server, entry)
    return entry
  }
}

function itemOnWire({ kind, name, exposedName, definition }: InventoryEntry): InventoryItem {
  const bytes = new Uint8Array(Buffer.from(canonicalize(definition) ?? '{}'))
  const definitionHash = new Uint8Array(createHash('sha256').update(bytes).digest())
  return create(InventoryItemSchema, { kind: kinds[kind], name, exposedName, definition: bytes, definitionHash })
}

/** What does not fit goes as its hash alone, so that the hash over all of them can still be checked. */
function cut(items: InventoryItem[]): { items: InventoryItem[]; isTruncated: boolean } {
  let size = 0
  let isTruncated = false
  const sent = items.map((item) => {
    // Names, hash and field headers beside the definition.
    const own = item.definition.length + Buffer.byteLength(item.name) + Buffer.byteLength(item.exposedName) + 64
    if (size + own <= maxBytes) {
      size += own
      return item
    }
    isTruncated = true
    return create(InventoryItemSchema, { kind: item.kind, definitionHash: item.definitionHash })
  })
  return { items: sent, isTruncated }
}
