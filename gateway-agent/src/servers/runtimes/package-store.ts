import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import type { Clock } from '@mcpg/core/clock'
import { lockFolder } from '@mcpg/core/state-lock'
import { z } from 'zod'
import { StartFailure } from './runtime.ts'

const StoredPackage = z.object({ name: z.string(), version: z.string(), integrity: z.string().optional() })
export type StoredPackage = z.infer<typeof StoredPackage> & { folder: string }

/** One at most `limit` at a time, in order of arrival. */
export function installSlots(limit: number) {
  const waiting: (() => void)[] = []
  let taken = 0
  return async function inSlot<Result>(work: () => Promise<Result>): Promise<Result> {
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

export type InstallSlots = ReturnType<typeof installSlots>
export type PackageDeps = { cacheDir: string; clock: Clock; installMs: number; inSlot: InstallSlots }

/**
 * `<cache>/packages/<sha256 of name@version>/`, shared by every agent of the machine: what is there under its final name is complete,
 * because it got that name last. `mcpg-package.json` in it says what it is.
 */
export function packageStore({ cacheDir, clock, installMs, inSlot }: PackageDeps) {
  const packages = join(cacheDir, 'packages')
  return { find, install, folderOf }

  function folderOf(name: string, version: string, variant: string): string {
    return join(packages, hash(`${name}@${version}${variant}`))
  }

  async function find(name: string, version: string, variant: string): Promise<StoredPackage | null> {
    const folder = folderOf(name, version, variant)
    try {
      return { ...StoredPackage.parse(JSON.parse(await readFile(join(folder, 'mcpg-package.json'), 'utf8'))), folder }
    } catch {
      return null
    }
  }

  /**
   * Fills a temporary folder by `fill` and gives it its name. Two that want the same package wait for each other, across processes;
   * what a killed one left half done is removed. `relocatable: false` is filled in place, for what knows its own path.
   */
  async function install(
    want: { name: string; spec: string; variant: string; inPlace?: string },
    fill: (folder: string, signal: AbortSignal) => Promise<{ version: string; integrity?: string | undefined }>,
    signal: AbortSignal,
  ): Promise<StoredPackage> {
    return inSlot(async () => {
      const late = new AbortController()
      const cancel = clock.after(installMs, () => late.abort())
      const either = AbortSignal.any([signal, late.signal])
      try {
        return await inLock(want, fill, either)
      } catch (error) {
        if (late.signal.aborted) throw new StartFailure('InstallFailed', `${want.spec} was not installed within ${installMs / 1000} s`)
        throw error
      } finally {
        cancel()
      }
    })
  }

  async function inLock(
    { name, spec, variant, inPlace }: Parameters<typeof install>[0],
    fill: Parameters<typeof install>[1],
    signal: AbortSignal,
  ) {
    const key = hash(`${spec}${variant}`)
    const lock = join(packages, '.locks', key)
    await mkdir(lock, { recursive: true, mode: 0o700 })
    const release = await takeLock(lock, signal)
    try {
      for (const left of await readdir(packages)) if (left.startsWith(`.tmp-${key}-`)) await remove(join(packages, left))
      if (inPlace !== undefined) {
        // Another agent may have been faster while this one waited.
        const found = await find(name, inPlace, variant)
        if (found) return found
      }
      const folder =
        inPlace === undefined ? join(packages, `.tmp-${key}-${randomBytes(4).toString('hex')}`) : folderOf(name, inPlace, variant)
      await remove(folder)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      try {
        const { version, integrity } = await fill(folder, signal)
        const stored = { name, version, ...(integrity === undefined ? {} : { integrity }) }
        await writeFileAtomic(join(folder, 'mcpg-package.json'), JSON.stringify(stored))
        return { ...stored, folder: inPlace === undefined ? await giveName(folder, folderOf(name, version, variant)) : folder }
      } catch (error) {
        await remove(folder)
        throw error
      }
    } finally {
      release()
    }
  }

  async function giveName(folder: string, final: string): Promise<string> {
    try {
      await rename(folder, final)
    } catch (error) {
      // Another spec may stand for the same version; a folder without its description is damaged.
      const complete = await readFile(join(final, 'mcpg-package.json')).then(
        () => true,
        () => false,
      )
      if (!complete && (error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
      if (!complete) await remove(final)
      if (complete) await remove(folder)
      else await rename(folder, final)
    }
    return final
  }
}

export type PackageStore = ReturnType<typeof packageStore>

async function takeLock(folder: string, signal: AbortSignal): Promise<() => void> {
  for (;;) {
    const release = lockFolder(folder)
    if (release) return release
    await sleep(100, undefined, { signal })
  }
}

const remove = (folder: string) => rm(folder, { recursive: true, force: true, maxRetries: 3 })
const hash = (text: string) => createHash('sha256').update(text).digest('hex')
