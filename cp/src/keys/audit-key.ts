import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign, verify, type KeyObject } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Db } from '../db/db.ts'
import { seal, unseal } from './sealed.ts'

const purpose = 'audit-signing'
const prefix = Buffer.from('mcpg-audit-v1\0')

/** Ed25519 over a text of the audit trail; `keyId` is lower-case hex of SHA-256 over the public key. */
export type AuditKey = {
  sign(text: string): { signature: Uint8Array<ArrayBuffer>; keyId: string }
  /** False for a key that is not of this database, too. */
  verify(text: string, seal: { signature: Uint8Array; keyId: string }): boolean
}

/** A key of its own: whoever could sign configuration with it could not be told from us. Made on the first start that has the trail. */
export async function loadAuditKey({ db, masterKey, clock }: { db: Db; masterKey: Buffer; clock: Clock }): Promise<AuditKey> {
  const stored = await db.read.sealedKey.findMany({ where: { purpose }, orderBy: { createdAt: 'desc' } })
  const rows = stored.length > 0 ? stored : [await create(db, masterKey, clock)]
  const keys = rows.map(({ id, sealed }) =>
    createPrivateKey({ key: unseal(masterKey, { id, purpose }, sealed), format: 'der', type: 'pkcs8' }),
  )
  const publicKeys = new Map(keys.map((key) => [keyIdOf(key), createPublicKey(key)]))
  const newest = keys[0]!
  const keyId = keyIdOf(newest)
  return {
    sign: (text) => ({ signature: new Uint8Array(sign(null, framed(text), newest)), keyId }),
    verify: (text, one) => {
      const key = publicKeys.get(one.keyId)
      return key !== undefined && verify(null, framed(text), key, one.signature)
    },
  }
}

const framed = (text: string) => Buffer.concat([prefix, Buffer.from(text)])
const publicBytes = (key: KeyObject) => Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x!, 'base64url')
const keyIdOf = (key: KeyObject) => createHash('sha256').update(publicBytes(key)).digest('hex')

async function create(db: Pick<Db, 'write'>, masterKey: Buffer, clock: Clock) {
  const { privateKey } = generateKeyPairSync('ed25519')
  const id = `key_${randomUUID()}`
  const row = {
    id,
    purpose,
    publicKey: new Uint8Array(publicBytes(privateKey)),
    sealed: seal(masterKey, { id, purpose }, privateKey.export({ format: 'der', type: 'pkcs8' })),
    active: true,
    createdAt: new Date(clock.now()).toISOString(),
  }
  await db.write((tx) => tx.sealedKey.create({ data: row }))
  return row
}
