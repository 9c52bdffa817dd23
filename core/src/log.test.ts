import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createLog } from './log.ts'
import { redact } from './redact.ts'

const folder = mkdtempSync(join(tmpdir(), 'mcpg-log-'))
afterAll(() => rmSync(folder, { recursive: true }))

const token = `mcpg_enr_${'A1b-'.repeat(10)}abc_Zz09-_`

it.each([
  ['a token', token],
  ['an enrollment URL with any token', 'http://127.0.0.1:7843/enroll/abc123#pin=sha256:x'],
  ['a bearer header', 'Authorization: Bearer abcdefghijklmnopqrstuvwxyz'],
  ['a password in a URL', 'postgres://user:hunter2@db/x'],
])('takes %s out of a text', (_what, text) => {
  const clean = redact(text)
  for (const secret of [token, 'abc123', 'abcdefghijklmnopqrstuvwxyz', 'hunter2']) expect(clean).not.toContain(secret)
  expect(clean).toContain('[redacted]')
})

it.each([true, false])('writes a planted token nowhere: message, field, nested field, error, stack (json: %s)', (json) => {
  const lines: string[] = []
  const log = createLog({ level: 'trace', json }, { sink: { write: (line) => void lines.push(line) } })
  log.info({ url: `http://127.0.0.1/enroll/${token}`, deep: { token } }, `redeeming ${token}`)
  log.error({ err: new Error(`refused ${token}`) }, 'failed')
  expect(lines.join('')).toMatch(/redeeming/)
  expect(lines.join('')).toMatch(/failed/)
  expect(lines.join('')).not.toContain(token)
})

it('creates its file for the owner only', () => {
  const file = join(folder, 'a.log')
  const log = createLog({ level: 'info', json: true, file })
  log.info('hello')
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ msg: 'hello' })
  expect(statSync(file).mode & 0o777).toBe(0o600)
})
