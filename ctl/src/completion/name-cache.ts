import { createHash } from 'node:crypto'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '@mcpg/core/atomic-file'

/** So long a list is not asked for again: a person who completes presses the key several times. */
const freshMs = 5_000
/** So long an old list is better than none while the control plane does not answer. */
const usableMs = 86_400_000

/**
 * Names that were listed before, in the cache folder of a state dir that is there already. `key` says what was asked, where and by whom;
 * `list` answers null when there was no answer in time.
 */
export async function cachedNames(
  stateDir: string,
  key: string[],
  list: () => Promise<string[] | null>,
  now = Date.now(),
): Promise<string[]> {
  const folder = join(stateDir, 'cache', 'completion')
  const file = join(folder, `${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32)}.json`)
  const known = await read(file)
  if (known && now - known.at < freshMs) return known.names
  const names = await list()
  if (names === null) return known && now - known.at < usableMs ? known.names : []
  await keep(stateDir, folder, file, { at: now, names })
  return names
}

type Known = { at: number; names: string[] }

async function read(file: string): Promise<Known | undefined> {
  try {
    const known = JSON.parse(await readFile(file, 'utf8')) as Partial<Known>
    return typeof known.at === 'number' && Array.isArray(known.names) ? { at: known.at, names: known.names.map(String) } : undefined
  } catch {
    return undefined
  }
}

/** A shell that completes has nowhere to show that a disk is full. */
async function keep(stateDir: string, folder: string, file: string, known: Known): Promise<void> {
  try {
    if (!(await stat(stateDir)).isDirectory()) return
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFileAtomic(file, JSON.stringify(known))
  } catch {
    // Asked again the next time.
  }
}
