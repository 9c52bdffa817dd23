import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import type { Clock } from '@mcpg/core/clock'
import { lockFolder } from '@mcpg/core/state-lock'
import { z } from 'zod'
import { StartFailure } from './runtime.ts'

const Description = z.object({ name: z.string(), version: z.string(), integrity: z.string().optional() })
export type StoredPackage = z.infer<typeof Description> & { folder: string }

export type InstallSlots = <Result>(work: () => Promise<Result>) => Promise<Result>

/** So many at a time, in order of arrival. */
export function installSlots(limit: number): InstallSlots {
  const waiting: (() => void)[] = []
  let taken = 0
  return async function inSlot(work) {
    if (taken < limit) taken++
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else taken--
    }
  }
}

export type PackageDeps = { cacheDir: string; clock: Clock; installMs: number; inSlot: InstallSlots }

export type Installation = {
  name: string
  /** What is asked for, as the package manager spells it; those that ask for the same wait for each other. */
  spec: string
  /** Tells contents of the same version apart. */
  variant: string
  /** The version that the spec stands for, as far as it is known; asked again when it is this one's turn. */
  known: () => string | undefined
  /** Filled where it will stay, for what knows its own path; needs a known version. */
  inPlace?: boolean
  /** Installs into an empty folder. */
  fill: (folder: string, signal: AbortSignal) => Promise<{ version: string; integrity?: string | undefined }>
}

/**
 * `<cache>/packages/<sha256 of name@version>/`, shared by every agent of the machine. `mcpg-package.json` in it is written last and says
 * what it is; a folder without it is half installed.
 */
export function packageStore({ cacheDir, clock, installMs, inSlot }: PackageDeps) {
  const packages = join(cacheDir, 'packages')
  return { find, install }

  async function find({ name, variant }: { name: string; variant: string }, version: string): Promise<StoredPackage | null> {
    const folder = folderOf(`${name}@${version}${variant}`)
    const description = await readDescription(folder)
    return description && { ...description, folder }
  }

  /** Rejects with StartFailure when `fill` does, or after the deadline; what a killed agent left half done is removed first. */
  function install(wanted: Installation, signal: AbortSignal): Promise<StoredPackage> {
    return inSlot(async () => {
      const late = new AbortController()
      const cancel = clock.after(installMs, () => late.abort())
      try {
        return await inLock(wanted, AbortSignal.any([signal, late.signal]))
      } catch (error) {
        if (late.signal.aborted) throw new StartFailure('InstallFailed', `${wanted.spec} was not installed within ${installMs / 1000} s`)
        if (error instanceof StartFailure || signal.aborted) throw error
        throw new StartFailure(
          'InstallFailed',
          `${wanted.spec} was not installed: ${error instanceof Error ? error.message : String(error)}`,
        )
      } finally {
        cancel()
      }
    })
  }

  async function inLock(wanted: Installation, signal: AbortSignal): Promise<StoredPackage> {
    const key = hash(`${wanted.spec}${wanted.variant}`)
    const lock = join(packages, '.locks', key)
    await mkdir(lock, { recursive: true, mode: 0o700 })
    const release = await takeLock(lock, signal)
    try {
      // Whoever made them held this lock, so nobody works on them any more.
      for (const left of await readdir(packages)) if (left.startsWith(`.tmp-${key}-`)) await remove(join(packages, left))
      const version = wanted.known()
      // Another server or agent may have been faster while this one waited.
      const found = version === undefined ? null : await find(wanted, version)
      return found ?? (await fillFolder(wanted, key, { version, signal }))
    } finally {
      release()
    }
  }

  async function fillFolder(
    { name, variant, inPlace = false, fill }: Installation,
    key: string,
    { version, signal }: { version: string | undefined; signal: AbortSignal },
  ): Promise<StoredPackage> {
    const stays = inPlace && version !== undefined
    const folder = stays ? folderOf(`${name}@${version}${variant}`) : join(packages, `.tmp-${key}-${randomBytes(4).toString('hex')}`)
    await remove(folder)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    try {
      const filled = await fill(folder, signal)
      const description = { name, version: filled.version, ...(filled.integrity === undefined ? {} : { integrity: filled.integrity }) }
      await writeFileAtomic(join(folder, 'mcpg-package.json'), JSON.stringify(description))
      const final = folderOf(`${name}@${filled.version}${variant}`)
      if (!stays) await giveName(folder, final)
      return { ...description, folder: final }
    } catch (error) {
      await remove(folder)
      throw error
    }
  }

  function folderOf(content: string): string {
    return join(packages, hash(content))
  }
}

async function giveName(folder: string, final: string): Promise<void> {
  // Another spec may stand for the same version, and be used already; a folder that is not complete is nobody's.
  if (await readDescription(final)) return remove(folder)
  await remove(final)
  try {
    await rename(folder, final)
  } catch (error) {
    if (!(await readDescription(final))) throw error
    await remove(folder)
  }
}

async function readDescription(folder: string): Promise<z.infer<typeof Description> | null> {
  try {
    return Description.parse(JSON.parse(await readFile(join(folder, 'mcpg-package.json'), 'utf8')))
  } catch {
    return null
  }
}

async function takeLock(folder: string, signal: AbortSignal): Promise<() => void> {
  for (;;) {
    const release = lockFolder(folder)
    if (release) return release
    await sleep(100, undefined, { signal })
  }
}

const remove = (folder: string) => rm(folder, { recursive: true, force: true, maxRetries: 3 })
const hash = (text: string) => createHash('sha256').update(text).digest('hex')
