import { prepareStateDir } from '@mcpg/core/state-dir'
import { lockFolder } from '@mcpg/core/state-lock'
import { McpgError } from '@mcpg/proto/errors'
import { findRunning } from './run-file.ts'

/** Makes the state dir ready and takes it for this process; the answer releases. Throws when it cannot be used or is in use. */
export async function takeStateDir(path: string): Promise<() => void> {
  const problem = await prepareStateDir(path)
  if (problem)
    throw new McpgError('failed_precondition', `state_dir_${problem.reason}`, `The state dir cannot be used: ${problem.message}.`, {
      hint: problem.fix,
    })
  const release = lock(path)
  if (release) return release
  const running = await findRunning(path)
  const who = running
    ? `the control plane with pid ${running.pid} at ${running.endpoints.http}`
    : 'another process that is starting or ending'
  throw new McpgError('failed_precondition', 'state_dir_locked', `The state dir ${path} is in use by ${who}.`, {
    hint: 'mcpg-ctl status shows it, mcpg-ctl stop ends it; a second control plane needs a --state-dir of its own.',
  })
}

function lock(path: string): (() => void) | null {
  try {
    return lockFolder(path)
  } catch (error) {
    const full = /SQLITE_FULL|ENOSPC|disk is full/.test(`${(error as { code?: string }).code} ${(error as Error).message}`)
    throw full
      ? new McpgError('unavailable', 'disk_full', `The disk of the state dir ${path} is full.`, {
          hint: `Free some space: df -h ${path}`,
          cause: error,
        })
      : new McpgError(
          'failed_precondition',
          'state_dir_not_writable',
          `The state dir ${path} cannot be locked: ${(error as Error).message}.`,
          {
            hint: 'mcpg-ctl doctor looks at owner, mode and space.',
            cause: error,
          },
        )
  }
}
