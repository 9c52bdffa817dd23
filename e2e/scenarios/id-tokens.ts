// What people have from their issuer is shown at the endpoint of a gateway, which asks nobody whether it holds.
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { serverFile } from '../fixtures/start.ts'
import { api } from '../harness/api.ts'
import { bridged } from '../harness/bridge.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { idTokenFor, startIssuer } from '../harness/issuer.ts'
import { startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { settled } from './fleet.ts'
import { signIn, startWorld } from './issuer-sign-in.ts'

const org = '/v1/orgs/default'
const environment = `${org}/workspaces/default/environments/default`

/**
 * Answers of the endpoint as `200`, or status and reason. A right is given and taken away so many times; `latencies` in milliseconds from
 * taking it away to the first refusal.
 */
export async function showIdTokens({ takings }: { takings: number }) {
  const world = await startWorld()
  const { issuer, controlPlane, people } = world
  const signedIn = async (sub: string) => {
    issuer.state.who = sub
    const machine = world.laptop()
    const { code, stderr } = await signIn(machine)
    if (code !== 0) throw new Error(stderr)
    return { machine, token: machine.kept()['idToken']! }
  }
  const ada = await signedIn('ada')
  const bob = await signedIn('bob')
  if ((await bob.machine.ctl(['status'])).code !== 0) throw new Error('bob is not signed in')
  const rest = api(controlPlane.http, ada.token)
  await rest.servers({ name: 'files', spec: { command: [process.execPath, serverFile('echo')] } })
  await rest.call('PUT', `${environment}/endpoint-access`, { endpointAuth: 'required' })
  const stateDir = join(temporaryFolder(), 'gateway')
  const { url } = await rest.enroll({ name: 'here' })
  const gateway = await startGateway({ stateDir, url })
  await settled(rest)
  const { endpoint } = gateway
  await until('an admin is let in and sees the tools', async () => (await ask(endpoint, ada.token)).answer === '200')

  const withoutRights = await ask(endpoint, bob.token)
  const spec = { role: 'runner', workspace: 'default', subjects: [{ kind: 'User', name: 'bob@example.com' }] }
  const give = async () => {
    await rest.call('POST', `${org}/rolebindings`, { kind: 'RoleBinding', metadata: { name: 'bob-runs' }, spec })
    await until('somebody with a right is let in', async () => (await ask(endpoint, bob.token)).answer === '200')
  }
  await give()

  // Through the bridge, as clients that start a program do.
  const bridge = await bridged(['--url', endpoint], { stateDir: temporaryFolder(), env: { MCPG_TOKEN: bob.token } })
  const { content } = await bridge.call('files__echo', { text: 'by id_token' })
  const bySignIn = await signedInBridges()
  const refusals = await refused()

  // A right that is taken away ends what is open, too.
  const stream = await openStream(endpoint, bob.token)
  const latencies = [await take()]
  await stream.ended
  while (latencies.length < takings) {
    await give()
    latencies.push(await take())
  }

  const out = await ada.machine.ctl(['logout', '--everywhere'])
  if (out.code !== 0) throw new Error(out.stderr)
  const signedOut = await until('what was signed out is refused', async () => {
    const found = await ask(endpoint, ada.token)
    return found.answer === '200' ? null : found
  })
  // An id_token tells its second and no more.
  const second = Math.floor(Date.now() / 1000)
  await until('the next second', () => Math.floor(Date.now() / 1000) > second)
  const again = (await signedIn('ada')).token
  await until('who signs in again is let in', async () => (await ask(endpoint, again)).answer === '200')

  await issuer.close()
  await controlPlane.kill()
  const cutOff = await standing(endpoint)
  await gateway.stop()
  const restarted = await startGateway({ stateDir, args: ['--bind', new URL(endpoint).host] })
  await until('it serves again', async () => (await ask(restarted.endpoint, again)).answer === '200')
  return { withoutRights, content, bySignIn, refusals, latencies, signedOut, cutOff, restarted: await standing(restarted.endpoint) }

  async function take(): Promise<number> {
    const began = performance.now()
    const taking = rest.call('DELETE', `${org}/rolebindings/bob-runs`)
    while ((await ask(endpoint, bob.token)).answer === '200') {
      if (performance.now() - began > 30_000) throw new Error('an id_token still works 30 s after its right was taken away')
      await pause(5)
    }
    const ended = performance.now() - began
    await taking
    return ended
  }

  /** Two programs of one machine whose sign-in has less than a minute left: what they got, and how often the issuer was asked. */
  async function signedInBridges() {
    issuer.state.who = 'bob'
    issuer.state.idTokenSeconds = 45
    const machine = world.laptop()
    const { code, stderr } = await signIn(machine)
    if (code !== 0) throw new Error(stderr)
    issuer.state.idTokenSeconds = 3600
    const before = issuer.refreshes.granted
    const place = { stateDir: machine.stateDir, env: { MCPG_CP_URL: controlPlane.http } }
    const bridges = await Promise.all([1, 2].map(() => bridged(['--url', endpoint], place)))
    const answers = await Promise.all(bridges.map((one) => one.call('files__echo', { text: 'by sign-in' })))
    return { contents: answers.map(({ content }) => content), refreshes: issuer.refreshes.granted - before }
  }

  /** Of another audience, of another issuer, and of an hour that is past. */
  async function refused() {
    const redirectUri = `${controlPlane.http}/v1/auth/oidc/callback`
    const other = await startIssuer({ redirectUri, people })
    other.state.who = issuer.state.who = 'ada'
    const elsewhere = { id: 'elsewhere', secret: 'another', redirectUri }
    const own = { id: 'mcpg', secret: 'a secret of the test', redirectUri }
    const good = await idTokenFor(issuer, own)
    const past = issuer.changed(good, { exp: Math.floor(Date.now() / 1000) - 61 })
    const answers = []
    for (const token of [await idTokenFor(issuer, elsewhere), await idTokenFor(other, own), past, good])
      answers.push(await ask(endpoint, token))
    return answers
  }

  async function standing(of: string): Promise<string[]> {
    const answers = []
    for (const token of [again, ada.token, bob.token]) answers.push((await ask(of, token)).answer)
    return answers
  }
}

const clientHeaders = (token: string) => ({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  authorization: `Bearer ${token}`,
})

async function ask(endpoint: string, token: string): Promise<{ answer: string; challenge: string | null }> {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { ...clientHeaders(token), 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } }),
  })
  const text = await response.text()
  const challenge = response.headers.get('www-authenticate')
  if (response.status !== 200) return { answer: `${response.status} ${(JSON.parse(text) as { reason?: string }).reason}`, challenge }
  return { answer: text.includes('files__echo') ? '200' : `200 without tools: ${text}`, challenge }
}

/** The stream of a legacy session; `ended` when the gateway has cut it. */
async function openStream(endpoint: string, token: string) {
  const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'story', version: '1' } }
  const opened = await fetch(endpoint, {
    method: 'POST',
    headers: clientHeaders(token),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize }),
  })
  await opened.text()
  const session = opened.headers.get('mcp-session-id') ?? ''
  const stream = await fetch(endpoint, { headers: { ...clientHeaders(token), 'mcp-session-id': session } })
  if (stream.status !== 200) throw new Error(`no stream: ${stream.status}`)
  return {
    ended: stream.text().then(
      () => {},
      () => {},
    ),
  }
}
