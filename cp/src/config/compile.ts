import { durationMs } from '@mcpg/proto/durations'
import type { ConfigServerInput, SecretReference } from '@mcpg/proto/gateway-config'
import { argvOf, serverDefaults, type ServerSpec } from '@mcpg/proto/kinds/server'
import { turn } from '../turns.ts'
import { canonicalBytes, sha256Hex } from './canonical.ts'
import { modelsOf, type ModelEntry, type SnapshotLlm, type SnapshotProxyModel } from './model-entry.ts'
import { projectEntryOf, type ProjectEntry, type SnapshotProject } from './project-entry.ts'

/** Largest document, as canonical JSON. */
export const maxDocumentBytes = 1024 * 1024

export type SnapshotServer = {
  uid: string
  name: string
  generation: number
  spec: ServerSpec
  restarts: number
  upgrades: number
  /** Versions of the secrets that the spec names, by `secret/key`. */
  secrets: ReadonlyMap<string, number>
}

/** A refused revision; `entry` is its canonical JSON where that is still known. */
export type Hold = { subHash: string; entry: string | undefined }

export type SnapshotGateway = {
  id: string
  environment: string
  labels: Record<string, string>
  lkgHash: string | null
  highestGeneration: number
  /** Refused revisions by uid of their server. */
  holds: ReadonlyMap<string, readonly Hold[]>
  /**
   * By uid, where a revision of the server is held: the last that ran here, which is the one that last passed its probation, or a newer
   * one that is ready now and not held. `entry` is its canonical JSON.
   */
  lastRan: ReadonlyMap<string, { subHash: string; entry: string }>
}

/** A stored server that cannot be read any more; gateways keep what they have of it, by id of the gateway. */
export type UnreadableServer = { uid: string; name: string; error: string; kept: ReadonlyMap<string, Entry> }

/** Everything a compile depends on, of one workspace, from one transaction. */
export type Snapshot = {
  org: string
  workspace: string
  servers: SnapshotServer[]
  unreadable: UnreadableServer[]
  projects: SnapshotProject[]
  llms: SnapshotLlm[]
  proxyModels: SnapshotProxyModel[]
  gateways: SnapshotGateway[]
}

/** One server as it stands in a document; `json` is canonical. */
export type Entry = { uid: string; name: string; subHash: string; json: string; stopped: boolean; required: boolean }

export type Document = { hash: string; bytes: Uint8Array<ArrayBuffer>; entries: Entry[]; projects: string[] }

/** What a stored document says of one server; `uid` is unknown once the server's revisions are gone. */
export type DocumentEntry = { name: string; subHash: string; uid: string | undefined; stopped: boolean; required: boolean }

/** A server revision that a gateway wanted and does not get; `running` is the sub-hash that it gets instead. */
export type HeldBack = { uid: string; server: string; subHash: string; running: string | undefined }

export type CompiledGateway =
  | { gatewayId: string; document: Document; heldBack: HeldBack[] }
  | { gatewayId: string; error: string; heldBack: HeldBack[] }

/**
 * The documents of every gateway of a workspace: a pure function of the snapshot. A document names no gateway, so gateways that run
 * the same revisions in the same environment share one, compiled once. Long stretches let the event loop turn.
 */
export async function compile(snapshot: Snapshot): Promise<CompiledGateway[]> {
  const wanted: { server: SnapshotServer; entry: Entry }[] = []
  for (const server of snapshot.servers) {
    wanted.push({ server, entry: entryOf(server) })
    await turn()
  }
  wanted.sort((a, b) => compareText(a.entry.name, b.entry.name))
  const projects = snapshot.projects.map(projectEntryOf).sort((a, b) => compareText(a.name, b.name))
  const documents = new Map<string, Document | string>()
  const alike = new Map<string, Document | string>()
  const compiled: CompiledGateway[] = []
  for (const gateway of snapshot.gateways) {
    await turn()
    const kept = snapshot.unreadable.flatMap((server) => server.kept.get(gateway.id) ?? [])
    // Gateways of which nothing but environment and labels counts get what the first of them got.
    const plain = kept.length === 0 && gateway.holds.size === 0 ? JSON.stringify([gateway.environment, gateway.labels]) : null
    const known = plain === null ? undefined : alike.get(plain)
    if (known !== undefined) {
      compiled.push(resultOf(gateway, known, []))
      continue
    }
    const { entries, heldBack } = revisionsFor(gateway, wanted)
    if (kept.length > 0) entries.push(...kept)
    if (kept.length > 0) entries.sort((a, b) => compareText(a.name, b.name))
    const placementClass = [gateway.environment, ...entries.map((entry) => entry.subHash)].join('\n')
    let document = documents.get(placementClass)
    if (document === undefined) documents.set(placementClass, (document = documentOf(snapshot, gateway.environment, { entries, projects })))
    if (plain !== null) alike.set(plain, document)
    compiled.push(resultOf(gateway, document, heldBack))
  }
  return compiled
}

function resultOf({ id }: SnapshotGateway, document: Document | string, heldBack: HeldBack[]): CompiledGateway {
  return typeof document === 'string' ? { gatewayId: id, error: document, heldBack } : { gatewayId: id, document, heldBack }
}

/** True when the placement of a server selects the gateway. */
export function isPlaced({ placement }: ServerSpec, gateway: { environment: string; labels: Record<string, string> }): boolean {
  if (placement?.environments && !placement.environments.includes(gateway.environment)) return false
  return Object.entries(placement?.gatewaySelector ?? {}).every(([key, value]) => gateway.labels[key] === value)
}

function revisionsFor(gateway: SnapshotGateway, wanted: { server: SnapshotServer; entry: Entry }[]) {
  const entries: Entry[] = []
  const heldBack: HeldBack[] = []
  for (const { server, entry } of wanted) {
    if (!isPlaced(server.spec, gateway)) continue
    const holds = gateway.holds.get(server.uid) ?? []
    if (!isHeld(entry, holds)) {
      entries.push(entry)
      continue
    }
    const lastRan = gateway.lastRan.get(server.uid)
    const usable = lastRan && !holds.some((hold) => hold.subHash === lastRan.subHash) ? lastRan : undefined
    if (usable) entries.push(entryFrom(server, usable.subHash, usable.entry))
    heldBack.push({ uid: server.uid, server: server.name, subHash: entry.subHash, running: usable?.subHash })
  }
  return { entries, heldBack }
}

/** A restart alone is no new revision: what was refused stays refused until somebody changes it or asks for a retry. */
function isHeld(entry: Entry, holds: readonly Hold[]): boolean {
  return holds.some(
    (hold) => hold.subHash === entry.subHash || (hold.entry !== undefined && withoutRestarts(hold.entry) === withoutRestarts(entry.json)),
  )
}

function withoutRestarts(json: string): string {
  const { restarts: _, ...entry } = JSON.parse(json) as ConfigServerInput
  return JSON.stringify(entry)
}

/** Holds that a change of their server has lifted: none of those on the gateway is about the revision that is wanted now. */
export function liftedHolds({ servers, unreadable, gateways }: Snapshot): { gatewayId: string; serverUid: string }[] {
  const wanted = new Map(servers.map((server) => [server.uid, entryOf(server)]))
  const undecided = new Set(unreadable.map((server) => server.uid))
  return gateways.flatMap((gateway) =>
    [...gateway.holds]
      .filter(([uid, holds]) => {
        const entry = wanted.get(uid)
        return !undecided.has(uid) && (!entry || !isHeld(entry, holds))
      })
      .map(([serverUid]) => ({ gatewayId: gateway.id, serverUid })),
  )
}

/** The document, or what is wrong with it. Which projects stand in it follows from its servers, and what they name from them. */
function documentOf(
  snapshot: Snapshot,
  environment: string,
  { entries, projects }: { entries: Entry[]; projects: ProjectEntry[] },
): Document | string {
  const { org, workspace } = snapshot
  const text = JSON.stringify
  const names = new Set(entries.map((entry) => entry.name))
  const here = projects.filter(({ servers }) => servers.some((server) => names.has(server)))
  const { llms, proxyModels } = modelsOf(
    here.map(({ spec }) => spec),
    snapshot,
  )
  // The canonical form of an object: its members in the order of their names, each in its own canonical form. The parts have it.
  const list = (field: string, parts: readonly { json: string }[]) => `"${field}":[${parts.map(({ json }) => json).join(',')}],`
  const filled = (field: string, parts: readonly { json: string }[]) => (parts.length === 0 ? '' : list(field, parts))
  const members = [
    `"environment":${text(environment)},`,
    filled('llms', llms),
    `"org":${text(org)},`,
    filled('projects', here),
    filled('proxyModels', proxyModels),
    list('servers', entries),
    `"v":1,"workspace":${text(workspace)}`,
  ]
  const bytes = new Uint8Array(Buffer.from(`{${members.join('')}}`))
  if (bytes.length > maxDocumentBytes) return tooLarge(bytes.length, { server: entries, project: here, llm: llms, proxymodel: proxyModels })
  return { hash: sha256Hex(bytes), bytes, entries, projects: here.map(({ name }) => name) }
}

function tooLarge(size: number, parts: Record<string, readonly ModelEntry[]>): string {
  const biggest = Object.entries(parts)
    .flatMap(([noun, all]) => all.map(({ name, json }) => ({ name: `${noun} ${name}`, bytes: Buffer.byteLength(json) })))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map(({ name, bytes }) => `${name} (${bytes} bytes)`)
  return `The config has ${size} bytes, at most ${maxDocumentBytes} are allowed. Its biggest parts: ${biggest.join(', ')}.`
}

/** An entry whose canonical JSON is known already. */
export function entryFrom({ uid, name }: { uid: string; name: string }, subHash: string, json: string): Entry {
  const { state, required } = JSON.parse(json) as ConfigServerInput
  return { uid, name, subHash, json, stopped: state === 'stopped', required: required !== false }
}

// A snapshot brings the same object for a server that has not changed.
const entries = new WeakMap<SnapshotServer, Entry>()

/** A server as canonical JSON without its defaults: a field that a later version adds changes no hash. */
export function entryOf(server: SnapshotServer): Entry {
  let entry = entries.get(server)
  if (!entry) entries.set(server, (entry = makeEntry(server)))
  return entry
}

function makeEntry({ uid, name, spec, restarts, upgrades, secrets }: SnapshotServer): Entry {
  const defaults = serverDefaults
  const { package: source, url } = spec
  const entry: ConfigServerInput = {
    name,
    ...(spec.command !== undefined && { command: argvOf(spec.command) }),
    ...(source && {
      package: {
        runtime: source.runtime,
        name: source.name,
        ...(source.version !== undefined && { version: source.version }),
        ...(source.args?.length && { args: source.args }),
        ...(source.allowScripts && { allowScripts: true }),
      },
    }),
    ...(url && {
      url: {
        url: url.url,
        ...(url.transport && url.transport !== 'auto' && { transport: url.transport }),
        ...(url.headers?.length && { headers: url.headers.map((header) => ({ name: header.name, ...valueOf(header, secrets) })) }),
      },
    }),
    ...(spec.env?.length && { env: Object.fromEntries(spec.env.map((variable) => [variable.name, variableOf(variable, secrets)])) }),
    ...(spec.inheritEnv?.length && { inheritEnv: spec.inheritEnv }),
    ...(spec.cwd !== undefined && { cwd: spec.cwd }),
    ...(spec.era && spec.era !== defaults.era && { era: spec.era }),
    ...(spec.sessions && spec.sessions !== defaults.sessions && { sessions: spec.sessions }),
    ...(spec.maxSessions !== undefined && spec.maxSessions !== defaults.maxSessions && { maxSessions: spec.maxSessions }),
    ...forwardOf(spec.forward),
    ...(spec.state && spec.state !== defaults.state && { state: spec.state }),
    ...(spec.required === false && { required: false }),
    ...(spec.auditLevel && spec.auditLevel !== defaults.auditLevel && { auditLevel: spec.auditLevel }),
    ...duration('startTimeoutMs', spec.startTimeout, defaults.startTimeout),
    ...duration('callTimeoutMs', spec.callTimeout, defaults.callTimeout),
    ...duration('stopGraceMs', spec.stopGrace, defaults.stopGrace),
    ...(restarts > 0 && { restarts }),
    ...(upgrades > 0 && { upgrades }),
  }
  const bytes = canonicalBytes(entry)
  return {
    uid,
    name,
    subHash: sha256Hex(bytes),
    json: Buffer.from(bytes).toString(),
    stopped: entry.state === 'stopped',
    required: entry.required !== false,
  }
}

type Valued = NonNullable<ServerSpec['env']>[number]

/** What stands in the document: the value itself, or which version of which secret it is. */
function valueOf(
  { value = '', valueFrom }: Valued,
  secrets: ReadonlyMap<string, number>,
): { value: string } | { secretRef: SecretReference } {
  if (!valueFrom) return { value }
  const { name, key } = valueFrom.secretRef
  return { secretRef: { name, key, version: secrets.get(`${name}/${key}`) ?? 0 } }
}

function variableOf(variable: Valued, secrets: ReadonlyMap<string, number>) {
  const found = valueOf(variable, secrets)
  return 'value' in found ? found.value : found
}

function duration<Field extends string>(field: Field, given: string | undefined, byDefault: string): { [Key in Field]?: number } {
  if (given === undefined || durationMs(given) === durationMs(byDefault)) return {}
  return { [field]: durationMs(given) } as { [Key in Field]?: number }
}

/** A set, so its order says nothing. */
function forwardOf(given: ServerSpec['forward']): Pick<ConfigServerInput, 'forward'> {
  const sorted = given?.toSorted()
  return sorted === undefined || sorted.join() === serverDefaults.forward.join() ? {} : { forward: sorted }
}

/** Order of names independent of any locale. */
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
