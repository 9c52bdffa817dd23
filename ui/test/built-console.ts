import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..')

/** A folder with the console as it is in the sources: `dist` if it is newer than they are, else a build of its own. */
export async function builtConsole(): Promise<{ folder: string; close: () => Promise<void> }> {
  const dist = join(root, 'dist')
  const built = await stat(join(dist, 'index.html')).catch(() => null)
  if (built && built.mtimeMs > (await newestSource())) return { folder: dist, close: async () => {} }
  const folder = await mkdtemp(join(tmpdir(), 'mcpg-console-'))
  // In a process of its own: the test runner's NODE_ENV would build React for development.
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  const options = ['build', '--logLevel', 'error', '--outDir', folder, '--emptyOutDir']
  await promisify(execFile)(process.execPath, [vite, ...options], { cwd: root, env: { ...process.env, NODE_ENV: 'production' } })
  return { folder, close: () => rm(folder, { recursive: true, force: true }) }
}

async function newestSource(): Promise<number> {
  const files = ['index.html', 'vite.config.ts', 'package.json']
  for (const folder of ['src', 'public']) {
    const entries = await readdir(join(root, folder), { recursive: true })
    files.push(...entries.map((entry) => join(folder, entry)))
  }
  const times = await Promise.all(files.map(async (file) => (await stat(join(root, file))).mtimeMs))
  return Math.max(...times)
}
