import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSameProcess } from '@mcpg/core/process-identity'
import { z } from 'zod'

const InstanceFile = z.object({ marker: z.string(), bootId: z.string(), pid: z.number().int(), startTime: z.string() })
export type InstanceFile = z.infer<typeof InstanceFile>

/**
 * `<gateway folder>/run/instances/<id>.json`: what was started and not yet seen gone, for the next start of this agent. Written before
 * the process exists. No fsync: after a crash of the machine there is nothing to sweep, and the boot id says so.
 */
export function instanceFiles(folder: string) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return { write, remove, list }

  function write(instanceId: string, { marker, pid, startTime }: Omit<InstanceFile, 'bootId'>): void {
    const path = join(folder, `${instanceId}.json`)
    writeFileSync(`${path}.tmp`, JSON.stringify({ marker, bootId: bootId(), pid, startTime }), { mode: 0o600 })
    renameSync(`${path}.tmp`, path)
  }

  function remove(instanceId: string): void {
    rmSync(join(folder, `${instanceId}.json`), { force: true })
  }

  /** Unreadable files are removed: their content is worth nothing without the rest of it. */
  function list(): { instanceId: string; file: InstanceFile }[] {
    return readdirSync(folder).flatMap((name) => {
      const file = readFile(join(folder, name))
      if (!file) rmSync(join(folder, name), { force: true, recursive: true })
      return file ? [{ instanceId: name.replace(/\.json$/, ''), file }] : []
    })
  }
}

/** True while exactly the process of this file lives; a pid alone is reused, and so are start times after a reboot. */
export function isAlive(file: InstanceFile): boolean {
  return file.bootId === bootId() && file.pid > 0 && isSameProcess(file.pid, file.startTime)
}

function readFile(path: string): InstanceFile | undefined {
  try {
    return path.endsWith('.json') ? InstanceFile.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined
  } catch {
    return undefined
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
