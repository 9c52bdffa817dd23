import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { writeFileAtomic } from './atomic-file.ts'
import { isSameProcess, startTimeOf } from './process-identity.ts'
import { prepareStateDir } from './state-dir.ts'
import { lockFolder } from './state-lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'mcpg-state-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('prepareStateDir', () => {
  it('creates the folder for the owner only', async () => {
    const path = join(folder, 'new/deep')
    expect(await prepareStateDir(path)).toBeNull()
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  it('refuses a folder others can read, and mends it when told to', async () => {
    const path = join(folder, 'wide')
    await mkdir(path)
    chmodSync(path, 0o755)
    expect(await prepareStateDir(path)).toMatchObject({ reason: 'wide_mode', fix: `chmod 700 ${path}` })
    expect(await prepareStateDir(path, { fixPermissions: true })).toBeNull()
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  it.runIf(process.platform === 'linux')('says where no folder can be made, instead of trying for ever', async () => {
    const message = '/proc/mcpg/deep cannot be created: /proc takes no new folders (ENOENT)'
    expect(await prepareStateDir('/proc/mcpg/deep')).toMatchObject({ reason: 'not_writable', message })
  })

  it('says that a file is no folder', async () => {
    const path = join(folder, 'file')
    writeFileSync(path, '')
    expect(await prepareStateDir(path)).toMatchObject({ reason: 'not_a_folder' })
  })
})

describe('lockFolder', () => {
  it('is held once, and free again when released', () => {
    const release = lockFolder(folder)
    expect(release).toBeTypeOf('function')
    expect(lockFolder(folder)).toBeNull()
    release!()
    const again = lockFolder(folder)
    expect(again).toBeTypeOf('function')
    again!()
  })

  it('dies with a process that is killed', async () => {
    const script = `import { lockFolder } from ${JSON.stringify(join(import.meta.dirname, 'state-lock.ts'))}
      // Kept where nothing collects it: with its release goes the lock.
      globalThis.release = lockFolder(${JSON.stringify(folder)})
      if (!globalThis.release) process.exit(1)
      console.log('held'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    expect(lockFolder(folder)).toBeNull()
    child.kill('SIGKILL')
    await once(child, 'exit')
    const release = lockFolder(folder)
    expect(release).toBeTypeOf('function')
    release!()
  })
})

describe('writeFileAtomic', () => {
  it('replaces the content and leaves no temporary file, mode 0600', async () => {
    const path = join(folder, 'atomic.json')
    await writeFileAtomic(path, 'one')
    await writeFileAtomic(path, 'two')
    expect(readFileSync(path, 'utf8')).toBe('two')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('keeps the old file and throws when it cannot write', async () => {
    await expect(writeFileAtomic(join(folder, 'missing/x'), 'one')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('process identity', () => {
  it('tells a living process from another start time and from a dead one', async () => {
    const start = startTimeOf(process.pid)!
    expect(isSameProcess(process.pid, start)).toBe(true)
    if (process.platform === 'linux') expect(isSameProcess(process.pid, '1')).toBe(false)
    const child = spawn('true')
    await once(child, 'exit')
    expect(startTimeOf(child.pid!)).toBeNull()
  })
})
