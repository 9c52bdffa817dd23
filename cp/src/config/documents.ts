import { ConfigServer } from '@mcpg/proto/gateway-config'
import { turn } from '../turns.ts'
import { canonicalBytes, sha256Hex } from './canonical.ts'
import { entryFrom, type Document, type DocumentEntry, type Entry } from './compile.ts'
import type { ConfigStore } from './store.ts'

export type ReadDocument = {
  bytes: Uint8Array<ArrayBuffer>
  entries: ReadonlyMap<string, DocumentEntry>
  projects: ReadonlySet<string>
}

const cached = 300

type StoredDocument = { org: string; workspace: string; servers: unknown[]; projects?: { name: string }[] }

export type Documents = ReturnType<typeof documentCache>

/** Documents by hash, read once: a hundred gateways with one config cost one read. */
export function documentCache({ store }: { store: Pick<ConfigStore, 'bytes' | 'uidsOf'> }) {
  const known = new Map<string, ReadDocument>()
  const reading = new Map<string, Promise<ReadDocument | null>>()
  return { remember, load }

  /** A document that was compiled just now; nothing of it needs to be read. Equal bytes may be about a server that was made anew since. */
  function remember({ hash, bytes, entries, projects }: Document): void {
    keep(hash, { bytes, entries: new Map(entries.map(({ json: _json, ...entry }) => [entry.name, entry])), projects: new Set(projects) })
  }

  async function load(hash: string): Promise<ReadDocument | null> {
    const found = known.get(hash)
    if (found) return found
    let read = reading.get(hash)
    if (!read) reading.set(hash, (read = readStored(hash).finally(() => reading.delete(hash))))
    return await read
  }

  async function readStored(hash: string): Promise<ReadDocument | null> {
    const bytes = await store.bytes(hash)
    if (!bytes) return null
    const { org, workspace, servers, projects = [] } = JSON.parse(Buffer.from(bytes).toString()) as StoredDocument
    const entries: Omit<DocumentEntry, 'uid'>[] = []
    for (const server of servers) {
      const { name, state, required } = ConfigServer.parse(server)
      entries.push({ name, subHash: sha256Hex(canonicalBytes(server)), stopped: state === 'stopped', required })
      await turn()
    }
    const uids = await store.uidsOf(
      `${org}/${workspace}`,
      entries.map((entry) => entry.subHash),
    )
    const document = {
      bytes,
      entries: new Map(entries.map((entry) => [entry.name, { ...entry, uid: uids.get(entry.subHash) }])),
      projects: new Set(projects.map(({ name }) => name)),
    }
    keep(hash, document)
    return document
  }

  function keep(hash: string, document: ReadDocument): void {
    known.delete(hash)
    known.set(hash, document)
    if (known.size > cached) known.delete(known.keys().next().value!)
  }
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
  return entryFrom(server, known.subHash, json)
}
