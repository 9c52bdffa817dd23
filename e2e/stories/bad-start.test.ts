import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, it } from 'vitest'
import { api } from '../harness/api.ts'
import { closeLater, shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { ctl, start, startControlPlane, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'

const free = ['serve', '--bind-http', '127.0.0.1:0', '--bind-grpc', '127.0.0.1:0']

/** A state dir with data in it, of a control plane that was stopped in order. */
let template: string

beforeAll(async () => {
  await shareWithFile(async () => {
    template = temporaryFolder()
    const running = await startControlPlane({ stateDir: template })
    await api(running.http).servers({ name: 'keep', spec: { command: 'true' } })
    await running.stop()
  })
})

function stateWithData(): string {
  const stateDir = temporaryFolder()
  cpSync(template, stateDir, { recursive: true })
  return stateDir
}

async function refuses(args: string[], stateDir: string, code: number, text: RegExp): Promise<void> {
  const done = await ctl(args, { stateDir })
  expect(done.stderr).toMatch(text)
  expect(done.stderr).toMatch(/hint: /)
  expect(done.stderr).not.toMatch(/\n {4}at /)
  expect(done.code).toBe(code)
}

describe('a control plane that cannot start', () => {
  it('names the wide mode of its state dir and the command that mends it', async () => {
    const stateDir = join(temporaryFolder(), 'wide')
    mkdirSync(stateDir)
    chmodSync(stateDir, 0o755)
    await refuses(free, stateDir, 6, /chmod 700/)
  })

  it('says that a state dir is a file', async () => {
    const stateDir = join(temporaryFolder(), 'file')
    writeFileSync(stateDir, '')
    await refuses(free, stateDir, 6, /not a folder/)
  })

  it('names who holds a port', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    closeLater(() => new Promise((resolve) => holder.close(resolve)))
    await until('it listens', () => holder.listening)
    const { port } = holder.address() as { port: number }
    await refuses(
      ['serve', '--bind-http', `127.0.0.1:${port}`, '--bind-grpc', '127.0.0.1:0'],
      temporaryFolder(),
      1,
      new RegExp(`${port}[\\s\\S]*${process.pid}`),
    )
  })

  it('never makes a new master key beside data', async () => {
    const stateDir = stateWithData()
    rmSync(join(stateDir, 'master.key'))
    await refuses(free, stateDir, 6, /master\.key/)
  })

  it('says that its database is damaged and leaves it as it is', async () => {
    const stateDir = stateWithData()
    for (const suffix of ['-wal', '-shm']) rmSync(join(stateDir, `mcpg.db${suffix}`), { force: true })
    truncateSync(join(stateDir, 'mcpg.db'), 5_000)
    await refuses(free, stateDir, 6, /mcpg\.db/)
  })

  it.each([
    ['a newer program wrote', `('later', '', '0900_future', 1, 1)`, /0900_future[\s\S]*newer/],
    ['a migration was interrupted in', `('half', '', '0900_half', NULL, 0)`, /0900_(half)/],
  ])('leaves a database alone which %s', async (_what, values, text) => {
    const stateDir = stateWithData()
    const path = join(stateDir, 'mcpg.db')
    const database = new DatabaseSync(path)
    database.exec(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ${values}; PRAGMA wal_checkpoint(TRUNCATE)`,
    )
    database.close()
    const before = readFileSync(path)
    await refuses(free, stateDir, 6, text)
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  it('uses no state dir of somebody else', async () => {
    // Whoever runs the tests: another user's folder is one given away, or the root of the machine.
    const isRoot = process.getuid?.() === 0
    const stateDir = isRoot ? temporaryFolder() : '/'
    if (isRoot) chownSync(stateDir, 65_534, 65_534)
    await refuses(free, stateDir, 6, /65534|uid 0|owned|belongs/)
  })

  it('tells that another one runs on the same state dir', async () => {
    const stateDir = temporaryFolder()
    const running = await startControlPlane({ stateDir })
    await refuses(free, stateDir, 6, new RegExp(String(running.pid)))
  })

  it.each([
    [
      ['--auth-mode', 'none', '--bind-http', '0.0.0.0:0', '--bind-grpc', '127.0.0.1:0'],
      /127\.0\.0\.1:0, or add --insecure-allow-unauthenticated/,
    ],
    [['--tls-cert-file', '/none.pem', '--tls-key-file', '/none.key'], /none\.pem cannot be read[^]*none\.key cannot be read/],
    [['--auth-mode', 'oidc'], /auth-mode/],
    [['--bind-http', 'nonsense'], /bind-http/],
  ])('refuses %j with exit code 2', async (flags, text) => {
    await refuses(['serve', ...flags], temporaryFolder(), 2, text)
  })
})

it('keeps what it was told when it is killed and started again', async () => {
  const stateDir = temporaryFolder()
  const first = await startControlPlane({ stateDir })
  await api(first.http).servers({ name: 'keep', spec: { command: 'true' } })
  await first.kill()
  const second = await startControlPlane({ stateDir })
  expect((await api(second.http).get('servers', 'keep')).spec).toEqual({ command: 'true' })
})

it('ends, in order or at once, when it is told to twice', async () => {
  const running = await startControlPlane({ stateDir: temporaryFolder() })
  process.kill(running.pid, 'SIGTERM')
  process.kill(running.pid, 'SIGTERM')
  expect([0, 143]).toContain(await running.exited)
})

it('ends in order when it is interrupted during the start', async () => {
  const stateDir = temporaryFolder()
  const starting = start(free, { stateDir })
  process.kill(starting.pid, 'SIGINT')
  expect([0, 130, null]).toContain(await starting.exited)
  // Nothing is left behind that keeps the next one from starting.
  await startControlPlane({ stateDir })
})

describe('a gateway that cannot start', () => {
  it('refuses a policy with a field it does not know', async () => {
    const stateDir = temporaryFolder()
    mkdirSync(join(stateDir, 'gateways/default'), { recursive: true, mode: 0o700 })
    writeFileSync(join(stateDir, 'gateways/default/policy.yaml'), 'runtimes: [process]\nnonsense: true\n')
    await refuses(['gateway', '--bind', '127.0.0.1:0'], stateDir, 2, /nonsense/)
  })

  it('says how to get an enrollment URL when it has neither one nor an identity', async () => {
    await refuses(['gateway', '--bind', '127.0.0.1:0'], temporaryFolder(), 2, /enroll create/)
  })

  it('names who holds the port it was given', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    closeLater(() => new Promise((resolve) => holder.close(resolve)))
    await until('it listens', () => holder.listening)
    const { port } = holder.address() as { port: number }
    const controlPlane = await startControlPlane({ stateDir: temporaryFolder() })
    const { url } = await api(controlPlane.http).enroll()
    const args = ['gateway', '--bind', `127.0.0.1:${port}`, '--enrollment-url', url]
    await refuses(args, temporaryFolder(), 1, new RegExp(`${port}[\\s\\S]*${process.pid}`))
  })

  it('uses no state dir of somebody else, and tells of another agent on its own', async () => {
    const wide = temporaryFolder()
    mkdirSync(join(wide, 'gateways/default'), { recursive: true })
    chmodSync(join(wide, 'gateways/default'), 0o777)
    await refuses(['gateway', '--bind', '127.0.0.1:0'], wide, 6, /chmod 700|--fix-permissions/)
    const stateDir = temporaryFolder()
    const controlPlane = await startControlPlane({ stateDir: temporaryFolder() })
    const { url } = await api(controlPlane.http).enroll()
    const running = await startGateway({ stateDir, url })
    await refuses(['gateway', '--bind', '127.0.0.1:0'], stateDir, 6, new RegExp(String(running.pid)))
  })

  it('never enrolls again by itself when its credentials are damaged', async () => {
    const stateDir = temporaryFolder()
    const controlPlane = await startControlPlane({ stateDir: temporaryFolder() })
    const { url } = await api(controlPlane.http).enroll({ maxUses: 5 })
    const gateway = await startGateway({ stateDir, url })
    await gateway.stop()
    truncateSync(join(stateDir, 'gateways/default/identity.json'), 10)
    await refuses(['gateway', '--bind', '127.0.0.1:0', '--enrollment-url', url], stateDir, 3, /identity\.json/)
  })
})
