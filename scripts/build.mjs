// Bundles the three programs into ctl/dist: one entry, lazy chunks, and what runs in a thread of its own.
// Native modules and what reads its own files from disk stay outside.
import { context } from 'esbuild'
import { rmSync } from 'node:fs'
import { root } from './workspace.mjs'

const outdir = `${root}/ctl/dist`
const watch = process.argv.includes('--watch')
if (!watch) rmSync(outdir, { recursive: true, force: true })
const bundle = await context({
  absWorkingDir: root,
  entryPoints: [
    { in: 'ctl/src/main.ts', out: 'mcpg-ctl' },
    { in: 'cp/src/db/writer.ts', out: 'writer' },
  ],
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  chunkNames: '[name]-[hash]',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  external: ['better-sqlite3', '@npmcli/arborist'],
  // Bundled CommonJS calls require() for Node's own modules.
  banner: { js: "import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);" },
})

if (watch) await bundle.watch()
else {
  await bundle.rebuild()
  await bundle.dispose()
}
