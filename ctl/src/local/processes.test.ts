import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTimeOf } from '@mcpg/core/process-identity'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { ctl } from '../../test/env.ts'

let stateDir: string
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'mcpg-'))
  mkdirSync(join(stateDir, 'run'))
  onTestFinished(() => rmSync(stateDir, { recursive: true, force: true }))
})

const run = (...args: string[]) => ctl(args, { variables: { MCPG_STATE_DIR: stateDir, MCPG_CP_URL: 'http://127.0.0.1:1' } })

/** A process that stands for a program of ours: it has a run file and ends on SIGTERM. */
async function program(file: string, endpoints: Record<string, string>, ignoresSignals = false) {
  const child = spawn(process.execPath, [
    '-e',
    `${ignoresSignals ? "process.on('SIGTERM', () => {});" : ''}setInterval(() => {}, 1e6); console.log('up')`,
  ])
  onTestFinished(() => void child.kill('SIGKILL'))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const pid = child.pid ?? -1
  write(file, { pid, startTime: startTimeOf(pid) ?? '', endpoints })
  return child
}

function write(file: string, { pid, startTime, endpoints }: { pid: number; startTime: string; endpoints: Record<string, string> }): void {
  writeFileSync(
    join(stateDir, 'run', file),
    JSON.stringify({ pid, startTime, version: '0.1.0', startedAt: '2026-01-01T00:00:00.000Z', endpoints }),
  )
}

describe('stop', () => {
  test('ends the gateway of quickstart and the control plane, and leaves other gateways unless --all', async () => {
    const controlPlane = await program('control-plane.json', { http: 'http://127.0.0.1:1' })
    const own = await program('gateway-quickstart.json', {})
    const other = await program('gateway-edge.json', {})
    const done = await run('stop')
    expect(done).toMatchObject({
      code: 0,
      stdout: `gateway quickstart stopped (pid ${own.pid})\ncontrol plane stopped (pid ${controlPlane.pid})\n`,
    })
    expect(done.stderr).toContain('still running: gateway edge')
    expect(other.exitCode ?? other.signalCode).toBeNull()
    expect((await run('stop', '--all')).stdout).toBe(`gateway edge stopped (pid ${other.pid})\n`)
  })

  test('nothing running is no failure, and a leftover file never ends a process that took its pid', async () => {
    const innocent = await program('other.json', {})
    write('control-plane.json', { pid: innocent.pid ?? -1, startTime: '1', endpoints: {} })
    expect(await run('stop')).toMatchObject({ code: 0, stdout: 'nothing is running\n' })
    expect(innocent.exitCode ?? innocent.signalCode).toBeNull()
  })

  test('a process that does not end is exit code 8 with the way out', async () => {
    const stubborn = await program('gateway-quickstart.json', {}, true)
    const done = await run('stop', '--timeout', '200ms')
    expect(done).toMatchObject({ code: 8, stderr: expect.stringContaining(`kill -9 ${stubborn.pid}`) as string })
  })

  test('a process that does not end keeps no other one alive', async () => {
    const stubborn = await program('gateway-a.json', {}, true)
    const controlPlane = await program('control-plane.json', { http: 'http://127.0.0.1:1' })
    const other = await program('gateway-b.json', {})
    const done = await run('stop', '--all', '--timeout', '2s')
    expect(done).toMatchObject({ code: 8, stderr: expect.stringContaining(`gateway a (pid ${stubborn.pid}) has not ended`) as string })
    expect(done.stdout).toBe(`gateway b stopped (pid ${other.pid})\ncontrol plane stopped (pid ${controlPlane.pid})\n`)
  })
})

test('status works with the control plane down and shows what runs here', async () => {
  const gateway = await program('gateway-edge.json', { mcp: 'http://127.0.0.1:7845/mcp' })
  const { code, stdout } = await run('status')
  expect(code).toBe(0)
  expect(stdout).toMatch(/control plane +not running/)
  expect(stdout).toMatch(new RegExp(`gateway edge +running +${gateway.pid}`))
  expect(JSON.parse((await run('status', '-o', 'json')).stdout)).toMatchObject({
    controlPlane: null,
    status: null,
    gateways: [{ name: 'edge' }],
  })
})

test('quickstart started twice says so with the URLs and starts nothing', async () => {
  const controlPlane = await program('control-plane.json', { http: 'http://127.0.0.1:1', console: 'http://127.0.0.1:1' })
  await program('gateway-quickstart.json', { mcp: 'http://127.0.0.1:2/mcp' })
  const done = await run('quickstart')
  expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining(`already running (pid ${controlPlane.pid})`) as string })
  expect(done.stdout).toContain('claude mcp add --transport http mcpg http://127.0.0.1:2/mcp')
})

describe('doctor', () => {
  const free = ['--bind-http', '127.0.0.1:0', '--bind-grpc', '127.0.0.1:0', '--bind', '127.0.0.1:0']

  test('finds nothing wrong with a fresh state dir', async () => {
    const { code, stdout } = await run('doctor', ...free)
    expect(stdout).not.toMatch(/ fail /)
    expect(stdout).toMatch(/node +ok/)
    expect(code).toBe(0)
  })

  test('names who holds a port, and fails', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { code, stdout } = await run('doctor', ...free, '--bind-http', `127.0.0.1:${port}`)
    expect(code).toBe(1)
    expect(stdout).toMatch(new RegExp(`port REST +fail +127.0.0.1:${port} is held by process ${process.pid} `))
  })

  test.each([
    ['a wide mode', () => chmodSync(stateDir, 0o755), /state dir +fail.*chmod 700/],
    ['a database without its key', () => writeFileSync(join(stateDir, 'mcpg.db'), ''), /keys +fail .*master\.key is missing/],
    ['a damaged database', () => writeFileSync(join(stateDir, 'mcpg.db'), 'no database at all'.repeat(100)), /database +fail/],
  ])('finds %s and the remedy', async (_what, harm, text) => {
    harm()
    const { code, stdout } = await run('doctor', ...free)
    expect(code).toBe(1)
    expect(stdout).toMatch(text)
  })
})

describe('--detach', () => {
  test('a start that fails prints the end of its log and ends with its exit code; the token is in no argv', async () => {
    const done = await run('gateway', '--detach', '--enrollment-url', 'ftp://127.0.0.1/enroll/mcpg_enr_planted')
    expect(done.code).toBe(2)
    expect(done.stderr).toMatch(/error: The gateway default ended with exit code 2[\s\S]*hint: the whole log: .*gateway-default\.log/)
    expect(done.stderr).not.toContain('mcpg_enr_planted')
    const log = join(stateDir, 'logs/gateway-default.log')
    expect(statSync(log).mode & 0o777).toBe(0o600)
    expect(readFileSync(log, 'utf8')).not.toContain('mcpg_enr_planted')
  })

  test('serves in the background until it is stopped', async () => {
    // The variable of --detach must not reach what is in the background already.
    const started = await ctl(['serve', '--bind-http', '127.0.0.1:0', '--bind-grpc', '127.0.0.1:0'], {
      variables: { MCPG_STATE_DIR: stateDir, MCPG_DETACH: '1' },
    })
    expect(started).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/control plane ready: console http:\/\/127\.0\.0\.1:\d+/) as string,
    })
    onTestFinished(() => void run('stop'))
    const status = await ctl(['status', '-o', 'json'], { variables: { MCPG_STATE_DIR: stateDir } })
    expect(JSON.parse(status.stdout)).toMatchObject({ status: { authMode: 'none' } })
    expect((await run('stop')).stdout).toMatch(/^control plane stopped/)
    expect((await run('stop')).stdout).toBe('nothing is running\n')
  })
})
