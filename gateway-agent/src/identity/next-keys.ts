import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { loadRecord, saveRecord, type Identity } from './identity-file.ts'
import { newCertificateKey } from './keys.ts'

/**
 * Keys that a certificate was asked for and is not here yet: `next.json`, on disk before the request is sent, so that after a lost answer or a
 * crash the same request is made again and gets the same certificate.
 */
export const NextKeys = z.strictObject({
  /** Number of the credential that they replace; another one means that they have served. */
  replaces: z.number().int().nonnegative(),
  /** 16 bytes, base64. */
  idempotencyKey: z.base64(),
  identityKey: z.string(),
})
export type NextKeys = z.infer<typeof NextKeys>

const nextFile = (folder: string) => join(folder, 'next.json')

/** Those of an interrupted request, else new ones, on disk. */
export async function nextKeys(folder: string, { credential }: Identity): Promise<NextKeys> {
  const interrupted = await loadRecord(nextFile(folder), NextKeys, true).catch(() => null)
  if (interrupted?.replaces === credential.sequence) return interrupted
  const keys = {
    replaces: credential.sequence,
    idempotencyKey: randomBytes(16).toString('base64'),
    identityKey: newCertificateKey(),
  }
  await saveRecord(nextFile(folder), keys)
  return keys
}

export const forgetNextKeys = (folder: string): Promise<void> => rm(nextFile(folder), { force: true })
