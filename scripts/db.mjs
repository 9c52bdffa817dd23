// Database model: `generate` writes the Prisma client, `new <name>` a migration, `check` says whether migrations and model agree.
// The schema engine is the WebAssembly build of Prisma's own, on an in-memory database, so that nothing is downloaded.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'cp/prisma/sqlite')
const migrations = join(folder, 'migrations')

const [command, name] = process.argv.slice(2)
if (command === 'generate') generate()
else if (command === 'new' && /^[a-z][a-z0-9_]*$/.test(name ?? '')) await create(name)
else if (command === 'check') await check()
else {
  console.error('usage: npm run db -- generate | new <name_in_snake_case> | check')
  process.exitCode = 2
}

function generate() {
  // `generate` needs no engine but insists on finding one; any program will do. `migrate` must never be run like this: it does nothing.
  execFileSync(process.execPath, [prismaCli(), 'generate', '--schema', folder], {
    cwd: join(root, 'cp'),
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function create(name) {
  const { exitCode, sql } = await difference()
  if (exitCode === 0) return console.log('The migrations already make the model; nothing to write.')
  const serial = String(migrationNames().length + 1).padStart(4, '0')
  const target = join(migrations, `${serial}_${name}`)
  mkdirSync(target, { recursive: true })
  writeFileSync(join(target, 'migration.sql'), sql)
  console.log(`wrote cp/prisma/sqlite/migrations/${serial}_${name}/migration.sql; read it before you commit it`)
}

async function check() {
  const { exitCode, sql } = await difference()
  if (exitCode === 0) return console.log('migrations and model agree')
  console.error(`The migrations do not make the model of cp/prisma/models.prisma. Missing:\n${sql}\nhint: npm run db -- new <name>`)
  process.exitCode = 1
}

/** SQL that leads from the committed migrations to the model; exit code 0 when there is none. */
async function difference() {
  const engine = await openEngine()
  const result = await engine.diff({
    from: { tag: 'migrations', ...migrationList() },
    to: { tag: 'schemaDatamodel', files: schemaFiles() },
    script: true,
    exitCode: true,
    filters: { externalTables: [], externalEnums: [] },
  })
  return { exitCode: result.exitCode, sql: result.stdout ?? '' }
}

async function openEngine() {
  const require = createRequire(join(root, 'package.json'))
  const bindings = await import(pathToFileURL(require.resolve('@prisma/schema-engine-wasm/schema_engine_bg')).href)
  const binary = readFileSync(join(dirname(require.resolve('@prisma/schema-engine-wasm')), 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(binary, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()

  const adapterPath = createRequire(join(root, 'cp/package.json')).resolve('@prisma/adapter-better-sqlite3')
  const { PrismaBetterSqlite3 } = await import(pathToFileURL(adapterPath).href)
  const utils = await import(pathToFileURL(createRequire(adapterPath).resolve('@prisma/driver-adapter-utils')).href)
  const adapter = utils.bindMigrationAwareSqlAdapterFactory(withScripts(new PrismaBetterSqlite3({ url: ':memory:' })))
  return bindings.SchemaEngine.new({ datamodels: schemaFiles().map(({ path, content }) => [path, content]) }, () => {}, adapter)
}

/** The engine runs a whole migration by executeRaw, which takes one statement; what has no parameters is run as a script instead. */
function withScripts(factory) {
  const connectToShadowDb = factory.connectToShadowDb.bind(factory)
  factory.connectToShadowDb = async () => {
    const connection = await connectToShadowDb()
    const executeRaw = connection.executeRaw.bind(connection)
    connection.executeRaw = async (query) => {
      if (query.args.length > 0) return executeRaw(query)
      await connection.executeScript(query.sql)
      return 0
    }
    return connection
  }
  return factory
}

function schemaFiles() {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.prisma'))
    .map((file) => ({ path: join(folder, file), content: readFileSync(join(folder, file), 'utf8') }))
}

function migrationNames() {
  mkdirSync(migrations, { recursive: true })
  return readdirSync(migrations)
    .filter((entry) => statSync(join(migrations, entry)).isDirectory())
    .sort()
}

function migrationList() {
  return {
    baseDir: migrations,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "sqlite"\n' },
    shadowDbInitScript: '',
    migrationDirectories: migrationNames().map((path) => ({
      path,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok', value: readFileSync(join(migrations, path, 'migration.sql'), 'utf8') },
      },
    })),
  }
}

function prismaCli() {
  const require = createRequire(join(root, 'package.json'))
  const manifest = require('prisma/package.json')
  return join(dirname(require.resolve('prisma/package.json')), typeof manifest.bin === 'string' ? manifest.bin : manifest.bin.prisma)
}
