import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AssignmentRow, Db, ReportWrite } from './db.ts'
import { engines, testDatabase } from './testing.ts'

const gateway = (id: string) => ({
  id,
  org: 'o',
  workspace: 'w',
  environment: 'e',
  name: id,
  instanceUid: id,
  origin: 'enrolled',
  labels: '{}',
  spkiSha256: 'k',
  sealingPublicKey: new Uint8Array([0, 255]),
  credentialSequence: 1,
  enrollmentId: 'x',
  enrolledAt: 't',
  updatedAt: 't',
  connection: 'never_seen',
  connectionChangedAt: 't',
})
const assignment = (gatewayId: string, generation: number, configHash = `h${generation}`): AssignmentRow => ({
  gatewayId,
  generation,
  configHash,
  signedHeader: new Uint8Array([1, 0, 255]),
  signature: new Uint8Array([2]),
  signingKeyId: 'k',
  probationMs: 30_000,
  force: generation % 2 === 0,
  changeSeq: generation,
  createdAt: 't',
  state: 'waiting',
  reason: null,
  message: null,
  stateAt: null,
  cause: null,
})
const server = (gatewayId: string, name: string, status: string): ReportWrite => ({
  op: 'server',
  gatewayId,
  server: name,
  status,
  inventoryHash: null,
  updatedAt: 't',
})
const configs = (assignments: AssignmentRow[], prune: { gatewayId: string; generation: number }[] = [], keep = 50) => ({
  at: 't',
  lifted: [],
  replaced: [],
  documents: [...new Set(assignments.map(({ configHash }) => configHash))].map((hash) => ({ hash, bytes: new Uint8Array([0, 1, 254]) })),
  revisions: [{ serverUid: 'u', subHash: 's', entry: '{}' }],
  assignments,
  prune: { keep, gateways: prune },
})

describe.each(engines)('%s', (engine) => {
  let db: Db
  let close: () => Promise<void>
  beforeAll(async () => {
    ;({ db, close } = await testDatabase(engine))
    await db.write(async (tx) => {
      for (const id of ['a', 'b', 'pruned']) await tx.gateway.create({ data: gateway(id) })
    })
  })
  afterAll(() => close())
  const servers = (gatewayId: string) => db.read.gatewayServer.findMany({ where: { gatewayId }, orderBy: { server: 'asc' } })

  describe('db.writeReports', () => {
    it('leaves of several writes about one thing the last, whatever came between', async () => {
      await db.writeReports([
        server('a', 'one', 'first'),
        server('b', 'one', 'other'),
        server('a', 'one', 'second'),
        { op: 'serverGone', gatewayId: 'a', server: 'one' },
        server('a', 'one', 'third'),
        { op: 'proven', gatewayId: 'a', servers: [{ server: 'one', serverUid: 'u', subHash: 's' }], updatedAt: 't' },
        server('a', 'gone', 'first'),
        { op: 'serverGone', gatewayId: 'a', server: 'gone' },
      ])
      expect(await servers('a')).toMatchObject([{ server: 'one', status: 'third', serverUid: 'u', provenSubHash: 's' }])
      expect(await servers('b')).toMatchObject([{ status: 'other', provenSubHash: null }])
    })

    it('does nothing about a gateway that is gone', async () => {
      await db.writeReports([
        server('nobody', 'one', 'x'),
        { op: 'proven', gatewayId: 'nobody', servers: [{ server: 'one', serverUid: 'u', subHash: 's' }], updatedAt: 't' },
        { op: 'lastSeen', ids: ['nobody'], at: 't' },
      ])
      expect(await servers('nobody')).toEqual([])
    })

    it('writes a thousand rows at once, big numbers and what text of a server may hold', async () => {
      const values = {
        connection: 'online',
        connectionChangedAt: 't2',
        lastSeenAt: 't2',
        description: '{"tail":"ü\u{1F680}"}',
        descriptionHash: null,
        sessionEpoch: 2 ** 53 - 1,
        bootId: 'boot',
        appliedHash: null,
        lkgHash: null,
        highestGeneration: 7,
      }
      await db.writeReports([
        { op: 'gateway', id: 'a', values },
        ...Array.from({ length: 1_000 }, (_, index) => server('b', `many-${index}`, `line ${index}`)),
        server('b', 'nul', 'a\0b'),
      ])
      const row = await db.read.gateway.findUnique({ where: { id: 'a' } })
      expect(row).toMatchObject({ ...values, sessionEpoch: BigInt(2 ** 53 - 1) })
      expect(await db.read.gatewayServer.count({ where: { gatewayId: 'b', server: { startsWith: 'many-' } } })).toBe(1_000)
      expect((await servers('b')).find((one) => one.server === 'nul')?.status).toMatch(/^a.b$/s)
    })
  })

  describe('db.recordConfigs', () => {
    it('keeps bytes and flags as they are, and documents and revisions once', async () => {
      await db.recordConfigs(configs([assignment('a', 1), assignment('a', 2), assignment('b', 1)]))
      await db.recordConfigs(configs([assignment('b', 2)]))
      const rows = await db.read.assignment.findMany({ where: { gatewayId: 'a' }, orderBy: { generation: 'asc' } })
      expect(rows.map(({ force, signedHeader }) => [force, [...signedHeader]])).toEqual([
        [false, [1, 0, 255]],
        [true, [1, 0, 255]],
      ])
      expect((await db.read.config.findMany({ orderBy: { hash: 'asc' } })).map(({ hash, bytes }) => [hash, ...bytes])).toEqual([
        ['h1', 0, 1, 254],
        ['h2', 0, 1, 254],
      ])
      expect(await db.read.serverRevision.count()).toBe(1)
    })

    it('forgets old generations but never what the gateway runs or may fall back to', async () => {
      await db.write((tx) => tx.gateway.update({ where: { id: 'pruned' }, data: { appliedHash: 'h3', lkgHash: 'h2' } }))
      const all = Array.from({ length: 6 }, (_, index) => assignment('pruned', index + 1))
      await db.recordConfigs(configs(all, [{ gatewayId: 'pruned', generation: 6 }], 1))
      const kept = await db.read.assignment.findMany({ where: { gatewayId: 'pruned' }, orderBy: { generation: 'asc' } })
      expect(kept.map(({ generation }) => generation)).toEqual([2, 3, 6])
      expect((await db.read.config.findMany({ orderBy: { hash: 'asc' } })).map(({ hash }) => hash)).toEqual(['h1', 'h2', 'h3', 'h6'])
    })

    it('replaces a generation and lifts holds in the same transaction', async () => {
      const hold = { gatewayId: 'a', serverUid: 'u', subHash: 's', server: 'one', reason: 'r', message: 'm', since: 't', evidence: '{}' }
      await db.insertHolds([hold, { ...hold, subHash: 'other' }])
      await db.insertHolds([{ ...hold, message: 'what is held already stays' }])
      expect((await db.read.serverHold.findMany()).map(({ message }) => message)).toEqual(['m', 'm'])
      const batch = configs([assignment('a', 3)])
      await db.recordConfigs({
        ...batch,
        lifted: [{ gatewayId: 'a', serverUid: 'u' }],
        replaced: [{ gatewayId: 'a', generation: 2 }],
      })
      expect(await db.read.serverHold.count()).toBe(0)
      expect((await db.read.assignment.findMany({ where: { gatewayId: 'a' } })).map(({ generation }) => generation).sort()).toEqual([1, 3])
    })

    it('writes nothing of a batch of which one row cannot be written', async () => {
      await expect(db.recordConfigs(configs([assignment('b', 9), assignment('b', 1)]))).rejects.toThrow(/unique/i)
      expect(await db.read.assignment.count({ where: { gatewayId: 'b', generation: 9 } })).toBe(0)
    })
  })
})
