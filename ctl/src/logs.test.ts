import { McpgError } from '@mcpg/proto/errors'
import type { LogEntry } from '@mcpg/proto/rest/logs'
import { beforeEach, describe, expect, test } from 'vitest'
import { ctl, testEnv } from '../test/env.ts'
import { fakeRest } from '../test/fake-rest.ts'
import { until } from '../test/until.ts'
import { runProgram } from './program.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
beforeEach(async () => {
  rest = await fakeRest()
})

const run = (...args: string[]) => ctl(['logs', ...args], { variables: rest.variables })
const line = (second: number, text: string, instance = 'echo-1', gateway = 'edge-1'): LogEntry => ({
  type: 'log',
  time: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
  source: 'stderr',
  text,
  gateway,
  instance,
})
const instance = (name: string, server = 'echo') => rest.put({ kind: 'Instance', metadata: { name }, spec: { server, gateway: 'edge-1' } })

/** A command that goes on, with what it has printed so far. */
function going(...args: string[]) {
  const { env, stdout, stderr, interrupt } = testEnv({ variables: rest.variables })
  return { code: runProgram(['logs', ...args], env), stdout, stderr, interrupt }
}

describe('logs', () => {
  test('prints the lines of a server, and its instance before each when there are several', async () => {
    instance('echo-1')
    instance('other-1', 'other')
    rest.writeLog('servers/echo/logs', line(1, 'one'), line(2, '\u001b[31mtwo\u001b[0m\u0007'))
    expect(await run('echo')).toMatchObject({ code: 0, stdout: 'one\ntwo\n', stderr: '' })
    expect(rest.seen.at(-1)?.query.get('tail')).toBe('100')
    instance('echo-2')
    rest.writeLog('servers/echo/logs', line(3, 'three', 'echo-2'))
    expect((await run('server/echo', '-t', 'all')).stdout).toBe('[edge-1/echo-1] one\n[edge-1/echo-1] two\n[edge-1/echo-2] three\n')
    expect((await run('echo', '-o', 'wide')).stdout).toContain('2026-01-01T00:00:03.000Z stderr [edge-1/echo-2] three\n')
  })

  test('asks for one instance, a time, the life before, a gateway and the control plane', async () => {
    rest.put({ kind: 'Gateway', metadata: { name: 'edge-1' }, spec: {} })
    for (const path of ['servers/echo/logs', 'instances/echo-1/logs', 'environments/default/gateways/edge-1/logs', '/v1/control/logs'])
      rest.writeLog(path, line(1, `of ${path}`))
    expect((await run('echo', '-i', '1', '--since', '5m', '--previous', '--tail', '7')).stdout).toBe('of servers/echo/logs\n')
    expect(Object.fromEntries(rest.seen.at(-1)!.query)).toEqual({ tail: '7', since: '5m', previous: 'true', instance: '1' })
    expect((await run('instance/echo-1')).stdout).toBe('of instances/echo-1/logs\n')
    expect((await run('gateway/edge-1')).stdout).toBe('of environments/default/gateways/edge-1/logs\n')
    expect((await run('control-plane')).stdout).toBe('of /v1/control/logs\n')
  })

  test('prints a list as JSON, a line for each as ndjson', async () => {
    rest.writeLog('servers/echo/logs', line(1, 'one'), line(2, 'two'))
    expect(JSON.parse((await run('echo', '-o', 'json')).stdout)).toEqual({ items: [line(1, 'one'), line(2, 'two')] })
    expect(
      (await run('echo', '-o', 'ndjson')).stdout
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text) as unknown),
    ).toEqual([line(1, 'one'), line(2, 'two')])
  })

  test.each([
    [['echo', '--tail', 'some'], '--tail some'],
    [['echo', '--since', 'yesterday'], '--since yesterday'],
    [['echo', '-f', '--previous'], 'cannot be followed'],
    [['instance/echo-1', '-i', '0'], '--index'],
    [['tool/x'], 'A Tool has no log'],
    [['echo', '-o', 'name'], 'no names'],
  ])('refuses %j', async (args, text) => {
    expect(await run(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(text) as string })
  })

  test('says at once that the gateway is away, with exit code 4 and what to do', async () => {
    const error = new McpgError('unavailable', 'gateway_not_connected', 'The gateway edge-1 is not connected.', { hint: 'do this' })
    rest.failNext({ status: 503, error })
    expect(await run('instance/echo-1')).toMatchObject({
      code: 4,
      stderr: 'error: The gateway edge-1 is not connected.\nhint: do this\nrequest-id: req_1\n',
    })
    expect(rest.seen).toHaveLength(1)
  })
})

describe('logs -f', () => {
  test('goes on until Ctrl-C, says what is missing, and how to go on', async () => {
    instance('echo-1')
    rest.writeLog('servers/echo/logs', line(1, 'one'))
    const { code, stdout, stderr, interrupt } = going('echo', '-f', '-t', '5')
    await until('a follower', () => rest.followers() === 1)
    rest.writeLog('servers/echo/logs', { type: 'dropped', lines: 12_345, gateway: 'edge-1' }, line(2, 'two'))
    rest.writeLog('servers/echo/logs', { type: 'gateway', gateway: 'edge-1', state: 'offline', message: 'not connected' })
    await until('the news of the gateway', () => stderr().includes('offline'))
    interrupt()
    expect(await code).toBe(130)
    expect(stdout()).toBe('one\ntwo\n')
    expect(stderr()).toBe(
      '… 12,345 lines dropped\ngateway edge-1 is offline: not connected\nstopped following; go on with: mcpg-ctl logs echo --follow --tail 5\n',
    )
  })

  test('goes on after a cut without losing or repeating a line', async () => {
    rest.writeLog('instances/echo-1/logs', line(1, 'one'), line(1, 'one again'))
    const { code, stdout, stderr, interrupt } = going('instance/echo-1', '-f')
    await until('the lines', () => stdout().includes('one again'))
    rest.cut()
    await until('the cut', () => rest.followers() === 0)
    rest.writeLog('instances/echo-1/logs', line(1, 'still the first second'), line(2, 'two'))
    await until('the newer lines', () => stdout().includes('two'))
    interrupt()
    await code
    expect(stdout()).toBe('one\none again\nstill the first second\ntwo\n')
    expect(stderr()).toContain('the connection is cut, connecting again\nconnected again\n')
    expect(Object.fromEntries(rest.seen.at(-1)!.query)).toEqual({ tail: 'all', since: '2025-12-31T23:59:51.000Z', follow: 'true' })
  })

  test('ends when what is followed has ended, and with 1 when it broke', async () => {
    rest.writeLog('instances/echo-1/logs', line(1, 'last words'))
    for (const [entry, exit] of [
      [{ type: 'end' }, 0],
      [{ type: 'error', message: 'it broke' }, 1],
    ] as [LogEntry, number][]) {
      const { code, stdout } = going('instance/echo-1', '-f')
      await until('the last words', () => stdout() === 'last words\n')
      rest.writeLog('instances/echo-1/logs', entry, { type: 'end' })
      expect(await code).toBe(exit)
    }
  })
})
