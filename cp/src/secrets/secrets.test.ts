import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { testApp, type TestApp } from '../../test/app.ts'

const workspace = '/v1/orgs/default/workspaces/default'

let test: TestApp
beforeEach(async () => {
  test = await testApp()
})
afterEach(() => test.close())

type Data = Record<string, string | { keep: true }>
const secret = (name: string, data: Data) => ({ kind: 'Secret', metadata: { name }, spec: { data } })
const user = (name: string, secretName: string, key: string) => ({
  kind: 'Server',
  metadata: { name },
  spec: { command: ['run'], env: [{ name: 'TOKEN', valueFrom: { secretRef: { name: secretName, key } } }] },
})
const apply = async (objects: object[], query = '') => (await test.call('POST', `${workspace}/apply${query}`, { objects })).body
const versions = async (name: string) =>
  Object.fromEntries(
    (await test.call('GET', `${workspace}/secrets/${name}`)).body.status.keys.map(({ key, version }: { key: string; version: number }) => [
      key,
      version,
    ]),
  )
const reveal = async (name: string, body: object = {}) => await test.call('POST', `${workspace}/secrets/${name}/reveal`, body)
const audited = async (action: string) =>
  (await test.app.db.read.audit.findMany({ where: { action } })).map(({ actor, name, detail }) => ({ actor, name, detail }))

describe('a secret', () => {
  it('answers its keys and never a value, and keeps what it is told to keep', async () => {
    await apply([secret('db', { user: 'planted-user', password: 'planted-password' })])
    const { body } = await test.call('GET', `${workspace}/secrets/db`)
    expect(body.spec).toEqual({ data: { user: { keep: true }, password: { keep: true } } })
    expect((await apply([{ ...body, metadata: { name: 'db' }, status: undefined }])).results[0].result).toBe('unchanged')
    expect((await reveal('db')).body.values.map(({ value }: { value: string }) => value)).toEqual(['planted-password', 'planted-user'])
  })

  it('raises the version of a key only when its value changes, and shows a change without a value', async () => {
    await apply([secret('db', { user: 'planted-a', password: 'planted-b' })])
    expect(await versions('db')).toEqual({ user: 1, password: 1 })
    expect((await apply([secret('db', { user: 'planted-a', password: { keep: true } })])).results[0].result).toBe('unchanged')
    const rotation = [secret('db', { user: { keep: true }, password: 'planted-c' })]
    const diffs = [{ path: '/spec/data/password', before: '(value)', after: '(changed)' }]
    expect((await apply(rotation, '?dryRun=true')).results[0]).toMatchObject({ result: 'configured', diffs })
    expect(await versions('db')).toEqual({ user: 1, password: 1 })
    expect((await apply(rotation)).results[0]).toMatchObject({ result: 'configured', diffs })
    expect(await versions('db')).toEqual({ user: 1, password: 2 })
    expect((await apply(rotation)).results[0].result).toBe('unchanged')
  })

  it('takes one new value by PATCH and leaves the others alone', async () => {
    await apply([secret('db', { user: 'planted-a', password: 'planted-b' })])
    const patched = await test.call('PATCH', `${workspace}/secrets/db`, { spec: { data: { password: 'planted-c' } } })
    expect([patched.status, patched.body.spec]).toEqual([200, { data: { user: { keep: true }, password: { keep: true } } }])
    expect(await versions('db')).toEqual({ user: 1, password: 2 })
  })

  it('never gives a version to two values, also when key or secret were removed in between', async () => {
    await apply([secret('db', { token: 'planted-a', other: 'planted-x' })])
    await apply([secret('db', { other: { keep: true } })])
    await apply([secret('db', { other: { keep: true }, token: 'planted-b' })])
    expect(await versions('db')).toEqual({ token: 2, other: 1 })
    await test.call('DELETE', `${workspace}/secrets/db`)
    await apply([secret('db', { token: 'planted-c' })])
    expect(await versions('db')).toEqual({ token: 3 })
    expect((await reveal('db')).body.values).toEqual([{ key: 'token', version: 3, value: 'planted-c' }])
  })

  it('refuses all that is wrong at once, by pointer and without repeating a value', async () => {
    await apply([secret('db', { token: 'planted-a' })])
    const answer = await apply([
      secret('one', { 'a b': 'planted-x', empty: '', nul: 'planted\0x', big: 'x'.repeat(64 * 1024 + 1) }),
      { kind: 'Secret', metadata: { name: 'two' }, spec: { data: { token: { fromEnv: 'TOKEN' } } } },
    ])
    expect(answer.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
      '/objects/0/spec/data/a b',
      '/objects/0/spec/data/big',
      '/objects/0/spec/data/empty',
      '/objects/0/spec/data/nul',
      '/objects/1/spec/data/token/fromEnv',
      '/objects/1/spec/data/token/keep',
    ])
    expect(JSON.stringify(answer)).not.toContain('planted')
    expect(answer.errors.find(({ pointer }: { pointer: string }) => pointer.endsWith('/big')).detail).toBe('is longer than 64 KiB')
    const kept = await apply([secret('db', { token: { keep: true }, missing: { keep: true } }), secret('fresh', { token: { keep: true } })])
    expect(kept.errors).toEqual([
      { pointer: '/objects/0/spec/data/missing', detail: 'has nothing to keep: no value of missing is stored in Secret db' },
      { pointer: '/objects/1/spec/data/token', detail: 'has nothing to keep: no value of token is stored in Secret fresh' },
    ])
    const value = 'x'.repeat(64 * 1024)
    const sixteen = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`k${index}`, value]))
    expect((await apply([secret('full', sixteen)])).results[0].result).toBe('created')
    const more = await test.call('PATCH', `${workspace}/secrets/full`, { spec: { data: { more: value } } })
    expect(more.body.errors).toEqual([{ pointer: '/spec/data', detail: 'takes more than 1 MiB with the values that are kept' }])
  })

  it('is named with its key by whoever needs it, and is not taken away from under them', async () => {
    const missing = await apply([user('a', 'none', 'token'), secret('db', { other: 'planted-x' }), user('b', 'db', 'token')])
    expect(missing.errors).toEqual([
      { pointer: '/objects/0/spec/env/0/valueFrom/secretRef', detail: 'there is no key token of Secret none' },
      { pointer: '/objects/2/spec/env/0/valueFrom/secretRef', detail: 'there is no key token of Secret db' },
    ])
    // In any order of one request.
    const both = await apply([user('a', 'db', 'token'), secret('db', { token: 'planted-a', other: 'planted-b' })])
    expect(both.results.map(({ result }: { result: string }) => result)).toEqual(['created', 'created'])
    expect((await test.call('GET', `${workspace}/secrets/db`)).body.status.usedBy).toEqual([{ kind: 'Server', name: 'a', keys: ['token'] }])
    const gone = await test.call('DELETE', `${workspace}/secrets/db`)
    expect([gone.status, gone.body.reason, gone.body.detail]).toEqual([
      409,
      'still_referenced',
      'key token of Secret db is used by Server a.',
    ])
    const without = await test.call('PUT', `${workspace}/secrets/db`, secret('db', { other: { keep: true } }))
    expect([without.status, without.body.detail]).toEqual([409, 'key token of Secret db is used by Server a.'])
    expect((await test.call('PUT', `${workspace}/secrets/db`, secret('db', { token: { keep: true } }))).status).toBe(200)
    await test.call('DELETE', `${workspace}/servers/a`)
    expect((await test.call('DELETE', `${workspace}/secrets/db`)).status).toBe(204)
  })
})

describe('reveal', () => {
  it('answers one key or all to who has the right of its own, and is in the audit trail with the actor', async () => {
    await apply([secret('db', { user: 'planted-a', password: 'planted-b' })])
    const one = await reveal('db', { key: 'password' })
    expect([one.status, one.headers['cache-control'], one.body]).toEqual([
      200,
      'no-store',
      { name: 'db', values: [{ key: 'password', version: 1, value: 'planted-b' }] },
    ])
    expect((await reveal('db', { key: 'none' })).body).toMatchObject({ status: 404, reason: 'key_unknown' })
    expect((await reveal('none')).status).toBe(404)
    expect(await audited('secret.reveal')).toEqual([{ actor: 'local', name: 'db', detail: '{"keys":["password"]}' }])
    const { paths } = (await test.call('GET', '/v1/openapi.json')).body as { paths: Record<string, object> }
    expect(Object.keys(paths)).toContain('/v1/orgs/{org}/workspaces/{workspace}/secrets/{name}/reveal')
  })
})

it('keeps values out of the database, whatever was done with them', async () => {
  const headers = { 'idempotency-key': 'once' }
  const body = { objects: [secret('db', { token: 'planted-first' })] }
  await test.call('POST', `${workspace}/apply`, body, headers)
  expect((await test.call('POST', `${workspace}/apply`, body, headers)).body.results[0].result).toBe('created')
  await apply([secret('db', { token: 'planted-second', other: 'planted-third' })])
  await apply([secret('db', { token: 'planted-bad\0' })])
  await reveal('db')
  const everything = await test.app.db.read.idempotencyKey.findMany()
  expect(everything.map(({ body: answer }) => answer).join()).not.toContain('planted')
  const stored = [...filesOf(test.stateDir), ...(await rowsOf(test.app.db.read))].join('\n')
  expect(stored.length).toBeGreaterThan(2_000)
  expect(stored).toContain('secret_values')
  expect(stored).not.toContain('planted')
  expect(stored).not.toContain(Buffer.from('planted').toString('hex'))
})

const filesOf = (folder: string) =>
  readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap((one) =>
    one.isFile() ? readFileSync(join(one.parentPath, one.name), 'latin1') : [],
  )

/** Every row of every table as text, bytes in hex; on SQLite the file says it all. */
async function rowsOf(read: TestApp['app']['db']['read']): Promise<string[]> {
  if (process.env['MCPG_TEST_DATABASE'] !== 'postgresql') return []
  const tables = await read.$queryRaw<{ name: string; rows: string }[]>`
    SELECT table_name::text AS "name", query_to_xml(format('SELECT t::text AS "row" FROM %I t', table_name), false, false, '')::text AS "rows"
    FROM information_schema.tables WHERE table_schema = current_schema()`
  return tables.map(({ name, rows }) => `${name} ${rows}`)
}
