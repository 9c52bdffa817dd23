import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setupCodeFile } from '@mcpg/proto/run-files'

/** The code of the control plane of this state dir, which creates its first user; null when there is none or it is not ours to read. */
export async function readSetupCode(stateDir: string): Promise<string | null> {
  return (await readFile(join(stateDir, setupCodeFile), 'utf8').catch(() => '')).trim() || null
}
