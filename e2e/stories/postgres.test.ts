import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { api } from '../harness/api.ts'
import { closeLater, shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { newPostgresDatabase } from '../harness/database.ts'
import { legacySession } from '../harness/mcp.ts'
import { ctl, startControlPlane, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { startPostgres, type Postgres } from '../postgres.ts'
import { fixture, serverUrl, serving } from '../scenarios/fleet.ts'

/** A server that these stories may stop. */
let postgres: Postgres
beforeAll(async () => {
  await shareWithFile(async () => {
    postgres = await startPostgres()
    closeLater(() => postgres.close())
  })
})

const passwordOf = (url: string) => new URL(url).password
const free = ['--bind-http', '127.0.0.1:0', '--bind-grpc', '127.0.0.1:0']

it('goes on serving and hearing its gateways while PostgreSQL is away, refuses writes, and finds it again by itself', async () => {
  const stateDir = temporaryFolder()
  const controlPlane = await startControlPlane({ stateDir, env: { MCPG_DATABASE_URL: await newPostgresDatabase(postgres.url) } })
  const rest = api(controlPlane.http)
  await rest.servers(fixture('echo', 'echo'))
  const { url } = await rest.enroll({ name: 'here' })
  const gateway = await startGateway({ stateDir: temporaryFolder(), url })
  await serving(serverUrl(gateway, 'echo'))
  await until('it is online', async () => (await rest.get('gateways', 'here')).status['connection'] === 'online')

  // 1 the server ends; what runs goes on
  await postgres.stop()
  await until('it is not ready any more', async () => (await fetch(`${controlPlane.http}/readyz`)).status === 503)
  const session = await legacySession(serverUrl(gateway, 'echo'))
  expect(await session.call('echo', { text: 'still here' })).toMatchObject({ content: [{ text: 'still here' }] })
  const live = async () => (await (await fetch(`${controlPlane.http}/metrics`)).text()).match(/^mcpg_(gateways|database_writable).*$/gm)
  expect(await live()).toEqual(expect.arrayContaining(['mcpg_gateways{connected="true"} 1', 'mcpg_database_writable 0']))

  // 2 what would have to be written is refused, with the time to come back
  const refused = await fetch(`${controlPlane.http}/v1/orgs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"acme"}',
  })
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
  expect(await refused.json()).toMatchObject({ code: 'unavailable', reason: 'storage_unavailable', hint: expect.any(String) })

  const unread = await fetch(`${controlPlane.http}/v1/orgs`)
  expect([unread.status, await unread.json()]).toEqual([503, expect.objectContaining({ reason: 'storage_unavailable' })])

  // 3 it comes back, and nobody has to do anything
  await postgres.start()
  await until('it is ready again', async () => (await fetch(`${controlPlane.http}/readyz`)).status === 200)
  await until('it writes again', () => rest.servers(fixture('echo', 'echo'), fixture('later', 'echo')))
  await serving(serverUrl(gateway, 'later'))
  expect((await rest.get('gateways', 'here')).status['connection']).toBe('online')
  expect(await session.call('echo', { text: 'the same session' })).toMatchObject({ content: [{ text: 'the same session' }] })
})

it('gives a database to one control plane, names it to the second, and lets it in once the first was killed', async () => {
  const env = { MCPG_DATABASE_URL: await newPostgresDatabase(postgres.url) }
  const stateDir = temporaryFolder()
  const first = await startControlPlane({ stateDir, env })
  await api(first.http).servers(fixture('kept', 'echo'))
  const keyFile = join(stateDir, 'master.key')

  const second = await ctl(['serve', ...free, '--master-key-file', keyFile], { stateDir: temporaryFolder(), env })
  expect(second.code).toBe(6)
  expect(second.stderr).toContain(`pid ${first.pid}`)
  expect(second.stderr).toMatch(/hint: .*--database-url/)

  await first.kill()
  const next = await startControlPlane({ stateDir: temporaryFolder(), env: { ...env, MCPG_MASTER_KEY_FILE: keyFile } })
  expect((await api(next.http).get('servers', 'kept')).metadata.name).toBe('kept')
})

it('speaks of its database in status and doctor, running or not, and never of its password', async () => {
  const url = await newPostgresDatabase(postgres.url)
  const stateDir = temporaryFolder()
  const file = join(temporaryFolder(), 'url')
  writeFileSync(file, `${url}\n`, { mode: 0o600 })
  const said: string[] = []
  const run = async (args: string[], env: Record<string, string> = {}) => {
    const done = await ctl(args, { stateDir, env })
    said.push(done.stdout, done.stderr)
    return done
  }

  // 1 with the URL typed as published commands have it, and in the background
  const started = await run(['serve', ...free, '--detach', '--json-logs', '--log-level', 'trace', '--database-url', url])
  expect(started.code).toBe(0)
  closeLater(() => run(['stop']))
  const shown = `postgresql://mcpg@127.0.0.1:${new URL(url).port}${new URL(url).pathname}`
  const status = await run(['status', '-o', 'json'])
  expect(JSON.parse(status.stdout)).toMatchObject({
    status: {
      database: { engine: 'postgresql', address: shown, rows: { resources: expect.any(Number) }, version: expect.stringMatching(/^\d+\./) },
    },
  })
  expect((await run(['status'])).stdout).toMatch(/database: +PostgreSQL \d+.* migrations/)
  expect((await run(['doctor', ...free, '--bind', '127.0.0.1:0'])).stdout).toMatch(
    /database +ok +PostgreSQL .*reached by the control plane/,
  )
  const { pid } = (JSON.parse(status.stdout) as { controlPlane: { pid: number } }).controlPlane
  said.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), readFileSync(join(stateDir, 'logs/control-plane.log'), 'utf8'))
  for (const path of ['/v1/control/status', '/metrics'])
    said.push(await (await fetch((JSON.parse(status.stdout) as { url: string }).url + path)).text())

  // 2 with nobody running, by the file that holds the URL
  expect((await run(['stop'])).code).toBe(0)
  // Where nothing listens: another control plane of this machine would be asked instead.
  const nobody = { MCPG_CP_URL: 'http://127.0.0.1:1' }
  expect((await run(['status', '--database-url-file', file], nobody)).stdout).toMatch(/database: PostgreSQL .*in use by no control plane/)
  expect((await run(['doctor', ...free, '--bind', '127.0.0.1:0'], { MCPG_DATABASE_URL_FILE: file })).stdout).toMatch(
    /database +ok +PostgreSQL/,
  )

  // 3 with a password that is wrong, to whoever asks
  const wrong = new URL(url)
  wrong.password = 'hunter2secret'
  const refused = await run(['serve', ...free], { MCPG_DATABASE_URL: wrong.href })
  expect([refused.code, refused.stderr]).toEqual([6, expect.stringMatching(/refuses the user or the password[\s\S]*hint: /)])
  const doctor = await run(['doctor', ...free, '--bind', '127.0.0.1:0'], { MCPG_DATABASE_URL: wrong.href })
  expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringMatching(/database +fail +PostgreSQL refuses/)])
  for (const secret of [passwordOf(url), 'hunter2secret']) expect(said.filter((text) => text.includes(secret))).toEqual([])
})
