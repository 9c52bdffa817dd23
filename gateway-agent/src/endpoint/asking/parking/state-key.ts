import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '@mcpg/core/atomic-file'

const keyBytes = 32

/**
 * The key of parked calls, `request-state.key` in the gateway's folder: kept, so that after a restart a client is told what happened
 * instead of being taken for a forger. A file of another size is replaced: all it could open is gone with the process that made it.
 */
export async function stateKey(folder: string): Promise<Buffer> {
  const path = join(folder, 'request-state.key')
  const known = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (known?.length === keyBytes) return known
  const made = randomBytes(keyBytes)
  await writeFileAtomic(path, made)
  return made
}
