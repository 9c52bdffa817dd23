// Bundles the three programs into ctl/dist: one entry, lazy chunks, and what runs in a thread of its own.
// Native modules and what reads its own files from disk stay outside.
import { context } from 'esbuild'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { root } from './workspace.mjs'

const outdir = `${root}/ctl/dist`
const watch = process.argv.includes('--watch')
/** Messages of zod in fifty languages are half of its size, and read by every command that knows a kind. */
const onlyEnglish = {
  name: 'only-english',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: "export { default as en } from './en.js'" })),
}
const bundle = await context({
  absWorkingDir: root,
  entryPoints: [
    { in: 'ctl/src/main.ts', out: 'mcpg-ctl' },
    { in: 'cp/src/db/writer.ts', out: 'writer' },
    { in: 'gateway-agent/src/servers/runtimes/package-node-worker.ts', out: 'package-node-worker' },
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
  metafile: true,
  plugins: [onlyEnglish],
  // pg-native and pg-cloudflare are asked for by pg and not installed.
  external: ['better-sqlite3', '@node-rs/argon2', '@npmcli/arborist', 'pg-native', 'pg-cloudflare'],
  // Its CommonJS form asks for its parts in a way that no bundler follows.
  alias: { 'jsonc-parser': './ctl/node_modules/jsonc-parser/lib/esm/main.js' },
  // Bundled CommonJS calls require() for Node's own modules.
  banner: { js: "import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);" },
})

if (watch) {
  // The watch begins with a build that writes nothing, as nothing has changed since this one.
  await bundle.rebuild()
  await bundle.watch()
  process.send?.('built')
} else {
  const { metafile } = await bundle.rebuild()
  await bundle.dispose()
  forgetOldChunks(new Set(Object.keys(metafile.outputs).map((path) => path.slice('ctl/dist/'.length))))
}

/** A program that was started from the previous bundle still loads its chunks lazily: they stay for an hour. */
function forgetOldChunks(current) {
  for (const name of readdirSync(outdir))
    if (!current.has(name) && statSync(`${outdir}/${name}`).mtimeMs < Date.now() - 3_600_000)
      rmSync(`${outdir}/${name}`, { recursive: true })
}
