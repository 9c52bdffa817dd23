import { afterEach, describe, expect, it } from 'vitest'
import { fakeClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { testApp } from '../test/app.ts'
import { testFleet, until, workspace } from '../test/fleet.ts'
import { configChores } from './config/retention.ts'
import { keeper } from './keeper.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})
const log = createLog({ level: 'silent', json: true })
const day = 86_400_000
const idle = new AbortController().signal

describe('the keeper', () => {
  it('does every chore at the start and once an hour, also after one that failed', async () => {
    const clock = fakeClock()
    const done: string[] = []
    const chore = (name: string) => ({ name, run: async () => void done.push(name) })
    const failing = { name: 'failing', run: async () => Promise.reject(new Error('disk full')) }
    const part = keeper({ chores: [chore('a'), failing, chore('b')], clock, log })
    await part.start(() => {})
    await clock.advance(0)
    expect(done).toEqual(['a', 'b'])
    await clock.advance(3_599_000)
    expect(done).toHaveLength(2)
    await clock.advance(1_000)
    expect(done).toHaveLength(4)
    await part.stop()
    await clock.advance(7_200_000)
    expect(done).toHaveLength(4)
  })

  it('waits at its stop for the chore at work, which is told to end', async () => {
    const clock = fakeClock()
    const done: string[] = []
    const patient = {
      name: 'patient',
      run: (stopping: AbortSignal) =>
        new Promise<void>((resolve) =>
          stopping.addEventListener('abort', () => {
            done.push('told')
            resolve()
          }),
        ),
    }
    const part = keeper({ chores: [patient, { name: 'next', run: async () => void done.push('next') }], clock, log })
    await part.start(() => {})
    await clock.advance(0)
    await part.stop()
    expect(done).toEqual(['told'])
  })

  it('leaves no timer behind when it is stopped at work', async () => {
    const clock = fakeClock()
    let timers = 0
    const counting = { ...clock, after: (ms: number, run: () => void) => (timers++, clock.after(ms, run)) }
    const working = Promise.withResolvers<void>()
    const part = keeper({ chores: [{ name: 'long', run: () => working.promise }], clock: counting, log })
    await part.start(() => {})
    await clock.advance(0)
    const before = timers
    const stopped = part.stop()
    working.resolve()
    await stopped
    expect(timers).toBe(before)
  })
})

describe('what is past its time', () => {
  it('goes: audit and tombstones after 400 days, idempotency keys after 24 h, inventories nobody shows', async () => {
    const clock = fakeClock(Date.now())
    const test = await testApp({ clock })
    closing.push(() => test.close())
    const { db } = test.app
    const at = (age: number) => new Date(clock.now() - age).toISOString()
    const audit = (id: string, age: number) => ({ id, at: at(age), actor: 'local', actorKind: 'local', action: 'x.y' })
    const tombstone = (id: string, age: number) => {
      const place = { org: 'o', workspace: 'w', environment: 'e' }
      return { ...place, id, name: id, instanceUid: id, bearerSha256: null, deletedAt: at(age) }
    }
    await db.write(async (tx) => {
      await tx.audit.createMany({
        data: [...Array.from({ length: 1_200 }, (_, i) => audit(`old-${i}`, 401 * day)), audit('young', 399 * day)],
      })
      await tx.gatewayTombstone.createMany({ data: [tombstone('old', 401 * day), tombstone('young', 399 * day)] })
      const key = (name: string, age: number) => ({ scope: 's', key: name, requestDigest: '', body: '{}', createdAt: at(age) })
      await tx.idempotencyKey.createMany({ data: [key('old', day + 1_000), key('young', day - 1_000)] })
      const inventory = (hash: string, age: number) => ({ hash, body: '{}', createdAt: at(age) })
      await tx.inventory.createMany({ data: [inventory('old', 2 * day), inventory('shown', 2 * day), inventory('young', 1_000)] })
      const shown = { gatewayId: 'g', server: 's', status: '{}', inventoryHash: 'shown', updatedAt: at(0) }
      await tx.gatewayServer.create({ data: shown })
    })
    const part = test.app.parts.find(({ name }) => name === 'keeper')!
    await part.start(() => {})
    await clock.advance(0)
    await until(async () => (await db.read.inventory.count()) === 2)
    expect((await db.read.audit.findMany({ where: { action: 'x.y' } })).map(({ id }) => id)).toEqual(['young'])
    expect((await db.read.gatewayTombstone.findMany()).map(({ id }) => id)).toEqual(['young'])
    expect((await db.read.idempotencyKey.findMany()).map(({ key }) => key)).toEqual(['young'])
    expect((await db.read.inventory.findMany({ orderBy: { hash: 'asc' } })).map(({ hash }) => hash)).toEqual(['shown', 'young'])
  })

  it('goes: revisions that no kept config, proof or hold names', async () => {
    const fleet = await testFleet()
    closing.push(fleet.close)
    await fleet.join('a')
    for (const [index, version] of ['v1', 'v2'].entries()) {
      await fleet.apply({ name: 'one', command: [version] })
      await until(async () => (await fleet.server('one')).status.observedGeneration === index + 1)
    }
    const db = fleet.db()
    const revisions = async () => (await db.read.serverRevision.findMany({ orderBy: { createdAt: 'asc' } })).map(({ entry }) => entry)
    const before = await revisions()
    expect(before).toHaveLength(2)
    await db.write(async (tx) => {
      const revision = (subHash: string) => ({ serverUid: 'gone', subHash, entry: subHash, createdAt: '2020' })
      await tx.serverRevision.createMany({ data: [...Array.from({ length: 600 }, (_, i) => revision(`f-${i}`)), revision('ee')] })
      const held = { gatewayId: 'g', serverUid: 'gone', subHash: 'ee', server: 'x', reason: 'r', message: '', since: '' }
      await tx.serverHold.create({ data: held })
    })
    const choreAt = (time: number, name: string) => configChores({ db, clock: fakeClock(time) }).find((one) => one.name === name)!
    // To that clock the documents are made while the chore reads, so nothing is decided.
    await choreAt(0, 'server revisions').run(idle)
    expect(await revisions()).toHaveLength(603)
    await choreAt(Date.now() + day, 'server revisions').run(idle)
    expect(await revisions()).toEqual(['ee', ...before])
    await choreAt(Date.now() + day, 'deleted servers').run(idle)
    expect(await db.read.serverHold.count()).toBe(0)
  })

  it('goes with its server: restart counters and holds', async () => {
    const fleet = await testFleet()
    closing.push(fleet.close)
    await fleet.join('a', { knobs: { failing: new Set(['one']) } })
    await fleet.apply({ name: 'one', command: ['one'] })
    await until(async () => (await fleet.db().read.serverHold.count()) === 1)
    await fleet.call('POST', `${workspace}/servers/one/restart`, {})
    expect(await fleet.db().read.serverControl.count()).toBe(1)
    expect((await fleet.call('DELETE', `${workspace}/servers/one`)).status).toBe(204)
    expect(await fleet.db().read.serverControl.count()).toBe(0)
    expect(await fleet.db().read.serverHold.count()).toBe(0)
    await until(async () => (await fleet.gateway('a')).status.config.heldBack.length === 0)
  })
})
