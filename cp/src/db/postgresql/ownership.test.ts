import { Client } from 'pg'
import { hostname } from 'node:os'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { McpgError } from '@mcpg/proto/errors'
import { until } from '../../../test/fleet.ts'
import { openDatabase, type Db } from '../db.ts'
import { inspectDatabase } from '../inspect.ts'
import type { DatabaseSettings } from '../settings.ts'
import { addressOf, migrationsFolderOf, newPostgresDatabase, silent } from '../testing.ts'
import { connectWriter, lockSpace, ownerLock } from './connect.ts'
import { targetOf } from './target.ts'

let url: string
let settings: DatabaseSettings
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await newPostgresDatabase()
  ;({ url, remove } = made)
  settings = settingsOf(url)
})
afterEach(() => remove())

const settingsOf = (at: string): DatabaseSettings => ({
  engine: 'postgresql',
  address: addressOf(at),
  migrationsFolder: migrationsFolderOf('postgresql'),
})
const org = (name: string) => ({ data: { name, createdAt: 't' } })

async function open(): Promise<Db> {
  const db = await openDatabase(settings, silent)
  onTestFinished(() => db.stop())
  return db
}

/** Somebody else's connection to the same database. */
async function outsider(): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {}) // the database is dropped before it is closed
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

const cutConnections = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name LIKE 'mcpg %'`

describe('a database', () => {
  it('belongs to one control plane, and the second one is told which', async () => {
    await open()
    await expect(openDatabase(settings, silent)).rejects.toMatchObject({
      code: 'failed_precondition',
      reason: 'database_in_use',
      message: expect.stringMatching(new RegExp(`pid ${process.pid} on ${hostname()}, since 20`)),
      hint: expect.stringContaining('--database-url'),
    })
    expect(await inspectDatabase(settings)).toMatchObject({ owner: { pid: process.pid, host: hostname() } })
  })

  it('is free again as soon as its owner has stopped', async () => {
    await (await openDatabase(settings, silent)).stop()
    expect(await inspectDatabase(settings)).toMatchObject({ engine: 'postgresql', owner: null, version: expect.stringMatching(/^\d+/) })
    const next = await open()
    await next.write((tx) => tx.org.create(org('next')))
    expect(await next.read.org.count()).toBe(1)
  })

  it('takes writes again by itself after all connections were cut, and loses none that it acknowledged', async () => {
    const db = await open()
    const other = await outsider()
    await db.write((tx) => tx.org.create(org('before')))
    await other.query(cutConnections)
    const again = async (write: () => Promise<unknown>) =>
      until(async () => {
        const failure: unknown = await write().then(
          () => null,
          (error: unknown) => error,
        )
        if (failure) expect(failure).toMatchObject({ code: 'unavailable', reason: 'storage_unavailable', retryAfterSeconds: 5 })
        return !failure
      })
    // Two connections of their own, each of which comes back by itself.
    await again(() => db.write((tx) => tx.org.create(org('after'))))
    await again(() => db.appendAudit([]))
    expect((await db.read.org.findMany({ orderBy: { name: 'asc' } })).map(({ name }) => name)).toEqual(['after', 'before'])
  })

  it('that another one took over in the meantime is given up, with a word about who has it', async () => {
    const db = await openDatabase(settings, silent)
    const told = new Promise<unknown>((resolve) => void db.start(resolve))
    const other = await outsider()
    // In line for the lock before the owner can come back for it.
    await other.query(`${cutConnections}; SELECT pg_advisory_lock(${lockSpace}, ${ownerLock})`)
    await other.query(`UPDATE "facts" SET "value" = '{"boot":"x","host":"elsewhere","pid":7,"since":"t"}' WHERE "key" = 'owner'`)
    expect(await told).toMatchObject({ reason: 'database_taken_over', message: expect.stringContaining('pid 7 on elsewhere') })
    await expect(db.write((tx) => tx.org.create(org('late')))).rejects.toMatchObject({ reason: 'database_taken_over' })
    await db.stop()
  })

  it('is not written by a connection of somebody who does not own it', async () => {
    await open()
    await expect(connectWriter(targetOf(addressOf(url)))).rejects.toMatchObject({ reason: 'database_taken_over' })
  })
})

describe('a database that cannot be opened', () => {
  async function refusal(at: string): Promise<McpgError> {
    return await openDatabase(settingsOf(at), silent).then(
      () => Promise.reject(new Error('it was opened')),
      (error: unknown) => (error instanceof McpgError ? error : Promise.reject(error)),
    )
  }
  const changed = (change: (url: URL) => void): string => {
    const next = new URL(url)
    change(next)
    return next.href
  }

  it('is told with what to do, without its password', async () => {
    const other = await outsider()
    const role = `r${Math.random().toString(36).slice(2)}`
    await other.query(`CREATE ROLE ${role} LOGIN PASSWORD 'hunter2secret'`)
    onTestFinished(() => void other.query(`DROP ROLE ${role}`).catch(() => {})) // the database goes first where it had rights
    const cases = [
      [changed((at) => (at.password = 'hunter2secret')), 'failed_precondition', 'database_refused_login', /psql/],
      [changed((at) => (at.pathname = '/not_there')), 'failed_precondition', 'database_missing', /createdb/],
      [
        changed((at) => {
          at.username = role
          at.password = 'hunter2secret'
        }),
        'failed_precondition',
        'database_rights_missing',
        /GRANT/,
      ],
      [changed((at) => (at.port = '1')), 'unavailable', 'storage_unavailable', /host and port/],
      [changed((at) => (at.search = '?sslmode=require')), 'failed_precondition', 'database_tls_failed', /sslmode/],
    ] as const
    for (const [at, code, reason, hint] of cases) {
      const error = await refusal(at)
      expect(error).toMatchObject({ code, reason, hint: expect.stringMatching(hint) })
      expect(error.message).toContain('postgresql://')
      expect(JSON.stringify([error.message, error.hint])).not.toMatch(/hunter2|:[^/@]+@/)
    }
    await other.query(`ALTER ROLE ${role} CONNECTION LIMIT 0`)
    expect(await refusal(cases[2][0])).toMatchObject({
      code: 'unavailable',
      reason: 'database_busy',
      hint: expect.stringContaining('LIMIT'),
    })
  })
})
