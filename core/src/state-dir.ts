import { constants } from 'node:fs'
import { access, chmod, mkdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** What is wrong with a state folder; `fix` is the command that mends it. */
export type StateDirProblem = { reason: 'not_a_folder' | 'wide_mode' | 'other_owner' | 'not_writable'; message: string; fix: string }

export const defaultStateDir = (): string => join(homedir(), '.mcpg')

/** Creates the folder (0700) if it is missing and looks at owner, mode and rights. Null when it is fine. */
export async function prepareStateDir(path: string, { fixPermissions = false } = {}): Promise<StateDirProblem | null> {
  try {
    await makeFolder(path)
  } catch (error) {
    const { code = 'unknown error', path: refused = path } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOTDIR')
      return { reason: 'not_a_folder', message: `${path} is not a folder`, fix: `choose another with --state-dir` }
    return {
      reason: 'not_writable',
      message: `${path} cannot be created: ${dirname(refused)} takes no new folders (${code})`,
      fix: 'choose another with --state-dir',
    }
  }
  if (process.platform === 'win32') return null
  return inspect(path, fixPermissions)
}

/** With its parents. One by one: in a file system like /proc the recursive mkdir of Node goes round for ever. */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return
  const parent = dirname(path)
  if (parent !== path) await makeFolder(parent)
  await mkdir(path, { mode: 0o700 }).catch(async (error: unknown) => {
    // Another process may have been first.
    if (!(await isFolder(path))) throw error
  })
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  )
}

async function inspect(path: string, fixPermissions: boolean): Promise<StateDirProblem | null> {
  const facts = await stat(path)
  if (!facts.isDirectory()) return { reason: 'not_a_folder', message: `${path} is not a folder`, fix: 'choose another with --state-dir' }
  const uid = process.getuid?.() ?? facts.uid
  if (facts.uid !== uid)
    return {
      reason: 'other_owner',
      message: `${path} belongs to uid ${facts.uid}, this process is uid ${uid}`,
      fix: `sudo chown -R ${uid} ${path}`,
    }
  if ((facts.mode & 0o077) !== 0 && fixPermissions) await chmod(path, 0o700)
  else if ((facts.mode & 0o077) !== 0)
    return {
      reason: 'wide_mode',
      message: `${path} can be read by others (mode ${(facts.mode & 0o777).toString(8)})`,
      fix: `chmod 700 ${path}`,
    }
  const writable = await access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  return writable ? null : { reason: 'not_writable', message: `${path} is not writable`, fix: 'choose another with --state-dir' }
}
