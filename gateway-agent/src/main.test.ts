import { afterEach, describe, expect, it } from 'vitest'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorCodes, McpgError } from '@mcpg/proto/errors'
import { ConfigState, ServerState } from '@mcpg/proto/gen/types'
import { TerminateReason } from '@mcpg/proto/gen/gateway'
import { RunFile } from '@mcpg/proto/run-files'
import { fakeControlPlane, framesOf, lastConfigStatus, type FakeControlPlane } from '../test/fake-control-plane.ts'
import { until } from '../test/until.ts'
import type { Flags } from './config.ts'
import { readContact } from './link/contact.ts'
import { gatewayFacts, runGateway, type GatewayReady } from './main.ts'

const echo = fileURLToPath(new URL('../../e2e/fixtures/servers/echo.ts', import.meta.url))
const timers = 'firstReconnect=20,reconnectBase=10,reconnectMax=40,statusFlush=10'
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function newStateDir(): Promise<string> {
  const stateDir = await mkdtemp(join(tmpdir(), 'mcpg-main-'))
  cleanups.push(() => rm(stateDir, { recursive: true, force: true }))
  return stateDir
}

async function newPlane(): Promise<FakeControlPlane> {
  const plane = await fakeControlPlane()
  cleanups.push(() => plane.stop())
  return plane
}

/** An agent in this process; `stop` ends it as a signal would. */
function launch(stateDir: string, flags: Flags = {}, env: Record<string, string> = {}) {
  const stopping = new AbortController()
  const said: string[] = []
  const ready = Promise.withResolvers<GatewayReady>()
  const ended = runGateway({
    flags: { 'state-dir': stateDir, bind: '127.0.0.1:0', 'log-file': join(stateDir, 'agent.log'), 'log-level': 'trace', ...flags },
    env: { MCPG_TIMERS: timers, ...env },
    stopping: stopping.signal,
    onReady: ready.resolve,
    stderr: { write: (text) => said.push(text) },
  })
  ended.catch(ready.reject)
  ready.promise.catch(() => {})
  const stop = async () => {
    stopping.abort()
    await ended.catch(() => {})
  }
  cleanups.push(stop)
  return { said, ready: ready.promise, ended, stop }
}

const config = { servers: [{ name: 'echo', command: [process.execPath, echo] }] }
const readyz = (info: GatewayReady) => fetch(new URL('/readyz', info.endpoint))

async function serving(plane: FakeControlPlane, stateDir: string) {
  const url = plane.enrollmentUrl()
  const agent = launch(stateDir, { 'enrollment-url': url })
  const info = await agent.ready
  const session = await plane.session()
  plane.offer(config)
  await until('the config to be applied', () => lastConfigStatus(session)?.state === ConfigState.APPLIED, 20_000)
  return { url, agent, info, session }
}

describe('an agent', () => {
  it('enrolls, runs a real server, is ready, and leaves nothing running behind it', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    const { agent, info, session } = await serving(plane, stateDir)
    expect((await readyz(info)).status).toBe(200)
    const metrics = await (await fetch(new URL('/metrics', info.endpoint))).text()
    expect(metrics).toContain('mcpg_gateway_control_plane_connected 1')
    expect(metrics).toContain('mcpg_gateway_servers{state="ready"} 1')
    expect(session.hello?.description?.endpoints).toEqual([info.endpoint])
    const runFile = join(stateDir, 'run/gateway-default.json')
    expect(RunFile.parse(JSON.parse(await readFile(runFile, 'utf8')))).toMatchObject({
      pid: process.pid,
      endpoints: { mcp: info.endpoint },
    })
    await until('the inventory', () => session.frames.some((one) => one.frame.case === 'serverInventory'))
    await agent.stop()
    await expect(agent.ended).resolves.toBeUndefined()
    await expect(stat(runFile)).rejects.toThrow('ENOENT')
    await expect(readyz(info)).rejects.toThrow('fetch failed')
    expect(session.frames.at(-1)?.frame.case).toBe('goodbye')
  })

  it('serves from its last known good config with the control plane gone, with and without the URL', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    const { agent, url } = await serving(plane, stateDir)
    await agent.stop()
    await plane.stop()
    for (const flags of [{}, { 'enrollment-url': url }]) {
      const again = launch(stateDir, flags)
      const info = await again.ready
      await until('readiness', async () => (await readyz(info)).status === 200, 20_000)
      await again.stop()
    }
  })

  it('takes the URL from a file, which may be gone once it was used', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    const file = join(stateDir, 'url')
    await writeFile(file, `${plane.enrollmentUrl()}\n`, { mode: 0o600 })
    const first = launch(stateDir, {}, { MCPG_ENROLLMENT_URL_FILE: file })
    await first.ready
    await first.stop()
    await rm(file)
    await launch(stateDir, { 'enrollment-url-file': file }).ready
    await expect(launch(await newStateDir(), { 'enrollment-url-file': file }).ended).rejects.toMatchObject({ reason: 'not_enrolled' })
    await expect(launch(await newStateDir(), { 'enrollment-url-file': stateDir }).ended).rejects.toMatchObject({
      reason: 'invalid_enrollment_url_file',
    })
  })

  it('keeps its token and its bearer out of its log and every file but the one for them', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    const { agent } = await serving(plane, stateDir)
    const { content } = JSON.parse(await readFile(join(stateDir, 'gateways/default/identity.json'), 'utf8')) as {
      content: { credential: { bearerToken: string } }
    }
    await agent.stop()
    const secrets = [plane.token(), content.credential.bearerToken]
    const files = (await readdir(stateDir, { recursive: true, withFileTypes: true })).filter((file) => file.isFile())
    expect(files.map((file) => file.name)).toContain('agent.log')
    for (const file of files) {
      const text = await readFile(join(file.parentPath, file.name), 'latin1')
      const found = secrets.filter((secret) => text.includes(secret))
      expect([file.name, ...found]).toEqual(file.name === 'identity.json' ? ['identity.json', content.credential.bearerToken] : [file.name])
    }
    expect(agent.said.join()).not.toContain(plane.token())
  })

  it('lets nobody else have its folder, and says who has it', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    await serving(plane, stateDir)
    const second = launch(stateDir)
    await expect(second.ended).rejects.toMatchObject({
      code: 'conflict',
      reason: 'already_running',
      message: expect.stringContaining(`pid ${process.pid}`),
    })
  })

  it('ends well and forgets everything when the gateway was deleted', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    const { agent } = await serving(plane, stateDir)
    plane.terminate(TerminateReason.DECOMMISSIONED, 'not needed any more')
    await expect(agent.ended).resolves.toBeUndefined()
    expect(agent.said.join('')).toContain('not needed any more')
    const left = await readdir(join(stateDir, 'gateways/default'))
    expect(left).not.toContain('identity.json')
    expect(left).not.toContain('config')
    await expect(launch(stateDir).ended).rejects.toMatchObject({ reason: 'not_enrolled' })
  })

  it('ends at once when it is stopped while it waits for a control plane', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    const url = plane.enrollmentUrl()
    await plane.stop()
    const agent = launch(stateDir, { enrollmentUrl: url })
    await until('the first complaint', () => agent.said.length > 0)
    await agent.stop()
    await expect(agent.ended).resolves.toBeUndefined()
  })

  it('reports a server that its host forbids since as failed, with the rule', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    const { agent, session } = await serving(plane, stateDir)
    await agent.stop()
    await writeFile(join(stateDir, 'gateways/default/policy.yaml'), 'commands: [nothing]\n')
    const info = await launch(stateDir).ready
    const again = await until('the next stream', () =>
      plane.sessions.find((one) => one !== session && framesOf(one, 'serverStatus').length > 0),
    )
    const [report] = framesOf(again, 'serverStatus')
    expect(report).toMatchObject({ full: true, servers: [{ name: 'echo', state: ServerState.FAILED, desired: 1, instances: [] }] })
    expect(report?.servers[0]?.lastError).toMatch(/^LocalPolicy: server echo: .* is not allowed by "commands" in policy.yaml/)
    expect(report?.servers[0]?.subHash).toHaveLength(32)
    expect(await (await readyz(info)).json()).toEqual({ waiting: [{ server: 'echo', reason: 'failed' }] })
  })

  it('does not start with a policy that it does not understand', async () => {
    const stateDir = await newStateDir()
    await mkdir(join(stateDir, 'gateways/default'), { recursive: true, mode: 0o700 })
    await writeFile(join(stateDir, 'gateways/default/policy.yaml'), 'allowedCommands: [npx]\n')
    const error = await launch(stateDir).ended.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'invalid', reason: 'invalid_policy', message: expect.stringContaining('allowedCommands') })
  })

  it.each<[string, Flags, string]>([
    ['certificate files where none are shown', { bind: '127.0.0.1:0', tlsCertFile: 'a.pem', tlsKeyFile: 'b.pem' }, 'invalid_tls_cert_file'],
    [
      'a certificate without its key',
      { bind: '0.0.0.0:0', insecureAllowUnauthenticated: true, tlsCertFile: 'a.pem' },
      'invalid_tls_key_file',
    ],
    [
      'certificate files that are not there',
      { bind: '0.0.0.0:0', insecureAllowUnauthenticated: true, tlsCertFile: '/nonexistent/a.pem', tlsKeyFile: '/nonexistent/b.pem' },
      'invalid_tls_files',
    ],
    ['a bind address without a port', { bind: '127.0.0.1' }, 'invalid_bind'],
    ['a bad name', { name: 'Not A Name' }, 'invalid_name'],
    ['a bad uid', { 'instance-uid': 'UPPER' }, 'invalid_instance_uid'],
    ['a malformed URL', { 'enrollment-url': 'nonsense' }, 'malformed_enrollment_url'],
    ['a control plane that is no address', { 'cp-grpc': 'ftp://x' }, 'invalid_cp_grpc'],
    ['plain text over a network', { 'cp-grpc': 'http://cp.example.com:7844' }, 'plaintext_refused'],
    ['a bad log level', { 'log-level': 'loud' }, 'invalid_log_level'],
  ])('refuses %s with exit code 2', async (_, flags, reason) => {
    const error = await launch(await newStateDir(), flags).ended.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ reason })
    expect(error).toBeInstanceOf(McpgError)
    expect(errorCodes[(error as McpgError).code].exit).toBe(2)
  })

  it('refuses a state dir that others can read, and mends it when told to', async () => {
    const stateDir = await newStateDir()
    await chmod(stateDir, 0o755)
    await expect(launch(stateDir).ended).rejects.toMatchObject({
      code: 'failed_precondition',
      reason: 'state_dir_wide_mode',
      hint: expect.stringContaining('--fix-permissions'),
    })
    await expect(launch(stateDir, { 'fix-permissions': true }).ended).rejects.toMatchObject({ reason: 'not_enrolled' })
    expect((await stat(stateDir)).mode & 0o777).toBe(0o700)
  })

  it('takes its flags from the environment too', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    const agent = launch(stateDir, {}, { MCPG_ENROLLMENT_URL: plane.enrollmentUrl(), MCPG_INSTANCE_UID: 'from-env', MCPG_NAME: 'second' })
    expect(await agent.ready).toMatchObject({ name: 'second', gateway: 'from-env' })
  })
})

describe('the facts of an agent', () => {
  it('tell who it is, what it runs and whom it talked to, without a secret, running or not', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    const { agent, info } = await serving(plane, stateDir)
    const [facts] = await gatewayFacts(stateDir)
    expect(facts).toMatchObject({
      name: 'default',
      state: 'enrolled',
      running: { pid: process.pid, endpoint: info.endpoint },
      gateway: { gatewayId: plane.gatewayId, credential: { kind: 'bearer', sequence: 1 } },
      controlPlane: { endpoint: plane.grpc },
      config: { lkg: { generation: 1 }, applied: { generation: 1 }, candidate: null, highestGeneration: 1, damaged: [] },
      policy: { rules: { allowInstallScripts: false } },
    })
    expect(JSON.stringify(facts)).not.toMatch(/bearerToken|PRIVATE KEY|mcpg_gwb_/)
    await agent.stop()
    const [after] = await gatewayFacts(stateDir, 'default')
    expect(after).toMatchObject({
      state: 'enrolled',
      running: null,
      controlPlane: { endpoint: plane.grpc, disconnected: { reason: 'the agent was stopped' } },
    })
  })

  it('say since when the control plane is gone, while the agent runs and after it was killed', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    await serving(plane, stateDir)
    const contactOf = async () => (await gatewayFacts(stateDir))[0]?.controlPlane
    expect((await contactOf())?.disconnected).toBeUndefined()
    await plane.stop()
    await until('the agent to write it down', async () => (await contactOf())?.disconnected)
    const folder = join(stateDir, 'gateways/default')
    const { contact, endpointPort } = await readContact(folder)
    const { lastHeardAt = '', disconnected } = contact ?? {}
    expect(Date.parse(disconnected?.since ?? '')).toBeGreaterThanOrEqual(Date.parse(lastHeardAt))
    expect(disconnected?.reason).not.toBe('')
    await writeFile(join(folder, 'contact.json'), JSON.stringify({ contact: { ...contact, disconnected: undefined }, endpointPort }))
    await rm(join(stateDir, 'run/gateway-default.json'))
    expect(await contactOf()).toMatchObject({ disconnected: { since: lastHeardAt, reason: 'the agent does not run' } })
  })

  it('say what is damaged instead of failing', async () => {
    const [plane, stateDir] = [await newPlane(), await newStateDir()]
    const { agent } = await serving(plane, stateDir)
    await agent.stop()
    const folder = join(stateDir, 'gateways/default')
    await writeFile(join(folder, 'identity.json'), '{')
    await writeFile(join(folder, 'config/state.json'), '')
    await writeFile(join(folder, 'policy.yaml'), 'urls: no')
    const [facts] = await gatewayFacts(stateDir)
    expect(facts).toMatchObject({
      state: 'damaged',
      problem: { reason: 'credentials_damaged' },
      gateway: null,
      config: { damaged: ['state.json'], lkg: { generation: 1 } },
      policy: { rules: null, problem: { reason: 'invalid_policy' } },
    })
  })

  it('name the agents there are when another is asked for', async () => {
    const stateDir = await newStateDir()
    await mkdir(join(stateDir, 'gateways/here'), { recursive: true, mode: 0o700 })
    expect(await gatewayFacts(stateDir)).toMatchObject([{ name: 'here', state: 'not_enrolled' }])
    await expect(gatewayFacts(stateDir, 'there')).rejects.toMatchObject({ code: 'not_found', hint: expect.stringContaining('here') })
  })
})
