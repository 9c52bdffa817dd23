import canonicalize from 'canonicalize'
import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import { accessSignaturePrefix } from '@mcpg/proto/access-document'
import { signaturePrefix, type SignedHeader } from '@mcpg/proto/gateway-config'
import type { Db } from '../db/db.ts'
import { loadDataKeys, type DataKeys } from './data-keys.ts'
import { openMasterKey } from './master-key.ts'
import { seal, unseal } from './sealed.ts'

export type Signature = { signedHeader: Uint8Array<ArrayBuffer>; signature: Uint8Array<ArrayBuffer>; keyId: string }

export type Keys = {
  /** Signs what a gateway acts on; about 50 µs. `keyId` is lower-case hex of SHA-256 over the public key. */
  sign(header: SignedHeader): Signature
  /** Signs an access document for one gateway; `part` is what `accessSignedPart` made. */
  signAccess(part: Uint8Array): Pick<Signature, 'signature' | 'keyId'>
  /** Ed25519 public keys (32 bytes each) that may sign configuration. */
  signingKeys(): Uint8Array<ArrayBuffer>[]
} & DataKeys

const purpose = 'config-signing'

/**
 * The key under which all others of this database lie; made on the very first start. Throws failed_precondition when it is missing
 * beside data, damaged, or readable by others.
 */
export async function loadMasterKey(db: Pick<Db, 'read'>, path: string): Promise<Buffer> {
  return await openMasterKey(path, async () => (await db.read.sealedKey.count()) > 0)
}

/** Opens the keys that sign configuration, and makes one on the very first start. Throws failed_precondition under another master key. */
export async function loadKeys({ db, masterKey, clock }: { db: Db; masterKey: Buffer; clock: Clock }): Promise<Keys> {
  const stored = await db.read.sealedKey.findMany({ where: { purpose, active: true }, orderBy: { createdAt: 'desc' } })
  const row = stored[0] ?? (await createSigningKey(db, masterKey, clock))
  const privateKey = createPrivateKey({ key: unseal(masterKey, { id: row.id, purpose }, row.sealed), format: 'der', type: 'pkcs8' })
  const publicKeys = [row, ...stored.slice(1)].map((one) => new Uint8Array(one.publicKey))
  return { ...signer(privateKey, publicKeys), ...(await loadDataKeys({ db, masterKey, clock })) }
}

function signer(privateKey: KeyObject, publicKeys: Uint8Array<ArrayBuffer>[]): Omit<Keys, keyof DataKeys> {
  const keyId = createHash('sha256').update(publicKeys[0]!).digest('hex')
  return {
    sign(header) {
      const signedHeader = new Uint8Array(Buffer.from(canonicalize(header)!))
      const signature = sign(null, Buffer.concat([Buffer.from(signaturePrefix), signedHeader]), privateKey)
      return { signedHeader, signature: new Uint8Array(signature), keyId }
    },
    signAccess: (part) => ({
      signature: new Uint8Array(sign(null, Buffer.concat([Buffer.from(accessSignaturePrefix), part]), privateKey)),
      keyId,
    }),
    signingKeys: () => publicKeys,
  }
}

async function createSigningKey(db: Db, masterKey: Buffer, clock: Clock) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const id = `key_${randomUUID()}`
  const row = {
    id,
    purpose,
    publicKey: new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')),
    sealed: seal(masterKey, { id, purpose }, privateKey.export({ format: 'der', type: 'pkcs8' })),
    active: true,
    createdAt: new Date(clock.now()).toISOString(),
  }
  await db.write(async (tx) => {
    await tx.sealedKey.create({ data: row })
  })
  return row
}
