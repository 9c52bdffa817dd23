import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { redact } from '@mcpg/core/redact'
import type { ResolvedServer } from '../../secrets/resolved.ts'
import { z } from 'zod'
import type { InstallOrder, InstallReply } from './package-node-worker.ts'
import { packageStore, type PackageDeps, type StoredPackage } from './package-store.ts'
import { stdioLauncher, type ProcessDeps } from './process.ts'
import type { Resolutions } from './resolutions.ts'
import { StartFailure, type Runtime } from './runtime.ts'

const exactVersion = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/
const PackageJson = z.object({ bin: z.union([z.string(), z.record(z.string(), z.string())]).optional() })

/** A package of the npm registry: installed once into the cache, then started from there by this Node, with or without a network. */
export function nodePackageRuntime(server: ResolvedServer, deps: ProcessDeps & PackageDeps & { resolutions: Resolutions }): Runtime {
  const { name = '', version: wanted = '', args = [], allowScripts = false } = server.package ?? {}
  const key = `node:${name}@${wanted}#${server.upgrades}`
  const variant = allowScripts ? '+scripts' : ''
  const { resolutions } = deps
  const store = packageStore(deps)
  const launchStdio = stdioLauncher(server, deps)
  let argv: string[] = []
  return { prepare, launch: (io) => launchStdio([...argv, ...args], io) }

  async function prepare({ onInstalling, signal }: Parameters<Runtime['prepare']>[0]) {
    const version = known()
    let stored = version === undefined ? null : await store.find({ name, variant }, version)
    if (!stored) {
      onInstalling()
      stored = await install(`${name}@${version ?? (wanted || 'latest')}`, signal)
    }
    const resolved = resolutions.get(key)
    if (resolved?.integrity !== undefined && stored.integrity !== undefined && resolved.integrity !== stored.integrity)
      throw new StartFailure(
        'InstallFailed',
        `${name}@${stored.version} is not what it was: the registry now serves other bytes under the same version`,
      )
    if (!resolved)
      await resolutions.set(key, { version: stored.version, ...(stored.integrity === undefined ? {} : { integrity: stored.integrity }) })
    argv = await commandOf(stored)
    return { resolvedVersion: stored.version }
  }

  function known(): string | undefined {
    return exactVersion.test(wanted) ? wanted : resolutions.get(key)?.version
  }

  function install(spec: string, signal: AbortSignal): Promise<StoredPackage> {
    const order = { spec, name, allowScripts, cache: join(deps.cacheDir, 'npm') }
    return store.install({ name, spec, variant, known, fill: (folder, either) => runWorker({ ...order, folder }, either) }, signal)
  }
}

async function runWorker(order: InstallOrder, signal: AbortSignal): Promise<{ version: string; integrity?: string | undefined }> {
  // Beside this file as a source, beside the bundle as an entry of its own.
  const entry = new URL(import.meta.url.endsWith('.ts') ? './package-node-worker.ts' : './package-node-worker.js', import.meta.url)
  const worker = new Worker(entry, { workerData: order, env: installEnvironment(), stdout: true, stderr: true, name: 'mcpg-install' })
  const reply = await new Promise<InstallReply>((resolve) => {
    const fail = (message: string) => resolve({ ok: false, code: 'EWORKER', message })
    worker.once('message', resolve).once('error', (error) => fail(error instanceof Error ? error.message : String(error)))
    worker.once('exit', () => fail('the installation was broken off'))
    signal.addEventListener('abort', () => fail('the installation was broken off'), { once: true })
  })
  await worker.terminate()
  if (!reply.ok) throw new StartFailure('InstallFailed', redact(explain(order.spec, reply)))
  return reply
}

/** What npm's libraries obey, without the agent's own variables: an install script would see them. */
function installEnvironment(): NodeJS.ProcessEnv {
  const wanted =
    /^(PATH|HOME|USERPROFILE|LANG|LC_[A-Z]+|TMPDIR|TEMP|TMP|SYSTEMROOT|(https?_|no_)?proxy|NODE_EXTRA_CA_CERTS|npm_config_.+)$/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => wanted.test(name)))
}

function explain(spec: string, { code, message }: { code: string; message: string }): string {
  if (code === 'E404') return `package not found: the registry does not know ${spec}`
  if (code === 'ETARGET') return `no such version: ${message}`
  if (code === 'EINTEGRITY') return `${spec} arrived damaged: ${message}`
  if (code === 'ENOSPC') return `${spec} was not installed: the disk of the cache is full`
  if (/^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|FETCH_ERROR|ERR_SOCKET|E5\d\d|UNABLE_TO|CERT_|SELF_SIGNED)/.test(code))
    return `${spec} was not installed: the package registry cannot be reached (${message})`
  return `${spec} was not installed: ${message} (${code})`
}

/** The package's own executable: its only one, or the one with its name; started by this Node unless it says otherwise itself. */
async function commandOf({ name, folder }: StoredPackage): Promise<string[]> {
  const root = join(folder, 'node_modules', name)
  const { bin = {} } = PackageJson.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))
  const own = name.replace(/^@[^/]+\//, '')
  const all: Record<string, string> = typeof bin === 'string' ? { [own]: bin } : bin
  const names = Object.keys(all)
  const chosen = names.length === 1 ? names[0] : names.find((one) => one === own)
  const file = chosen === undefined ? undefined : all[chosen]
  if (file === undefined)
    throw new StartFailure(
      'SpawnFailed',
      `${name} ${names.length === 0 ? 'has no executable' : `has several executables and none is called ${own}: ${names.join(', ')}`}`,
    )
  const path = join(root, file)
  return /^#!(?!.*\bnode\b)/.test(await firstBytes(path)) ? [path] : [process.execPath, path]
}

async function firstBytes(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(128), 0, 128)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}
