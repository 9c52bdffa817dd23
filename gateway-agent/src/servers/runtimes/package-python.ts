import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redact } from '@mcpg/core/redact'
import type { ResolvedServer } from '../../secrets/resolved.ts'
import { findProgram } from '../tree/probe.ts'
import { packageStore, type PackageDeps, type StoredPackage } from './package-store.ts'
import { stdioLauncher, type ProcessDeps } from './process.ts'
import type { Resolutions } from './resolutions.ts'
import { StartFailure, type Runtime } from './runtime.ts'

const exactVersion = /^\d+(\.\d+)*([a-z0-9.+-]*)$/i

/** A package of the Python index, installed by `uv` into an environment of its own in the cache. */
export function pythonPackageRuntime(server: ResolvedServer, deps: ProcessDeps & PackageDeps & { resolutions: Resolutions }): Runtime {
  const { name = '', version: wanted = '', args = [], allowScripts = false } = server.package ?? {}
  const key = `python:${name}@${wanted}#${server.upgrades}`
  // Building from source runs the code of the package.
  const builds = allowScripts ? [] : ['--no-build']
  const variant = `+python${allowScripts ? '+scripts' : ''}`
  const { resolutions } = deps
  const store = packageStore(deps)
  const launchStdio = stdioLauncher(server, deps)
  let argv: string[] = []
  return { prepare, launch: (io) => launchStdio([...argv, ...args], io) }

  async function prepare({ onInstalling, signal }: Parameters<Runtime['prepare']>[0]) {
    const known = exactVersion.test(wanted) ? wanted : resolutions.get(key)?.version
    let stored = known === undefined ? null : await store.find({ name, variant }, known)
    if (!stored) {
      onInstalling()
      const version = known ?? (await resolve(signal))
      stored = await install(version, signal)
    }
    if (!resolutions.get(key)) await resolutions.set(key, { version: stored.version })
    argv = [await executableOf(stored)]
    return { resolvedVersion: stored.version }
  }

  async function resolve(signal: AbortSignal): Promise<string> {
    const options = ['pip', 'compile', '-', '--no-deps', '--no-header', '--no-annotate', '--quiet', ...builds]
    const { output } = await uv(options, { signal, input: `${name}${wanted}\n` })
    const version = /==\s*([^\s;]+)/.exec(output)?.[1]
    if (version === undefined) throw new StartFailure('InstallFailed', `no version of ${name} matches "${wanted}"`)
    return version
  }

  function install(version: string, signal: AbortSignal): Promise<StoredPackage> {
    const spec = `${name}==${version}`
    // A virtual environment knows its own path, so it is filled where it will stay.
    const fill = async (folder: string, either: AbortSignal) => {
      const env = { UV_TOOL_DIR: join(folder, 'tools'), UV_TOOL_BIN_DIR: join(folder, 'bin') }
      await uv(['tool', 'install', '--quiet', ...builds, spec], { signal: either, env })
      return { version }
    }
    return store.install({ name, spec, variant, known: () => version, inPlace: true, fill }, signal)
  }
}

async function executableOf({ name, folder }: StoredPackage): Promise<string> {
  const bin = join(folder, 'bin')
  const names = await readdir(bin).catch(() => [])
  const plain = (one: string) =>
    one
      .toLowerCase()
      .replace(/\.exe$/, '')
      .replaceAll('_', '-')
  const chosen = names.length === 1 ? names[0] : names.find((one) => plain(one) === plain(name))
  if (chosen !== undefined) return join(bin, chosen)
  const which = names.length === 0 ? 'has no executable' : `has several executables and none is called ${name}: ${names.join(', ')}`
  throw new StartFailure('SpawnFailed', `${name} ${which}`)
}

async function uv(args: string[], { signal, input = '', env = {} }: { signal: AbortSignal; input?: string; env?: Record<string, string> }) {
  const program = findProgram('uv', process.env['PATH'] ?? '')
  if (!program)
    throw new StartFailure(
      'InstallFailed',
      'Python packages need uv, which is not on PATH: install it with "pipx install uv" or from docs.astral.sh/uv',
    )
  const wanted = /^(PATH|HOME|USERPROFILE|LANG|LC_[A-Z]+|TMPDIR|TEMP|TMP|SYSTEMROOT|(https?_|no_|all_)?proxy|SSL_CERT_(FILE|DIR)|UV_.+)$/i
  const own = Object.fromEntries(Object.entries(process.env).filter(([variable]) => wanted.test(variable)))
  const child = spawn(program, args, { cwd: tmpdir(), env: { ...own, ...env }, stdio: 'pipe', signal, killSignal: 'SIGKILL' })
  child.stdin.on('error', () => {}).end(input)
  const [output, errors, code] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    new Promise<number | string>((done) =>
      child.once('error', (error) => done(error.message)).once('close', (status) => done(status ?? 'killed')),
    ),
  ])
  if (code === 0) return { output: output.join('') }
  const message = errors.join('').trim().split('\n').slice(-3).join(' ')
  throw new StartFailure('InstallFailed', redact(`uv ${args[0]} ${args[1]} failed (${code}): ${message}`).slice(0, 1_000))
}
