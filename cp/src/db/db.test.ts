import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditRow, Db, ResourceChange, Tx } from './db.ts'
import { measureStalls } from './event-loop.ts'
import { engines, testDatabase } from './testing.ts'

const org = (name: string) => ({ name, createdAt: '2026-01-01T00:00:00.000Z' })
const audit = (action: string): AuditRow => ({
  id: randomUUID(),
  at: '2026-01-01T00:00:00.000Z',
  org: 'default',
  workspace: null,
  actor: 'local',
  actorKind: 'local',
  action,
  kind: null,
  name: null,
  uid: null,
  source: null,
  requestId: null,
  detail: null,
  impersonator: null,
  beforeDigest: null,
  afterDigest: null,
})
const added = (name: string, refs: ResourceChange['refs'] = []): ResourceChange => ({
  type: 'ADDED',
  feed: '',
  was: null,
  row: {
    uid: `uid-${name}`,
    scope: '',
    kind: 'Server',
    name,
    spec: '{}',
    specVersion: 1,
    labels: '{}',
    annotations: '{}',
    digest: 'd',
    generation: 1,
    createdAt: 't',
    updatedAt: 't',
  },
  labels: [['team', 'web']],
  refs,
  parts: [],
  values: [],
  object: '{}',
  audit: audit('server.create'),
})
/** The changes as those of one scope, in a feed of its own unless another is named. */
const within = (scope: string, changes: ResourceChange[], feed = scope): ResourceChange[] =>
  changes.map((change) => ({
    ...change,
    feed,
    row: { ...change.row, scope },
    refs: change.refs.map((ref) => ({ ...ref, scope: ref.scope || scope })),
  }))
const batch = (scope: string, changes: ResourceChange[]) => ({ at: 't', changes: within(scope, changes) })

describe.each(engines)('%s', (engine) => {
  let db: Db
  let close: () => Promise<void>
  beforeAll(async () => {
    const database = await testDatabase(engine)
    db = database.db
    close = database.close
  })
  afterAll(() => close())

  describe('db.write', () => {
    it('loses none of 1,000 writes asked for beside a transaction that takes 2 s and rolls back, and no read sees its rows', async () => {
      const names = Array.from({ length: 1000 }, (_, index) => `w-${index}`)
      let inside: (() => void) | undefined
      const begun = new Promise<void>((resolve) => (inside = resolve))
      const rolledBack = db.write(async (tx) => {
        await tx.org.create({ data: org('rolled-back') })
        inside?.()
        await new Promise((resolve) => setTimeout(resolve, 2000))
        throw new Error('roll back')
      })
      rolledBack.catch(() => {})
      await begun
      const writes = Promise.all(names.map((name) => db.write((tx) => tx.org.create({ data: org(name) }))))
      expect(await db.read.org.findUnique({ where: { name: 'rolled-back' } })).toBeNull()
      await expect(rolledBack).rejects.toThrow('roll back')
      await writes
      expect(await db.read.org.count({ where: { name: { startsWith: 'w-' } } })).toBe(1000)
      expect(await db.read.org.findUnique({ where: { name: 'rolled-back' } })).toBeNull()
    }, 60_000)

    it('refuses the write after 1,000 waiting ones with Retry-After, and goes on afterwards', async () => {
      const begun = Promise.withResolvers<void>()
      const held = Promise.withResolvers<void>()
      const blocker = db.write(async () => {
        begun.resolve()
        await held.promise
      })
      await begun.promise
      const waiting = Array.from({ length: 1000 }, () => db.write(async () => 'done'))
      await expect(db.write(async () => 'one too many')).rejects.toMatchObject({
        code: 'unavailable',
        reason: 'database_busy',
        retryAfterSeconds: 1,
      })
      held.resolve()
      await blocker
      expect(new Set(await Promise.all(waiting))).toEqual(new Set(['done']))
    }, 60_000)

    it('says so when it is called inside itself, instead of waiting for ever', async () => {
      await expect(db.write(async () => db.write(async () => 1))).rejects.toThrow('inside db.write')
      expect(await db.write(async () => 2)).toBe(2)
    })

    it('lets a write be started from a callback that outlives its transaction', async () => {
      let later: Promise<number> | undefined
      await db.write(async () => {
        later = new Promise((resolve, reject) => setImmediate(() => void db.write(async () => 3).then(resolve, reject)))
      })
      expect(await later).toBe(3)
    })

    it('keeps the event loop free while hundreds of small writes run', async () => {
      const stalls = measureStalls()
      await Promise.all(Array.from({ length: 500 }, (_, index) => db.write((tx) => tx.org.create({ data: org(`free-${index}`) }))))
      // Without turns the whole run is one stall of several hundred milliseconds.
      expect(stalls.stop().maxHeldMs).toBeLessThan(50)
    })
  })

  describe('db.read', () => {
    it('cannot write, even by raw SQL', async () => {
      await expect((db.read as unknown as Tx).org.create({ data: org('through-the-wrong-door') })).rejects.toThrow(/read-?only|only reads/i)
    })

    it('sees a write as soon as it is acknowledged', async () => {
      await db.write((tx) => tx.org.create({ data: org('visible') }))
      expect(await db.read.org.findUnique({ where: { name: 'visible' } })).not.toBeNull()
    })
  })

  describe('db.snapshot', () => {
    it('stays as it was while db.read moves on', async () => {
      await db.snapshot(async (reads) => {
        const before = await reads.org.count()
        await db.write((tx) => tx.org.create({ data: org('after-the-snapshot') }))
        expect(await reads.org.count()).toBe(before)
        expect(await db.read.org.count()).toBe(before + 1)
      })
    })
  })

  describe('db.applyResources', () => {
    it('numbers the changes of a scope without gaps and writes rows, labels, history and audit together', async () => {
      const outcome = await db.applyResources(batch('a/b', [added('one'), added('two')]))
      expect(outcome).toEqual({ outcome: 'committed', versions: [1, 2] })
      expect(
        await db.read.change.findMany({ where: { scope: 'a/b' }, select: { seq: true, name: true }, orderBy: { seq: 'asc' } }),
      ).toEqual([
        { seq: 1, name: 'one' },
        { seq: 2, name: 'two' },
      ])
      expect(await db.read.resourceLabel.count({ where: { uid: 'uid-one' } })).toBe(1)
      expect(await db.read.audit.count({ where: { action: 'server.create' } })).toBe(2)
    })

    it('writes nothing when the plan is older than the table', async () => {
      const stale = await db.applyResources(batch('a/b', [added('three'), { ...added('one'), type: 'MODIFIED', was: 99 }]))
      expect(stale).toEqual({ outcome: 'stale', kind: 'Server', name: 'one' })
      expect(await db.read.resource.count({ where: { scope: 'a/b' } })).toBe(2)
      expect((await db.read.scope.findUnique({ where: { scope: 'a/b' } }))?.changeSeq).toBe(2)
    })

    it('lets objects of one batch refer to each other, refuses a missing one, and keeps what is used from being deleted', async () => {
      const toB = [{ scope: '', kind: 'Server', name: 'target', part: '', pointer: '/spec/servers/0' }]
      expect(await db.applyResources(batch('r/r', [added('user', toB)]))).toEqual({
        outcome: 'refused',
        reason: 'reference_missing',
        violations: [{ index: 0, pointer: '/spec/servers/0', detail: 'there is no Server target' }],
      })
      const written = await db.applyResources(batch('r/r', [added('user', toB), added('target')]))
      expect(written.outcome).toBe('committed')
      const removal: ResourceChange = { ...added('target'), type: 'DELETED', was: 2 }
      expect(await db.applyResources(batch('r/r', [removal]))).toMatchObject({
        outcome: 'refused',
        reason: 'still_referenced',
        violations: [{ detail: 'Server target is used by Server user' }],
      })
      const together = [removal, { ...added('user'), type: 'DELETED' as const, was: 1 }]
      expect((await db.applyResources(batch('r/r', together))).outcome).toBe('committed')
    })

    it('writes several scopes at once, numbers those of one feed together, and looks for what is referred to where it lives', async () => {
      const outer = { ...added('role'), row: { ...added('role').row, uid: 'uid-o-role' } }
      const toRole = [{ scope: 'o', kind: 'Server', name: 'role', part: '', pointer: '/spec/role' }]
      const inner = { ...added('inner', toRole), row: { ...added('inner').row, uid: 'uid-inner' } }
      const deep = { ...added('inner', toRole), row: { ...added('inner').row, uid: 'uid-deep' } }
      const changes = [...within('o', [outer]), ...within('o/w', [inner]), ...within('o/w/proj/p', [deep], 'o/w')].map((change) => ({
        ...change,
        labels: [],
        audit: audit('server.create'),
      }))
      expect(await db.applyResources({ at: 't', changes: changes.slice(1) })).toMatchObject({ reason: 'reference_missing' })
      expect(await db.applyResources({ at: 't', changes })).toEqual({ outcome: 'committed', versions: [1, 1, 2] })
      const removal = { ...outer, type: 'DELETED' as const, was: 1 }
      expect(await db.applyResources(batch('o', [removal]))).toMatchObject({
        violations: [
          { detail: 'Server role is used by Server inner of o/w' },
          { detail: 'Server role is used by Server inner of the project p' },
        ],
      })
    })

    it('passes on what the database says without hurting the next batch', async () => {
      const broken = { ...added('four'), audit: { ...audit('x'), id: null as unknown as string } }
      await expect(db.applyResources(batch('a/b', [broken]))).rejects.toThrow(/not.null/i)
      expect((await db.applyResources(batch('a/b', [added('four')]))).outcome).toBe('committed')
    })
  })

  describe('after the stop', () => {
    it('a late read, snapshot or write fails instead of opening the database again', async () => {
      const late = await testDatabase(engine)
      const { db: stopped } = late
      await stopped.read.fact.count()
      await stopped.snapshot((reads) => reads.fact.count())
      await stopped.stop()
      for (const read of [() => stopped.read.fact.count(), () => stopped.read.$queryRaw`SELECT 1`])
        await expect(read()).rejects.toThrow('its database is closed')
      const attempts = [
        () => stopped.snapshot((reads) => reads.fact.count()),
        () => stopped.write((tx) => tx.fact.count()),
        () => stopped.appendAudit([audit('late')]),
      ]
      for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ reason: 'database_closed' })
      await late.close()
    })
  })
})
