import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import { setupCodeFile } from '@mcpg/proto/run-files'

export type SetupCode = ReturnType<typeof setupCode>

/**
 * The one-time code that creates the first user: 128 random bits in the state dir (0600), so that whoever may read it there, or saw it
 * printed, may set the installation up. It survives a restart and goes once it was used.
 */
export function setupCode(stateDir: string) {
  const path = join(stateDir, setupCodeFile)
  return { ensure, matches, forget }

  async function ensure(): Promise<string> {
    const kept = await read()
    if (kept) return kept
    const code = randomBytes(16)
      .toString('hex')
      .replace(/.{8}(?=.)/g, '$&-')
    await writeFileAtomic(path, `${code}\n`)
    return code
  }

  async function matches(given: string): Promise<boolean> {
    const kept = await read()
    return kept !== null && timingSafeEqual(digest(kept), digest(given))
  }

  async function forget(): Promise<void> {
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }

  async function read(): Promise<string | null> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
    return text.trim() || null
  }
}

const digest = (code: string): Buffer => createHash('sha256').update(code.toLowerCase()).digest()
