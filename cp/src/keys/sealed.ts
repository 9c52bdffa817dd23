import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { McpgError } from '@mcpg/proto/errors'

const nonceBytes = 12
const tagBytes = 16

/** What a sealed value is for; part of what is authenticated, so that a row cannot be swapped for another. */
export type SealedFor = { id: string; purpose: string }

const associated = ({ id, purpose }: SealedFor) => Buffer.from(`mcpg-sealed-v1\0${purpose}\0${id}`)

/** AES-256-GCM: nonce, ciphertext, tag. */
export function seal(masterKey: Buffer, target: SealedFor, plain: Uint8Array): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', masterKey, nonce).setAAD(associated(target))
  return new Uint8Array(Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]))
}

/** Throws failed_precondition `master_key_wrong` when the key, the row or its place is not the one it was sealed with. */
export function unseal(masterKey: Buffer, target: SealedFor, sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed)
  const decipher = createDecipheriv('aes-256-gcm', masterKey, bytes.subarray(0, nonceBytes)).setAAD(associated(target))
  try {
    decipher.setAuthTag(bytes.subarray(-tagBytes))
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
  } catch (error) {
    throw new McpgError(
      'failed_precondition',
      'master_key_wrong',
      `The key ${target.id} (${target.purpose}) does not open under this master key.`,
      {
        cause: error,
        hint: 'use the master.key that belongs to this database, or restore both from the same backup',
      },
    )
  }
}
