import { createPublicKey, verify } from 'node:crypto'
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '@mcpg/core/clock'
import { signaturePrefix } from '@mcpg/proto/gateway-config'
import type { Db } from '../db/db.ts'
import { temporaryFolder, testDatabase } from '../db/testing.ts'
import { loadKeys, loadMasterKey } from './keys.ts'

let database: { db: Db; close(): Promise<void> }
let folder: { path: string; remove(): void }
let masterKeyPath: string

beforeEach(async () => {
  database = await testDatabase()
  folder = temporaryFolder()
  masterKeyPath = join(folder.path, 'master.key')
})
afterEach(async () => {
  await database.close()
  folder.remove()
})

const load = async () => loadKeys({ db: database.db, masterKey: await loadMasterKey(database.db, masterKeyPath), clock: systemClock })
const header = {
  v: 1,
  gatewayId: 'gw_1',
  generation: 1,
  configHash: 'ab'.repeat(32),
  contentType: 't',
  probationMs: 0,
  force: false,
} as const

describe('keys', () => {
  it('makes a master key of 32 bytes with mode 0600 on the first start', async () => {
    await load()
    const facts = await stat(masterKeyPath)
    expect(facts.size).toBe(32)
    expect(facts.mode & 0o777).toBe(0o600)
  })

  it('signs with the same key after a restart, in a way that the published key verifies', async () => {
    const first = await load()
    const second = await load()
    expect(second.signingKeys()).toEqual(first.signingKeys())
    const { signedHeader, signature } = second.sign(header)
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(first.signingKeys()[0]!).toString('base64url') },
      format: 'jwk',
    })
    expect(verify(null, Buffer.concat([Buffer.from(signaturePrefix), signedHeader]), key, signature)).toBe(true)
    expect(JSON.parse(Buffer.from(signedHeader).toString())).toEqual(header)
  })

  it('never makes a new master key beside data', async () => {
    await load()
    await rm(masterKeyPath)
    await expect(load()).rejects.toMatchObject({ code: 'failed_precondition', reason: 'master_key_missing' })
    await expect(stat(masterKeyPath)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('says so when the master key is of another installation', async () => {
    await load()
    await writeFile(masterKeyPath, Buffer.alloc(32, 7))
    await expect(load()).rejects.toMatchObject({ code: 'failed_precondition', reason: 'master_key_wrong' })
  })

  it('refuses a truncated master key and one that others can read', async () => {
    await load()
    const whole = await readFile(masterKeyPath)
    await chmod(masterKeyPath, 0o644)
    await expect(load()).rejects.toMatchObject({ reason: 'master_key_wide_mode', hint: `chmod 600 ${masterKeyPath}` })
    await chmod(masterKeyPath, 0o600)
    await writeFile(masterKeyPath, whole.subarray(0, 31))
    await expect(load()).rejects.toMatchObject({ reason: 'master_key_damaged' })
  })

  it('does not open a sealed key that was moved to another row', async () => {
    await load()
    await database.db.write((tx) => tx.sealedKey.updateMany({ where: { purpose: 'config-signing' }, data: { id: 'key_other' } }))
    await expect(load()).rejects.toMatchObject({ reason: 'master_key_wrong' })
  })
})
