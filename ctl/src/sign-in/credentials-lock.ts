import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { McpgError } from '@mcpg/proto/errors'

/** A refresh is three requests of 10 s at most. */
const patienceMs = 45_000
const lookAgainMs = 50

/** Makes this process the only one that changes the sign-ins of a state dir; the answer lets the others. Throws unavailable when another keeps it too long. */
export async function lockCredentials(stateDir: string): Promise<() => void> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const release = await tryLockCredentials(stateDir)
    if (release) return release
    if (performance.now() > deadline)
      throw new McpgError(
        'unavailable',
        'credentials_busy',
        'Another mcpg-ctl keeps the sign-ins of this state dir to itself for too long.',
        {
          hint: `see who: fuser -v ${join(folderOf(stateDir), 'lock.db')}`,
        },
      )
    await delay(lookAgainMs)
  }
}

/** The same without waiting: null while another process has it. */
export async function tryLockCredentials(stateDir: string): Promise<(() => void) | null> {
  const { lockFolder } = await import('@mcpg/core/state-lock')
  mkdirSync(folderOf(stateDir), { recursive: true, mode: 0o700 })
  return lockFolder(folderOf(stateDir))
}

const folderOf = (stateDir: string): string => join(stateDir, 'run', 'sign-in')
