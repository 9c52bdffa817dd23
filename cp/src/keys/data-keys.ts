import { createHmac, hkdfSync, randomBytes, randomUUID } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Db } from '../db/db.ts'
import { seal, unseal } from './sealed.ts'

/** A value as it lies in a table, and the data key that opens it. */
export type SealedValue = { dataKeyId: string; sealed: Uint8Array<ArrayBuffer> }

export type DataKeys = {
  /** AES-256-GCM under the newest data key, bound to `context`: moved to another row it does not open. */
  sealValue(context: string, plain: Uint8Array): SealedValue
  /** Throws failed_precondition `master_key_wrong` when key, row or place is not the one it was sealed with. */
  openValue(context: string, value: { dataKeyId: string; sealed: Uint8Array }): Buffer
  /** Tells whether two texts are equal without giving the text away: HMAC-SHA-256 in hex, under a key that never leaves. */
  fingerprint(text: string): string
}

const purpose = 'data'

/**
 * The keys under which values lie in the tables; they lie sealed under the master key themselves, so a new master key need not touch a
 * value. Every value names its data key: a newer one takes over what is written from then on, and the older ones go on opening.
 */
export async function loadDataKeys({
  db,
  masterKey,
  clock,
}: {
  db: Pick<Db, 'read' | 'write'>
  masterKey: Buffer
  clock: Clock
}): Promise<DataKeys> {
  const stored = await db.read.sealedKey.findMany({ where: { purpose }, orderBy: { createdAt: 'desc' } })
  const newest = stored.find(({ active }) => active) ?? (await createDataKey(db, masterKey, clock))
  const keys = new Map([newest, ...stored].map(({ id, sealed }) => [id, unseal(masterKey, { id, purpose }, sealed)]))
  const fingerprintKey = Buffer.from(hkdfSync('sha256', masterKey, '', 'mcpg-fingerprint-v1', 32))
  return {
    sealValue: (context, plain) => ({ dataKeyId: newest.id, sealed: seal(keyOf(newest.id), { id: context, purpose: 'value' }, plain) }),
    openValue: (context, { dataKeyId, sealed }) => unseal(keyOf(dataKeyId), { id: context, purpose: 'value' }, sealed),
    fingerprint: (text) => createHmac('sha256', fingerprintKey).update(text).digest('hex'),
  }

  function keyOf(id: string): Buffer {
    const key = keys.get(id)
    if (!key) throw new Error(`a value is sealed under the data key ${id}, which is not in the database`)
    return key
  }
}

async function createDataKey(db: Pick<Db, 'write'>, masterKey: Buffer, clock: Clock) {
  const id = `key_${randomUUID()}`
  const row = {
    id,
    purpose,
    publicKey: new Uint8Array(),
    sealed: seal(masterKey, { id, purpose }, randomBytes(32)),
    active: true,
    createdAt: new Date(clock.now()).toISOString(),
  }
  await db.write((tx) => tx.sealedKey.create({ data: row }))
  return row
}
