// Compares the committed migrations of an engine with the model. The schema engine is the WebAssembly build of Prisma's own, each time on
// an empty database in memory (SQLite, or PGlite for PostgreSQL), so that nothing is downloaded and no server is needed.
import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './workspace.mjs'

const require = createRequire(join(root, 'package.json'))

export const engines = ['sqlite', 'postgresql'].map((name) => {
  const folder = join(root, 'cp/prisma', name)
  return { name, folder, migrations: join(folder, 'migrations') }
})

/** SQL that leads from the committed migrations of an engine to the model; null when there is nothing to do. */
export async function missingSql(engine) {
  const schemaEngine = await openSchemaEngine(engine)
  const { exitCode, stdout } = await schemaEngine.diff({
    from: { tag: 'migrations', ...migrationList(engine) },
    to: { tag: 'schemaDatamodel', files: schemaFiles(engine) },
    script: true,
    exitCode: true,
    filters: { externalTables: [], externalEnums: [] },
  })
  if (exitCode === 0) return null
  return engine.name === 'postgresql' ? inByteOrder(stdout ?? '') : (stdout ?? '')
}

/**
 * SQLite sorts text by its bytes, and cursors and comparisons of the programs count on it. PostgreSQL sorts by the language of its
 * database unless a column says otherwise, which the model cannot say.
 */
const inByteOrder = (sql) => sql.replaceAll(/("\w+" TEXT)\b(?! COLLATE)/g, '$1 COLLATE "C"')

export function migrationNames({ migrations }) {
  mkdirSync(migrations, { recursive: true })
  return readdirSync(migrations)
    .filter((entry) => statSync(join(migrations, entry)).isDirectory())
    .sort()
}

async function openSchemaEngine(engine) {
  // The bindings keep one instance in their module, so each engine gets a module of its own.
  const path = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const bindings = await import(`${pathToFileURL(path).href}?${engine.name}`)
  const binary = readFileSync(join(dirname(require.resolve('@prisma/schema-engine-wasm')), 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(binary, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()

  const adapterPath = createRequire(join(root, 'cp/package.json')).resolve('@prisma/adapter-better-sqlite3')
  const utils = await import(pathToFileURL(createRequire(adapterPath).resolve('@prisma/driver-adapter-utils')).href)
  const factory = engine.name === 'sqlite' ? await sqliteInMemory(adapterPath) : await postgresInMemory()
  const adapter = utils.bindMigrationAwareSqlAdapterFactory(withScripts(factory))
  return bindings.SchemaEngine.new({ datamodels: schemaFiles(engine).map(({ path, content }) => [path, content]) }, () => {}, adapter)
}

async function sqliteInMemory(adapterPath) {
  const { PrismaBetterSqlite3 } = await import(pathToFileURL(adapterPath).href)
  return new PrismaBetterSqlite3({ url: ':memory:' })
}

async function postgresInMemory() {
  const { PGlite } = await import('@electric-sql/pglite')
  const { PrismaPGlite } = await import('pglite-prisma-adapter')
  const factory = new PrismaPGlite(new PGlite())
  factory.connectToShadowDb = async () => new PrismaPGlite(new PGlite()).connect()
  return factory
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

function schemaFiles({ folder }) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.prisma'))
    .map((file) => ({ path: join(folder, file), content: readFileSync(join(folder, file), 'utf8') }))
}

function migrationList(engine) {
  const { migrations } = engine
  return {
    baseDir: migrations,
    lockfile: { path: 'migration_lock.toml', content: `provider = "${engine.name}"\n` },
    shadowDbInitScript: '',
    migrationDirectories: migrationNames(engine).map((path) => ({
      path,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok', value: readFileSync(join(migrations, path, 'migration.sql'), 'utf8') },
      },
    })),
  }
}
