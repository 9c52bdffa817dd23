import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

type Cleanup = () => unknown
const perTest: Cleanup[] = []
const perFile: Cleanup[] = []
let inTest = true

/** Registers what closes something a test opened; runs in reverse order. Call `shareWithFile()` first for what lives as long as the file. */
export function closeLater(close: Cleanup): void {
  ;(inTest ? perTest : perFile).push(close)
}

/** What is opened inside lives until the last test of the file. */
export async function shareWithFile<T>(open: () => Promise<T>): Promise<T> {
  inTest = false
  try {
    return await open()
  } finally {
    inTest = true
  }
}

export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'mcpg-'))
  closeLater(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
  return path
}

async function drain(list: Cleanup[]): Promise<void> {
  const failures: unknown[] = []
  for (let close = list.pop(); close; close = list.pop())
    await Promise.resolve()
      .then(close)
      .catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

/** Closes everything; for scripts, which run outside vitest and have no hooks. */
export const closeAll = () => drain(perTest)

if (process.env['VITEST']) {
  const { afterAll, afterEach } = await import('vitest')
  afterEach(() => drain(perTest))
  afterAll(() => drain(perFile))
}
