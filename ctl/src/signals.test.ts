import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSameProcess } from '@mcpg/core/process-identity'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { findControlPlane, listGateways } from './local/run-files.ts'

let stateDir: string
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'mcpg-'))
  onTestFinished(() => rmSync(stateDir, { recursive: true, force: true }))
})

function start(...args: string[]) {
  const { MCPG_STATE_DIR: _, ...env } = process.env
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args, '--state-dir', stateDir], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
    for (const { pid, startTime } of await listGateways(stateDir)) if (isSameProcess(pid, startTime)) process.kill(pid, 'SIGKILL')
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  return { child, ended, output: () => output, says: (text: string) => expect.poll(() => output, { timeout: 25_000 }).toContain(text) }
}

const anyPort = ['--bind-http', '127.0.0.1:0', '--bind-grpc', '127.0.0.1:0']
const quickstart = () => start('quickstart', '--no-browser', '--no-demo', ...anyPort)
const toGroup = ({ pid = 0 }: ChildProcess, signal: NodeJS.Signals) => process.kill(-pid, signal)

async function gateway() {
  const [found] = await listGateways(stateDir)
  if (!found) throw new Error('no gateway runs')
  return found
}

test.each(['SIGTERM', 'SIGHUP'] as const)('one %s that arrives twice ends gateway and control plane in order', async (signal) => {
  const { child, ended, output, says } = quickstart()
  await says('Ctrl-C stops both.')
  const { pid, startTime } = await gateway()
  toGroup(child, signal)
  child.kill(signal)
  expect(await ended).toBe(0)
  expect(output()).toContain('stopping the gateway\nstopping the control plane\n')
  expect(output()).not.toContain('again')
  expect(isSameProcess(pid, startTime)).toBe(false)
})

test('a second signal ends at once, and tells the gateway to stop', async () => {
  const { child, ended, says, output } = quickstart()
  await says('Ctrl-C stops both.')
  const { pid, startTime } = await gateway()
  // It cannot end while it is held, so that the order is kept waiting.
  process.kill(pid, 'SIGSTOP')
  child.kill('SIGINT')
  await says('stopping the gateway')
  await expect.poll(() => (child.kill('SIGINT'), output()), { timeout: 10_000, interval: 200 }).toContain('SIGINT again: ending at once')
  expect(await ended).toBe(130)
  expect(output()).toContain(`the gateway (pid ${pid}) is told to stop, too`)
  process.kill(pid, 'SIGCONT')
  await expect.poll(() => isSameProcess(pid, startTime), { timeout: 20_000 }).toBe(false)
})

test('quickstart beside a control plane that runs alone starts the gateway', async () => {
  const plane = start('serve', ...anyPort)
  await plane.says('control plane ready')
  const wrong = { objects: [{ kind: 'Server', metadata: { name: 'wrong' }, spec: { command: ['/nowhere/at-all'] } }] }
  const { endpoints: where } = (await findControlPlane(stateDir))!
  const headers = { 'content-type': 'application/json' }
  const path = '/v1/orgs/default/workspaces/default/apply'
  expect((await fetch(`${where['http']}${path}`, { method: 'POST', headers, body: JSON.stringify(wrong) })).status).toBe(200)
  const { child, ended, output } = quickstart()
  expect(await ended).toBe(0)
  expect(child.signalCode).toBeNull()
  const { endpoints } = await gateway()
  expect(output()).toContain(`claude mcp add --transport http mcpg ${endpoints['mcp']}`)
  expect((await findControlPlane(stateDir))?.pid).toBe(plane.child.pid)
  expect(output()).toContain(
    'wrong: mcpg-ctl describe server/wrong says why; change it and apply, or try the same again: mcpg-ctl server restart wrong --retry',
  )
})

test('quickstart that was killed comes back where it was, and finds its gateway there; other addresses move the gateway', async () => {
  const first = quickstart()
  await first.says('Ctrl-C stops both.')
  const { http = '', grpc = '' } = (await findControlPlane(stateDir))!.endpoints
  const { pid } = await gateway()
  first.child.kill('SIGKILL')
  await first.ended
  const asked = start('get', 'servers')
  expect(await asked.ended).toBe(4)
  expect(asked.output()).toContain(`The control plane at ${http}/ cannot be reached.`)

  const again = start('quickstart', '--no-browser', '--no-demo')
  await again.says('Ctrl-C stops both.')
  expect(again.output()).toContain(`as last time: --bind-http ${new URL(http).host} --bind-grpc ${new URL(grpc).host}`)
  expect((await findControlPlane(stateDir))!.endpoints).toMatchObject({ http, grpc })
  expect((await gateway()).pid).toBe(pid)
  again.child.kill('SIGKILL')
  await again.ended

  const elsewhere = quickstart()
  await elsewhere.says('Ctrl-C stops both.')
  expect(elsewhere.output()).not.toContain('as last time')
  expect((await findControlPlane(stateDir))!.endpoints['grpc']).not.toBe(grpc)
  expect((await gateway()).pid).not.toBe(pid)
  elsewhere.child.kill('SIGTERM')
  expect(await elsewhere.ended).toBe(0)
})

test.runIf(process.platform === 'linux')('what the process list shows of us has no secret', async () => {
  const { child, says } = start('serve', ...anyPort, '--token', 'mcpg_pat_planted')
  await says('control plane ready')
  expect(readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').replaceAll('\0', '')).toBe('mcpg-ctl serve')
})
