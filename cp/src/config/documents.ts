import { GatewayConfig } from '@mcpg/proto/gateway-config'
import { canonicalBytes, sha256Hex, type Document, type DocumentEntry, type Entry } from './compile.ts'
import type { ConfigStore } from './store.ts'

export type ReadDocument = { bytes: Uint8Array<ArrayBuffer>; entries: ReadonlyMap<string, DocumentEntry> }

const cached = 300

export type Documents = ReturnType<typeof documentCache>

/** Documents by hash, read once: a hundred gateways with one config cost one read. */
export function documentCache({ store }: { store: Pick<ConfigStore, 'bytes' | 'uidsOf'> }) {
  const known = new Map<string, ReadDocument>()
  return { remember, load, peek: (hash: string) => known.get(hash) }

  function remember({ hash, bytes, entries }: Document): void {
    const uids = new Map(entries.map((entry) => [entry.subHash, entry.uid]))
    keep(hash, read(bytes, uids))
  }

  async function load(hash: string): Promise<ReadDocument | null> {
    const found = known.get(hash)
    if (found) return found
    const bytes = await store.bytes(hash)
    if (!bytes) return null
    const document = read(bytes, await store.uidsOf([...read(bytes, new Map()).entries.values()].map((entry) => entry.subHash)))
    keep(hash, document)
    return document
  }

  function keep(hash: string, document: ReadDocument): void {
    known.delete(hash)
    known.set(hash, document)
    if (known.size > cached) known.delete(known.keys().next().value!)
  }
}

function read(bytes: Uint8Array<ArrayBuffer>, uids: ReadonlyMap<string, string>): ReadDocument {
  const { servers } = GatewayConfig.parse(JSON.parse(Buffer.from(bytes).toString()))
  const subHashes = subHashesOf(bytes)
  const entries = servers.map((server, index) => {
    const subHash = subHashes[index]!
    return [
      server.name,
      { name: server.name, subHash, uid: uids.get(subHash), stopped: server.state === 'stopped', required: server.required },
    ] as const
  })
  return { bytes, entries: new Map(entries) }
}

/** The sub-hashes of a document's servers, in their order: over what stands there, before defaults are filled in. */
export function subHashesOf(bytes: Uint8Array): string[] {
  const { servers } = JSON.parse(Buffer.from(bytes).toString()) as { servers: unknown[] }
  return servers.map((server) => sha256Hex(canonicalBytes(server)))
}

/** One server as it stands in a document, to be put into another one. */
export function entryIn({ bytes, entries }: ReadDocument, server: { uid: string; name: string }): Entry | undefined {
  const known = entries.get(server.name)
  if (known?.uid !== server.uid) return undefined
  const { servers } = JSON.parse(Buffer.from(bytes).toString()) as { servers: { name: string }[] }
  const json = Buffer.from(canonicalBytes(servers.find((one) => one.name === server.name))).toString()
  return { ...server, subHash: known.subHash, json }
}
