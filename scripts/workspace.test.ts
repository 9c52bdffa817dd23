import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { productPath, withoutSecrets } from './workspace.mjs'

const workspace = pathToFileURL(join(import.meta.dirname, 'workspace.mjs')).href

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcpg-lock-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})

/** A process that takes the step `bundle`, says so, and runs `body` in it. */
function builder(body: string) {
  const code = `import { existsSync } from 'node:fs'
    import { exclusively } from ${JSON.stringify(workspace)}
    const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
    exclusively('bundle', () => { process.stderr.write('taken\\n'); ${body} }, ${JSON.stringify(folder)})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  return { child, output: () => output, says: (text: string) => expect.poll(() => output, { timeout: 10_000 }).toContain(text) }
}

const ended = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve))

test('a step that another process has is waited for, and that is told once', async () => {
  const done = `${folder}.done`
  onTestFinished(() => rmSync(done, { force: true }))
  const first = builder(`while (!existsSync(${JSON.stringify(done)})) wait(10)`)
  await first.says('taken')
  const second = builder('')
  await second.says('waiting')
  writeFileSync(done, '')
  expect(await ended(second.child)).toBe(0)
  expect(second.output()).toBe(`mcpg: waiting for another build (pid ${first.child.pid})\ntaken\n`)
  expect(readdirSync(folder)).toEqual([])
})

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('a step whose process was ended by %s is taken over at once', async (signal) => {
  const first = builder('wait(60_000)')
  await first.says('taken')
  const waiting = builder('')
  await waiting.says('waiting')
  waiting.child.kill('SIGKILL')
  first.child.kill(signal)
  await ended(first.child)
  const next = builder('')
  expect(await ended(next.child)).toBe(0)
  expect(next.output()).toBe('taken\n')
  expect(readdirSync(folder)).toEqual([])
})

test('a lock that names nobody is taken over', async () => {
  mkdirSync(join(folder, 'bundle.lock'))
  const next = builder('')
  expect(await ended(next.child)).toBe(0)
  expect(next.output()).toBe('taken\n')
})

test('the values of secret flags leave argv for the variables that mean the same', () => {
  expect(
    withoutSecrets(['gateway', '--enrollment-url', 'http://x/enroll/e', '--name', 'a', '--token=t=1', '--session-cookie', 'c']),
  ).toEqual({
    args: ['gateway', '--name', 'a'],
    secrets: { MCPG_ENROLLMENT_URL: 'http://x/enroll/e', MCPG_TOKEN: 't=1', MCPG_SESSION_COOKIE: 'c' },
  })
  expect(withoutSecrets(['get', '--token'])).toEqual({ args: ['get', '--token'], secrets: {} })
  expect(withoutSecrets(['mcp', '--', '--token', 't'])).toEqual({ args: ['mcp', '--', '--token', 't'], secrets: {} })
})

test('the program does not see what npm adds to PATH', () => {
  expect(productPath('/node', '/clone/node_modules/.bin:/node_modules/.bin:/npm/lib/node-gyp-bin:/usr/bin:/home/me/.bin')).toBe(
    '/node:/usr/bin:/home/me/.bin',
  )
})
