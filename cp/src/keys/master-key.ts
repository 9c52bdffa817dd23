import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import { McpgError } from '@mcpg/proto/errors'

const length = 32

/**
 * Reads the 32 bytes under which every other key is sealed. The file is made only where nothing is sealed yet: a new key beside old
 * data would lock that data for ever. Throws failed_precondition `master_key_missing`, `master_key_damaged`, `master_key_wide_mode`.
 */
export async function openMasterKey(path: string, hasSealedKeys: () => Promise<boolean>): Promise<Buffer> {
  const found = await readKey(path)
  if (found) return found
  if (await hasSealedKeys())
    throw new McpgError(
      'failed_precondition',
      'master_key_missing',
      `The database holds keys sealed under ${path}, and that file is missing.`,
      {
        hint: `restore ${path} from the backup that belongs to this database, or name it with --master-key-file`,
      },
    )
  const key = randomBytes(length)
  await writeFileAtomic(path, key, 0o600)
  return key
}

async function readKey(path: string): Promise<Buffer | null> {
  let key: Buffer
  try {
    key = await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new McpgError('failed_precondition', 'master_key_unreadable', `The master key ${path} cannot be read.`, {
      cause: error,
      hint: `ls -l ${path}`,
    })
  }
  if (key.length !== length)
    throw new McpgError('failed_precondition', 'master_key_damaged', `${path} has ${key.length} bytes, a master key has ${length}.`, {
      hint: `restore ${path} from a backup`,
    })
  const { mode } = await stat(path)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw new McpgError(
      'failed_precondition',
      'master_key_wide_mode',
      `${path} can be read by others (mode ${(mode & 0o777).toString(8)}).`,
      {
        hint: `chmod 600 ${path}`,
      },
    )
  return key
}
