// Database model: `generate` writes the Prisma clients, `new <name>` a migration for each engine, `check` says whether migrations and
// model agree on both.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { engines, migrationNames, missingSql } from './schema-engine.mjs'
import { root } from './workspace.mjs'

const [command, name] = process.argv.slice(2)
if (command === 'generate') engines.forEach(generate)
else if (command === 'new' && /^[a-z][a-z0-9_]*$/.test(name ?? '')) for (const engine of engines) await create(engine)
else if (command === 'check') for (const engine of engines) await check(engine)
else {
  console.error('usage: npm run db -- generate | new <name_in_snake_case> | check')
  process.exitCode = 2
}

function generate({ folder }) {
  // `generate` needs no engine but insists on finding one; any program will do. `migrate` must never be run like this: it does nothing.
  execFileSync(process.execPath, [prismaCli(), 'generate', '--schema', folder], {
    cwd: join(root, 'cp'),
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function create(engine) {
  const sql = await missingSql(engine)
  if (sql === null) return console.log(`The ${engine.name} migrations already make the model; nothing to write.`)
  const serial = String(migrationNames(engine).length + 1).padStart(4, '0')
  const target = join(engine.migrations, `${serial}_${name}`)
  mkdirSync(target, { recursive: true })
  writeFileSync(join(target, 'migration.sql'), sql)
  console.log(`wrote cp/prisma/${engine.name}/migrations/${serial}_${name}/migration.sql; read it before you commit it`)
}

async function check(engine) {
  const sql = await missingSql(engine)
  if (sql === null) return console.log(`${engine.name}: migrations and model agree`)
  console.error(
    `The ${engine.name} migrations do not make the model of cp/prisma/models.prisma. Missing:\n${sql}\nhint: npm run db -- new <name>`,
  )
  process.exitCode = 1
}

function prismaCli() {
  const require = createRequire(join(root, 'package.json'))
  const manifest = require('prisma/package.json')
  return join(dirname(require.resolve('prisma/package.json')), typeof manifest.bin === 'string' ? manifest.bin : manifest.bin.prisma)
}
