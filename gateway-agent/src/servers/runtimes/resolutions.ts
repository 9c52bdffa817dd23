import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import { z } from 'zod'

const Resolution = z.object({ version: z.string(), integrity: z.string().optional() })
export type Resolution = z.infer<typeof Resolution>

/** More than any config names; the oldest are forgotten beyond it. */
const maxKept = 500

/**
 * `<gateway folder>/resolutions.json`: which version a package without an exact one stands for on this gateway. An entry is never
 * replaced: a raised `upgrades` makes a new key, so that a rollback finds the version that worked.
 */
export function resolutions(folder: string) {
  const path = join(folder, 'resolutions.json')
  const known = new Map(Object.entries(read(path)))
  let writing = Promise.resolve()
  return { get: (key: string) => known.get(key), set }

  function set(key: string, resolution: Resolution): Promise<void> {
    known.set(key, resolution)
    for (const oldest of known.keys()) {
      if (known.size <= maxKept) break
      known.delete(oldest)
    }
    writing = writing.catch(() => {}).then(() => writeFileAtomic(path, `${JSON.stringify(Object.fromEntries(known), null, 2)}\n`))
    return writing
  }
}

export type Resolutions = ReturnType<typeof resolutions>

/** A damaged file costs a new resolution, not the servers. */
function read(path: string): Record<string, Resolution> {
  try {
    return z.record(z.string(), Resolution).parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return {}
  }
}
