/*
 * Configs on disk, in `<gateway>/config/`:
 *
 *   <hash>.json                     the exact bytes of a document, named by their SHA-256
 *   current.a, current.b            what is routed
 *   lkg.a, lkg.b                    the newest config that passed its probation
 *   candidate.a, candidate.b        the newest config that was staged
 *   state.json                      highest generation, candidate, boot attempts, quarantine, last verdict
 *
 * A pointer file is one line: CRC-32 in hex, a blank, JSON with a serial number and the signed header. Writing a pointer takes the slot
 * that is not the newest readable one, so a torn or rotten file leaves the config before it. Every file is written by temporary file,
 * fsync, rename, fsync of the folder. Order matters: bytes, then pointer, then `state.json`; what `state.json` does not name yet has
 * not happened.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import { configFailures, configStates } from '@mcpg/proto/status'
import type { ServerReport } from '../servers/supervision.ts'
import type { SignedConfig } from './verify.ts'

export const pointers = ['current', 'lkg', 'candidate'] as const
export type Pointer = (typeof pointers)[number]

const hex = z.string().regex(/^[0-9a-f]{64}$/)
const point = { generation: z.number().int(), hash: hex }

/** The last thing said about a config; survives a restart so that a control plane that was away hears it. */
const Verdict = z.object({
  ...point,
  state: z.enum(configStates),
  reason: z.enum(configFailures).optional(),
  message: z.string(),
  elapsedMs: z.number(),
  servers: z.array(z.custom<ServerReport>((value) => typeof value === 'object' && value !== null)),
})
export type Verdict = z.infer<typeof Verdict>

export const StateRecord = z.object({
  v: z.literal(1),
  /** The identity the folder belongs to; another one finds it empty. */
  gatewayId: z.string(),
  /** Highest generation ever staged, and its hash. */
  highest: z.object(point).nullable(),
  /** Staged and not decided yet; `attempts` counts boots that took it up. */
  candidate: z.object({ ...point, attempts: z.number().int() }).nullable(),
  /** Hashes that failed here, the newest last. */
  quarantine: z.array(hex),
  verdict: Verdict.nullable(),
})
export type StateRecord = z.infer<typeof StateRecord>

const PointerBody = z.object({ n: z.number().int(), ...point, signedHeader: z.base64(), signature: z.base64(), signingKeyId: z.base64() })
type PointerBody = z.infer<typeof PointerBody>

/** A readable pointer; its bytes are not looked at yet. */
export type Stored = { generation: number; hash: string } & Omit<SignedConfig, 'bytes'>

export const configFolder = (gatewayFolder: string): string => join(gatewayFolder, 'config')

export type Slots = ReturnType<typeof openSlots>

export function openSlots(folder: string, onSync: () => void = () => {}) {
  // A pointer is read, then written to its other slot: two writers at once would take the same one.
  let writing: Promise<unknown> = Promise.resolve()
  return {
    prepare,
    writeBytes,
    readBytes,
    point: (pointer: Pointer, config: Stored) => inTurn(() => setPoint(pointer, config)),
    read: (pointer: Pointer) => readPointer(folder, pointer),
    readRecord: () => readRecord(folder),
    writeRecord: (record: StateRecord) => inTurn(() => writeRecord(record)),
    collect: () => inTurn(collect),
    erase,
    /** Resolves when nothing is being written. */
    idle: () => inTurn(async () => {}),
  }

  function inTurn(write: () => Promise<void>): Promise<void> {
    const turn = writing.then(write)
    writing = turn.catch(() => {})
    return turn
  }

  async function prepare(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // What a kill in the middle of a write left behind.
    for (const name of await readdir(folder)) if (name.endsWith('.tmp')) await rm(join(folder, name), { force: true })
  }

  /** A file of that name that is there already was complete when it was renamed; if it rots, the hash tells. */
  async function writeBytes(hash: string, bytes: Uint8Array): Promise<void> {
    await writeFileAtomic(join(folder, `${hash}.json`), bytes, 0o600, onSync)
  }

  async function readBytes(hash: string): Promise<Uint8Array | null> {
    return readFile(join(folder, `${hash}.json`)).catch(() => null)
  }

  async function setPoint(pointer: Pointer, config: Stored): Promise<void> {
    const slots = await readSlots(folder, pointer)
    const newest = slots[0]
    if (newest?.body.generation === config.generation && newest.body.hash === config.hash) return
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
    const body: PointerBody = {
      n: (newest?.body.n ?? 0) + 1,
      generation: config.generation,
      hash: config.hash,
      signedHeader: base64(config.signedHeader),
      signature: base64(config.signature),
      signingKeyId: base64(config.signingKeyId),
    }
    const json = JSON.stringify(body)
    await writeFileAtomic(join(folder, `${pointer}.${newest?.slot === 'a' ? 'b' : 'a'}`), `${checksum(json)} ${json}\n`, 0o600, onSync)
  }

  async function writeRecord(record: StateRecord): Promise<void> {
    await writeFileAtomic(join(folder, 'state.json'), `${JSON.stringify(record)}\n`, 0o600, onSync)
  }

  /** Deletes documents that no pointer slot names. */
  async function collect(): Promise<void> {
    const named = new Set<string>()
    for (const pointer of pointers) for (const { body } of await readSlots(folder, pointer)) named.add(`${body.hash}.json`)
    for (const name of await readdir(folder))
      if (/^[0-9a-f]{64}\.json$/.test(name) && !named.has(name)) await rm(join(folder, name), { force: true })
  }

  async function erase(): Promise<void> {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Readable slots, the newest first, and the names of those that are there and cannot be read. */
export async function readPointer(folder: string, pointer: Pointer): Promise<{ stored: Stored[]; damaged: string[] }> {
  const damaged: string[] = []
  const slots = await readSlots(folder, pointer, damaged)
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
  const stored = slots.map(({ body }) => ({
    generation: body.generation,
    hash: body.hash,
    signedHeader: bytes(body.signedHeader),
    signature: bytes(body.signature),
    signingKeyId: bytes(body.signingKeyId),
  }))
  return { stored, damaged }
}

/** `damaged` when it is there and cannot be read, null when it is not there. */
export async function readRecord(folder: string): Promise<StateRecord | 'damaged' | null> {
  const text = await readText(join(folder, 'state.json'))
  if (text === null) return null
  try {
    return StateRecord.parse(JSON.parse(text))
  } catch {
    return 'damaged'
  }
}

async function readSlots(folder: string, pointer: Pointer, damaged: string[] = []) {
  const found: { slot: 'a' | 'b'; body: PointerBody }[] = []
  for (const slot of ['a', 'b'] as const) {
    const text = await readText(join(folder, `${pointer}.${slot}`))
    if (text === null) continue
    const body = parsePointer(text)
    if (body) found.push({ slot, body })
    else damaged.push(`${pointer}.${slot}`)
  }
  return found.sort((one, other) => other.body.n - one.body.n)
}

function parsePointer(text: string): PointerBody | null {
  const [crc, json] = [text.slice(0, 8), text.slice(9).trimEnd()]
  if (crc !== checksum(json)) return null
  try {
    return PointerBody.parse(JSON.parse(json))
  } catch {
    return null
  }
}

/** '' for a file that is there and cannot be read. */
async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : ''
  }
}

const checksum = (text: string) => crc32(text).toString(16).padStart(8, '0')
