import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, it } from 'vitest'
import { closeLater, shareWithFile } from '../harness/cleanup.ts'
import { legacySession, modernRequest } from '../harness/mcp.ts'
import { ctl, fastTimers, programFile, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { fixture, serverUrl, serving, startFleet } from '../scenarios/fleet.ts'
import {
  addedLatency,
  bigAnswers,
  calledOnceApplied,
  callTool,
  cancelTimes,
  throughUrl,
  type RemoteFleet,
} from '../scenarios/remote-calls.ts'

const env = { MCPG_TIMERS: fastTimers }
const mib = 1024 * 1024

describe('a call through the control plane', () => {
  let fleet: RemoteFleet
  beforeAll(async () => {
    fleet = await shareWithFile(() =>
      startFleet([fixture('far', 'far-away'), fixture('modern', 'modern-only'), fixture('asks', 'asks')], env),
    )
  })
  const run = (...args: string[]) => ctl(args, { stateDir: fleet.controlPlane.stateDir, env: { MCPG_CP_URL: fleet.controlPlane.http } })

  it.each([
    ['legacy', 'legacy', 'far'],
    ['legacy', 'modern', 'modern'],
    ['modern', 'legacy', 'far'],
    ['modern', 'modern', 'modern'],
  ])('works for a %s client of a %s server as at the endpoint', async (client, _server, name) => {
    const url = throughUrl(fleet, name)
    const at = serverUrl(fleet.gateway, name)
    if (client === 'modern') {
      expect(await modernRequest(url, 'tools/list')).toEqual(await modernRequest(at, 'tools/list'))
      const answer = await modernRequest(url, 'tools/call', { name: 'echo', arguments: { text: 'hi' } })
      return expect(answer['content']).toEqual([{ type: 'text', text: 'hi' }])
    }
    const [through, direct] = [await legacySession(url), await legacySession(at)]
    closeLater(() => Promise.all([through.close(), direct.close()]))
    expect(through.initialized).toEqual(direct.initialized)
    expect(await through.tools()).toEqual(await direct.tools())
    expect((await through.call('echo', { text: 'hi' }))['content']).toEqual([{ type: 'text', text: 'hi' }])
  })

  it('tells of progress before its answer, where the client takes events', async () => {
    const answer = await fetch(throughUrl(fleet, 'far'), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'progress',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name: 'progress',
          arguments: { steps: 3 },
          _meta: {
            progressToken: 'p',
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    })
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const messages = [...(await answer.text()).matchAll(/^data: (.+)$/gm)].map(([, data]) => JSON.parse(data!) as { method?: string })
    expect(messages.map(({ method }) => method ?? 'answer')).toEqual([...Array<string>(3).fill('notifications/progress'), 'answer'])
  })

  it('carries what a server asks of its client in the middle of it, and the answer back to where it waits', async () => {
    const ask = async (more: Record<string, unknown> = {}) => {
      const { result } = (await (
        await callTool(throughUrl(fleet, 'asks'), 'ask', { text: 'sure?' }, { capabilities: { elicitation: {} }, more })
      ).json()) as {
        result: { resultType: string; requestState?: string; inputRequests?: Record<string, unknown>; content?: { text: string }[] }
      }
      return result
    }
    const parked = await ask()
    expect(parked).toMatchObject({ resultType: 'input_required', requestState: expect.stringMatching(/^mcpg1\./) as string })
    const [key = ''] = Object.keys(parked.inputRequests ?? {})
    const inputResponses = { [key]: { action: 'accept', content: { answer: 'quite' } } }
    const done = await ask({ inputResponses, requestState: parked.requestState })
    expect(done.resultType).toBe('complete')
    expect(done.content?.[0]?.text).toContain('quite')
  })

  it('brings an answer of 4 MiB whole, and says of a bigger one where to get it', async () => {
    const whole = await callTool(throughUrl(fleet, 'far'), 'big', { bytes: 4 * mib - 1024 })
    const { result } = (await whole.json()) as { result: { content: { text: string }[] } }
    expect(result.content[0]?.text).toHaveLength(4 * mib - 1024)
    const bigger = await callTool(throughUrl(fleet, 'far'), 'big', { bytes: 4 * mib })
    expect(await bigger.json()).toMatchObject({
      status: 502,
      reason: 'answer_too_large',
      detail: expect.stringContaining('endpoint of the gateway') as string,
    })
    expect((await callTool(serverUrl(fleet.gateway, 'far'), 'big', { bytes: 4 * mib })).status).toBe(200)
  })

  it('takes a long message', async () => {
    const text = 'x'.repeat(3 * mib)
    const { result } = (await (await callTool(throughUrl(fleet, 'far'), 'echo', { text })).json()) as {
      result: { content: { text: string }[] }
    }
    expect(result.content[0]?.text).toBe(text)
  })

  it('is a program on standard input and output for clients that start one', async () => {
    const { controlPlane } = fleet
    const child = spawn(process.execPath, [programFile, 'mcp', '--via-control-plane', '--server', 'far', '--gateway', 'here'], {
      env: { PATH: process.env['PATH'], MCPG_CP_URL: controlPlane.http, MCPG_STATE_DIR: controlPlane.stateDir },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    closeLater(() => child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const ask = async (message: object) => {
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
      return JSON.parse(String((await lines.next()).value)) as { result?: { content?: unknown }; error?: { message: string } }
    }
    const clientInfo = { name: 'story', version: '1' }
    await ask({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } })
    child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
    const answer = await ask({ id: 2, method: 'tools/call', params: { name: 'echo', arguments: { text: 'hi' } } })
    expect(answer.result?.content).toEqual([{ type: 'text', text: 'hi' }])
    child.stdin.end()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('says of a server that is nowhere, and of a gateway that is not there, what to do', async () => {
    expect((await callTool(throughUrl(fleet, 'nowhere'), 'echo')).status).toBe(404)
    const unknown = await callTool(throughUrl(fleet, 'far', 'edge-9'), 'echo')
    expect(await unknown.json()).toMatchObject({ status: 404, hint: 'mcpg-ctl get gateways' })
    expect((await run('get', 'gateways')).stdout).toMatch(/here +default +online/)
  })
})

it('is refused by the policy of the host, which is named, while the host’s own clients are served', async () => {
  const { gateway, gatewayState, ...fleet } = await startFleet([fixture('far', 'far-away')], env)
  await gateway.stop()
  const policy = join(gatewayState, 'gateways/default/policy.yaml')
  writeFileSync(policy, 'allowRemoteCalls: false\n')
  const again = await startGateway({ stateDir: gatewayState, env })
  await serving(serverUrl(again, 'far'))
  const refused = await until('the gateway is back', async () => {
    const answer = await callTool(throughUrl(fleet, 'far', 'here'), 'echo', { text: 'hi' })
    return answer.status === 403 && ((await answer.json()) as Record<string, unknown>)
  })
  expect(refused).toMatchObject({ reason: 'policy_denied', detail: expect.stringContaining(policy) as string })
})

it('ends honestly when its gateway is killed in the middle of it, and names who is missing after that', async () => {
  const fleet = await startFleet([fixture('far', 'far-away')], env)
  const file = join(fleet.folder, 'call')
  const call = callTool(throughUrl(fleet, 'far'), 'wait', { file })
  let answered = ''
  void call.then(async (answer) => (answered = `${answer.status} ${await answer.clone().text()}`))
  await until('the call is at the server', () => {
    expect(answered, 'answered before it was there').toBe('')
    return existsSync(file) && readFileSync(file, 'utf8') === 'waiting'
  })
  await fleet.gateway.kill()
  expect(await (await call).json()).toMatchObject({
    status: 502,
    reason: 'gateway_lost',
    detail: expect.stringContaining('is not known') as string,
  })
  await until('the gateway is offline', async () => (await fleet.rest.get('gateways', 'here')).status['connection'] === 'offline')
  expect(await (await callTool(throughUrl(fleet, 'far'), 'echo')).json()).toMatchObject({
    status: 503,
    reason: 'no_gateway_online',
    detail: 'No gateway that runs far is online: here is offline.',
    hint: 'mcpg-ctl describe server far',
  })
})

it('finds the gateway of a server the moment that its config is applied, long before that reports its servers', async () => {
  const late = { MCPG_TIMERS: `${fastTimers},probation=0,statusFlush=3000` }
  expect(await calledOnceApplied({ rounds: 5, env: late })).toEqual({ rounds: 5, refused: [] })
}, 120_000)

it('reaches the server when it is cancelled', async () => {
  expect((await cancelTimes({ rounds: 3, env })).rounds).toBe(3)
})

it('answers beside the direct one, call for call', async () => {
  expect((await addedLatency({ pairs: 50, env })).pairs).toBe(50)
})

it('of 4 MiB, many at once, come whole while every heartbeat is answered', async () => {
  const { bystander, gateway } = await bigAnswers({ calls: 20, bytes: 4 * mib - 1024 })
  expect(bystander.unanswered).toBe(0)
  expect(gateway.beats).toBeGreaterThan(0)
}, 120_000)
