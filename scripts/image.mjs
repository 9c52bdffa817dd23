// node scripts/image.mjs [folder]: builds, and writes what an image holds (by default to .cache/image); see deploy/docker/Dockerfile.
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { ensureBuilt, fail, root, say } from './workspace.mjs'

/** What the bundle leaves outside (scripts/build.mjs). */
const externals = ['better-sqlite3', '@node-rs/argon2', '@npmcli/arborist']
const store = join(root, 'node_modules/.pnpm')

if (process.argv[2]?.startsWith('-')) fail('the only word that is taken is a folder', 'node scripts/image.mjs [folder]')
ensureBuilt()
const folder = resolve(process.argv[2] ?? join(root, '.cache/image'))
const app = join(folder, 'app')
rmSync(app, { recursive: true, force: true })
const programs = [
  ['ctl/dist', (path) => !path.endsWith('.map')],
  ['ui/dist', () => true],
  ['cp/seeds', () => true],
  ['cp/prisma/sqlite/migrations', () => true],
  ['cp/prisma/postgresql/migrations', () => true],
]
for (const [path, filter] of programs) cpSync(join(root, path), join(app, path), { recursive: true, filter })
cpSync(join(root, 'LICENSE'), join(app, 'LICENSE'))
const copied = new Set()
for (const name of externals) {
  const real = realpathSync(join(root, 'ctl/node_modules', name))
  copyPackage(real)
  link(join(app, 'ctl/node_modules', name), join(app, relative(root, real)))
}
say(`${folder} holds the programs and ${copied.size} packages`)

/** A package lies beside links to what it needs, `<store>/<id>/node_modules/*`; the layout is kept, so that each finds its own versions. */
function copyPackage(real) {
  const beside = join(store, relative(store, real).split('/')[0], 'node_modules')
  if (copied.has(beside)) return
  copied.add(beside)
  for (const path of entries(beside)) {
    const target = join(app, relative(root, path))
    if (!lstatSync(path).isSymbolicLink()) cpSync(path, target, { recursive: true, filter: isNeeded })
    else if (existsSync(path)) {
      copyPackage(realpathSync(path))
      mkdirSync(dirname(target), { recursive: true })
      symlinkSync(readlinkSync(path), target)
    }
  }
}

/** Packages of a scope lie one folder deeper. */
function entries(beside) {
  const names = readdirSync(beside).filter((name) => name !== '.bin')
  return names.flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(beside, name)).map((one) => join(beside, name, one)) : join(beside, name),
  )
}

/** Native modules come prebuilt; what they are made of stays behind. */
function isNeeded(path) {
  return !/better-sqlite3\/(deps|src)$/.test(path)
}

function link(at, target) {
  mkdirSync(dirname(at), { recursive: true })
  symlinkSync(relative(dirname(at), target), at)
}
