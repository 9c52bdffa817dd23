import { copyFile, constants, mkdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import { McpgError } from '@mcpg/proto/errors'
import type { Client } from './clients.ts'
import { jsonEntry, mergeJson } from './json-file.ts'
import { mergeToml, tomlEntry } from './toml-file.ts'
import type { Wanted } from './wanted.ts'

export type Written = { file: string; result: 'created' | 'added' | 'updated' | 'unchanged'; backup: string | undefined }

/**
 * Puts one entry into the file of a client and leaves everything else in it as it is, comments too. What was there is kept beside it.
 * Throws McpgError `conflict` when the name is somebody else's, `invalid` when the file cannot be understood; the file is untouched then.
 */
export async function writeClientFile(client: Client, file: string, wanted: Wanted): Promise<Written> {
  const before = await readExisting(file)
  const merged = (client.format === 'toml' ? mergeToml : mergeJson)(before ?? '', file, client.key, wanted)
  if (merged.result === 'unchanged') return { file, result: 'unchanged', backup: undefined }
  await mkdir(dirname(file), { recursive: true })
  // Through a link to what it points at, as an editor would.
  const target = before === undefined ? file : await realpath(file)
  const backup = before === undefined ? undefined : await keep(target)
  const mode = before === undefined ? 0o600 : (await stat(target)).mode & 0o777
  await writeFileAtomic(target, merged.text, mode)
  return { file, result: before === undefined ? 'created' : merged.result, backup }
}

/** What stands under the name now; undefined where nothing does, or where the file cannot be understood. */
export async function readEntry({ format, key }: Client, file: string, name: string): Promise<Record<string, unknown> | undefined> {
  const text = await readExisting(file)
  return text === undefined ? undefined : (format === 'toml' ? tomlEntry : jsonEntry)(text, key, name)
}

async function readExisting(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new McpgError('failed_precondition', 'client_file_unreadable', `${file} cannot be read: ${(error as Error).message}.`, {
      cause: error,
      hint: 'name another with --file',
    })
  }
}

/** Never over an earlier one. */
async function keep(file: string): Promise<string> {
  for (let number = 1; ; number++) {
    const backup = `${file}.before-mcpg-${number}`
    try {
      await copyFile(file, backup, constants.COPYFILE_EXCL)
      return backup
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
