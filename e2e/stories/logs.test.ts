import { beforeAll, describe, expect, it } from 'vitest'
import { shareWithFile } from '../harness/cleanup.ts'
import { ctl, fastTimers, startGateway, startReading, type ControlPlane, type Gateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { fixture, startFleet } from '../scenarios/fleet.ts'
import { floodedLog } from '../scenarios/flooded-log.ts'

let controlPlane: ControlPlane
let gateway: Gateway
const env = { MCPG_TIMERS: fastTimers }

beforeAll(async () => {
  await shareWithFile(async () => {
    ;({ controlPlane, gateway } = await startFleet(
      [fixture('dies', 'dies-after', ['2500'], { required: false }), fixture('echo', 'echo')],
      env,
    ))
  })
}, 120_000)

const run = (...args: string[]) => ctl(args, { stateDir: controlPlane.stateDir, env })

function following(...args: string[]) {
  const lines: string[] = []
  const reader = startReading(['logs', ...args, '-f'], { stateDir: controlPlane.stateDir, env }, (line) => lines.push(line))
  return { lines, reader }
}

describe('somebody who asks why a server ends', () => {
  it('finds its last words in the life before, follows it over its next death, and finds the event', async () => {
    const { lines, reader } = following('dies', '--tail', '0')
    await until('the next death', () => lines.includes('dies-after: fatal: out of cheese'))
    const before = await until('the life before', async () => {
      const { stdout } = await run('logs', 'dies', '--previous')
      return stdout.includes('out of cheese') && stdout
    })
    expect(before).toMatch(/out of cheese\n(.*\n)*ExitedUnexpectedly: exited with code 7/)
    const events = await until('the event', async () => {
      const { stdout } = await run('get', 'events', '--for', 'server/dies')
      return stdout.includes('ExitedUnexpectedly') && stdout
    })
    expect(events).toMatch(/Warning +ExitedUnexpectedly +instance\/dies-\w+ +here +\d+ /)
    expect((await run('describe', 'server', 'dies')).stdout).toMatch(/Events:\n +LAST .*\n(.*\n)*.*ExitedUnexpectedly/)
    expect(await reader.stop()).toBe(130)
    expect(reader.output()).toContain('stopped following; go on with: mcpg-ctl logs dies --follow --tail 0')
  })

  it('reads the log of the gateway, in every form', async () => {
    expect((await run('logs', 'gateway/here', '-t', 'all')).stdout).toContain('connected to the control plane')
    expect((await run('logs', 'gateway/here', '-o', 'wide')).stdout).toMatch(/^\d{4}-.*Z agent \[here\] \w+ /)
    const { items } = JSON.parse((await run('logs', 'gateway/here', '-t', '2', '-o', 'json')).stdout) as { items: { type: string }[] }
    expect(items.map(({ type }) => type)).toEqual(['log', 'log'])
    expect(await run('logs', 'nobody')).toMatchObject({ code: 5 })
  })
})

describe('a gateway that goes away while its log is followed', () => {
  it('is told, is waited for, and refused with what to do to whoever asks meanwhile', async () => {
    const { lines, reader } = following('gateway/here', '--tail', '1')
    await until('the log is followed', () => lines.length > 0)
    await gateway.stop()
    await until('the news', () => reader.output().includes('gateway here is offline'))
    const refused = await run('logs', 'gateway/here')
    expect(refused).toMatchObject({ code: 4 })
    expect(refused.stderr).toMatch(/here is not connected.*\nhint: mcpg-ctl describe gateway\/here/)
    await startGateway({ stateDir: gateway.stateDir, env })
    await until('the log goes on', () => lines.some((line) => line.includes('connected to the control plane')))
    await until('the news of its return', () => reader.output().includes('gateway here is online'))
  })
})

it('a server that floods its log loses lines that are counted, and nobody else loses anything', async () => {
  const { written, received, dropped, calls } = await floodedLog({ megabytes: 20, seconds: 2, timers: fastTimers })
  expect([received + dropped, received > 1_000, dropped > 0]).toEqual([written, true, true])
  expect([calls.failures, calls.calls > 0]).toEqual([[], true])
})
