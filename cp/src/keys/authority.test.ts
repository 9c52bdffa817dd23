import { randomBytes, X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { defaultTimers } from '@mcpg/core/timers'
import type { Db } from '../db/db.ts'
import { testDatabase } from '../db/testing.ts'
import { loadAuthority } from './authority.ts'
import { newKey } from './certificates.ts'

const day = 86_400_000
const log = createLog({ level: 'silent', json: true })
let database: { db: Db; close(): Promise<void> }
let clock: ReturnType<typeof fakeClock>
const masterKey = randomBytes(32)

beforeEach(async () => {
  database = await testDatabase()
  clock = fakeClock()
})
afterEach(() => database.close())

const load = (key = masterKey) => loadAuthority({ db: database.db, masterKey: key, clock, timers: defaultTimers, log })
const leaf = async (lifeMs = day) => ({ subject: 'CN=a', publicKey: (await newKey()).publicKey, names: [], use: 'client' as const, lifeMs })
const parse = (der: Uint8Array) => new X509Certificate(der)

describe('the authority', () => {
  it('is a root of ten years that signs only what signs leaves', async () => {
    const authority = await load()
    expect(authority.trustDomain).toMatch(/^mcpg-[0-9a-f]{8}$/)
    const root = parse(authority.roots()[0]!)
    const { chain } = await authority.issue(await leaf())
    const [issued, issuing] = chain.map(parse)
    expect([root.ca, issuing!.ca, issued!.ca]).toEqual([true, true, false])
    expect(Math.round((root.validToDate.getTime() - clock.now()) / day)).toBe(3_650)
    expect(Math.round((issuing!.validToDate.getTime() - clock.now()) / day)).toBe(90)
    expect([issuing!.checkIssued(root), issued!.checkIssued(issuing!), issued!.verify(issuing!.publicKey)]).toEqual([true, true, true])
    expect(issued!.validFromDate.getTime()).toBe(clock.now() - 300_000)
  })

  it('is the same after a restart, and nobody opens it with another master key', async () => {
    const first = await load()
    const again = await load()
    expect([again.trustDomain, again.pins(), again.rootsPem()]).toEqual([first.trustDomain, first.pins(), first.rootsPem()])
    const [issued, issuing] = (await again.issue(await leaf())).chain.map(parse)
    expect(issued!.checkIssued(issuing!)).toBe(true)
    await expect(load(randomBytes(32))).rejects.toMatchObject({ reason: 'master_key_wrong' })
  })

  it('replaces its issuing certificate in the last third of its life, once for all who ask at the same time', async () => {
    const authority = await load()
    const issuerOf = async () => parse((await authority.issue(await leaf())).chain[1]!).serialNumber
    const first = await issuerOf()
    await clock.advance(59 * day)
    expect(await issuerOf()).toBe(first)
    await clock.advance(2 * day)
    const [one, two] = await Promise.all([issuerOf(), issuerOf()])
    expect(one).not.toBe(first)
    expect(two).toBe(one)
    expect(await database.db.read.sealedKey.count({ where: { purpose: 'ca-issuing', active: true } })).toBe(1)
    expect(parse((await (await load()).issue(await leaf())).chain[1]!).serialNumber).toBe(one)
  })

  it('signs no leaf that outlives what signed it', async () => {
    const authority = await load()
    const { chain, notAfter } = await authority.issue(await leaf(365 * day))
    expect(parse(chain[0]!).validToDate).toEqual(parse(chain[1]!).validToDate)
    expect(notAfter).toBe(parse(chain[0]!).validToDate.getTime())
  })
})
