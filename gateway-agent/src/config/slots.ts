/*
 * Configs on disk, in `<gateway>/config/`:
 *
 *   <hash>.json                     the exact bytes of a document, named by their SHA-256
 *   <hash>.secrets                  the secrets that it names, sealed as they were delivered
 *   current.a, current.b            what is routed
 *   lkg.a, lkg.b                    the newest config that passed its probation
 *   candidate.a, candidate.b        the newest config that was staged
 *   state.json                      highest generation, candidate, boot attempts, quarantine, last verdict
 *
 * A pointer file is one line: CRC-32 in hex, a blank, JSON with a serial number and the signed header; a file of secrets is alike. Writing a pointer takes the slot
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
import type { SealedSecret } from '../secrets/sealed.ts'
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

const SecretsBody = z.object({
  v: z.literal(1),
  values: z.array(
    z.object({ name: z.string(), key: z.string(), version: z.number().int(), encapsulatedKey: z.base64(), ciphertext: z.base64() }),
  ),
})

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
    writeSecrets,
    readSecrets,
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

  async function writeSecrets(hash: string, secrets: SealedSecret[]): Promise<void> {
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
    const values = secrets.map(({ encapsulatedKey, ciphertext, ...reference }) => ({
      ...reference,
      encapsulatedKey: base64(encapsulatedKey),
      ciphertext: base64(ciphertext),
    }))
    await writeFileAtomic(join(folder, `${hash}.secrets`), withChecksum(JSON.stringify({ v: 1, values })), 0o600, onSync)
  }

  /** None where the file is not there or damaged: what is missing is fetched again. */
  async function readSecrets(hash: string): Promise<SealedSecret[]> {
    const text = await readText(join(folder, `${hash}.secrets`))
    const body = text === null ? null : checkedJson(text, SecretsBody)
    const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
    return (body?.values ?? []).map(({ encapsulatedKey, ciphertext, ...reference }) => ({
      ...reference,
      encapsulatedKey: bytes(encapsulatedKey),
      ciphertext: bytes(ciphertext),
    }))
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
    const slot = join(folder, `${pointer}.${newest?.slot === 'a' ? 'b' : 'a'}`)
    await writeFileAtomic(slot, withChecksum(JSON.stringify(body)), 0o600, onSync)
  }

  async function writeRecord(record: StateRecord): Promise<void> {
    await writeFileAtomic(join(folder, 'state.json'), `${JSON.stringify(record)}\n`, 0o600, onSync)
  }

  /** Deletes documents that no pointer slot names, and their secrets. */
  async function collect(): Promise<void> {
    const named = new Set<string>()
    for (const pointer of pointers) for (const { body } of await readSlots(folder, pointer)) named.add(body.hash)
    for (const name of await readdir(folder))
      if (/^[0-9a-f]{64}\.(json|secrets)$/.test(name) && !named.has(name.slice(0, 64))) await rm(join(folder, name), { force: true })
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
    const body = checkedJson(text, PointerBody)
    if (body) found.push({ slot, body })
    else damaged.push(`${pointer}.${slot}`)
  }
  return found.sort((one, other) => other.body.n - one.body.n)
}

function checkedJson<Body>(text: string, schema: z.ZodType<Body>): Body | null {
  const [crc, json] = [text.slice(0, 8), text.slice(9).trimEnd()]
  if (crc !== checksum(json)) return null
  try {
    return schema.parse(JSON.parse(json))
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

const withChecksum = (json: string) => `${checksum(json)} ${json}\n`
const checksum = (text: string) => crc32(text).toString(16).padStart(8, '0')
