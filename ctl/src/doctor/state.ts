import { existsSync, statSync } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { prepareStateDir } from '@mcpg/core/state-dir'
import type { RunFile } from '@mcpg/proto/run-files'
import type { Context } from '../context.ts'
import type { DatabaseOptions } from '../local/database.ts'
import { bytes } from '../output/age.ts'
import { credentialsFile, isPast, listCredentials } from '../sign-in/credentials.ts'
import { fail, ok, warn, type Check } from './check.ts'
import { checkPostgres } from './postgres.ts'

const mebibyte = 1024 * 1024

/** Owner, mode, space and lock of the state dir, then what is in it. Creates nothing. */
export async function checkState(context: Context, controlPlane: RunFile | null, options: DatabaseOptions): Promise<Check[]> {
  const folder = context.settings.stateDir
  const postgres = await checkPostgres(context, controlPlane, options)
  if (!existsSync(folder))
    return [
      ok('state dir', `${folder} is created at the first start`),
      await checkSpace(nearestFolder(folder)),
      ...(postgres ? [postgres.check] : []),
    ]
  const problem = await prepareStateDir(folder)
  if (problem) return [fail('state dir', problem.message, problem.fix)]
  return [
    ok('state dir', `${folder}, yours alone`),
    await checkSpace(folder),
    await checkLock(folder, controlPlane),
    ...(await checkSignIns(folder)),
    await checkKeys(folder, existsSync(join(folder, 'mcpg.db')) || postgres?.hasData === true),
    postgres?.check ?? (await checkDatabase(folder)),
  ]
}

/** What signs this user in at control planes; nothing where there is nothing. */
async function checkSignIns(folder: string): Promise<Check[]> {
  const path = join(folder, credentialsFile)
  const facts = await stat(path).catch(() => null)
  if (!facts) return []
  if (process.platform !== 'win32' && (facts.mode & 0o077) !== 0)
    return [fail('sign-in', `${path} can be read by others`, `chmod 600 ${path}`)]
  const kept = await listCredentials(folder).catch((error: Error) => error)
  if (kept instanceof Error) return [fail('sign-in', kept.message, `rm ${path}, then mcpg-ctl login`)]
  const ended = kept.filter((one) => isPast(one) && (one.kind === 'session' || one.refreshToken === null)).map(({ origin }) => origin)
  if (ended.length > 0) return [warn('sign-in', `over at ${ended.join(', ')}`, 'mcpg-ctl login')]
  return [ok('sign-in', kept.length === 0 ? 'nowhere' : `kept for ${kept.map(({ origin }) => origin).join(', ')}`)]
}

async function checkSpace(folder: string): Promise<Check> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const remedy = 'free space, or choose another disk with --state-dir'
  if (free < 64 * mebibyte) return fail('space', `${bytes(free)} are free on the disk of the state dir`, remedy)
  if (free < 1024 * mebibyte)
    return warn('space', `${bytes(free)} are free on the disk of the state dir; packages of servers need some hundred MiB`, remedy)
  return ok('space', `${bytes(free)} free`)
}

async function checkLock(folder: string, controlPlane: RunFile | null): Promise<Check> {
  if (controlPlane) return ok('lock', `held by the control plane (pid ${controlPlane.pid})`)
  if (!existsSync(join(folder, 'lock.db'))) return ok('lock', 'free')
  try {
    const { lockFolder } = await import('@mcpg/core/state-lock')
    const release = lockFolder(folder)
    if (!release)
      return warn(
        'lock',
        'held by a process that has no run file: it is starting, ending, or its run file was deleted',
        `see who: fuser -v ${join(folder, 'lock.db')}`,
      )
    release()
    return ok('lock', 'free')
  } catch (error) {
    return fail(
      'lock',
      `cannot be taken: ${(error as Error).message}`,
      `rm ${join(folder, 'lock.db')} while nothing runs on this state dir`,
    )
  }
}

/** A database without its key is locked for ever, so a missing key beside data is the worst there is. */
async function checkKeys(folder: string, hasData: boolean): Promise<Check> {
  const key = join(folder, 'master.key')
  const facts = await stat(key).catch(() => null)
  if (!facts && hasData)
    return fail(
      'keys',
      `${key} is missing beside a database`,
      'restore it from the backup that belongs to this database (or name it with --master-key-file at serve)',
    )
  if (!facts) return ok('keys', 'created at the first start of a control plane')
  if (facts.size !== 32) return fail('keys', `${key} has ${facts.size} bytes instead of 32`, 'restore it from a backup')
  if (process.platform !== 'win32' && (facts.mode & 0o077) !== 0) return fail('keys', `${key} can be read by others`, `chmod 600 ${key}`)
  return ok('keys', 'the master key is there and yours alone')
}

async function checkDatabase(folder: string): Promise<Check> {
  const path = join(folder, 'mcpg.db')
  if (!existsSync(path)) return ok('database', 'created at the first start of a control plane')
  const size = bytes(statSync(path).size)
  try {
    const { default: Database } = await import('better-sqlite3')
    const database = new Database(path, { readonly: true, fileMustExist: true, timeout: 1000 })
    try {
      // Reads every page; a database too big for that here is only opened.
      const verdict = statSync(path).size < 256 * mebibyte ? String(database.pragma('quick_check(1)', { simple: true })) : 'ok'
      const { migrations } = database
        .prepare('SELECT count(*) AS migrations FROM _prisma_migrations WHERE finished_at IS NOT NULL')
        .get() as { migrations: number }
      return verdict === 'ok'
        ? ok('database', `${size}, ${migrations} migrations`)
        : fail('database', `damaged: ${verdict}`, 'restore it from a backup')
    } finally {
      database.close()
    }
  } catch (error) {
    return fail('database', `${path} cannot be read: ${(error as Error).message}`, 'restore it from a backup')
  }
}

const nearestFolder = (path: string): string => (existsSync(path) ? path : nearestFolder(dirname(path)))
