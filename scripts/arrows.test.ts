import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'mcpg-arrows-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** One violation of every rule; the key is the file, the value what it imports. */
const planted: Record<string, string[]> = {
  'proto/src/a.ts': ['../../core/src/a.ts', 'node:fs'],
  'proto/src/status.ts': ['./status-wire.ts'],
  'proto/src/status-wire.ts': [],
  'core/src/a.ts': ['../../cp/src/app.ts'],
  'cp/src/app.ts': [],
  'cp/src/cycle.ts': ['./turn.ts'],
  'cp/src/turn.ts': ['./cycle.ts'],
  'cp/src/one/service.ts': ['../two/store.ts', 'fastify', '@prisma/client', '../app.ts', '../../../gateway-agent/src/a.ts', './missing.ts'],
  'cp/src/one/a.ts': ['./a.test.ts'],
  'cp/src/one/a.test.ts': [],
  'cp/src/two/store.ts': [],
  'gateway-agent/src/a.ts': [],
  'ctl/src/a.ts': ['../../cp/src/two/store.ts'],
  'node_modules/fastify/index.js': [],
  'node_modules/@prisma/client/index.js': [],
}

it('catches a planted violation of every rule', () => {
  for (const [file, imports] of Object.entries(planted)) {
    mkdirSync(join(folder, dirname(file)), { recursive: true })
    writeFileSync(join(folder, file), [...imports.map((path) => `import '${path}'`), 'export const a = 1', ''].join('\n'))
  }
  cpSync(join(root, 'scripts/arrows.cjs'), join(folder, 'arrows.cjs'))
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
  const rooms = ['proto', 'core', 'cp', 'gateway-agent', 'ctl'].map((room) => `${room}/src`)
  const done = spawnSync(process.execPath, [bin, '--config', 'arrows.cjs', '--output-type', 'json', ...rooms], {
    cwd: folder,
    encoding: 'utf8',
  })
  const caught = new Set(
    (JSON.parse(done.stdout) as { summary: { violations: { rule: { name: string } }[] } }).summary.violations.map(({ rule }) => rule.name),
  )
  const { forbidden } = createRequire(import.meta.url)('./arrows.cjs') as { forbidden: { name: string }[] }
  expect([...caught].sort()).toEqual(forbidden.map((rule) => rule.name).sort())
}, 60_000)
