// Tokens of MCP clients are revoked while a gateway serves: at rest, while it applies a config that takes its time, after it rolled that
// one back, and while nobody tells it anything.
import { toBinary, create } from '@bufbuild/protobuf'
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { CreatedToken } from '@mcpg/proto/rest/tokens'
import { AccessOfferSchema } from '@mcpg/proto/gen/delivery'
import { entryOf } from '../../cp/src/tokens/document/entries.ts'
import { accessLedger } from '../../cp/src/tokens/document/ledger.ts'
import { startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { configOf, fixture, startFleet } from './fleet.ts'

const workspace = '/v1/orgs/default/workspaces/default'
const tokensPath = `${workspace}/projects/web/tokens`
/** How often the gateway is asked whether the token still holds. */
const everyMs = 5

export type Phase = 'at rest' | 'while a config is applied' | 'after it was rolled back'

/** `revocations` of each phase; `startTimeout` is how long the slow config takes to fail, e.g. `20s`. Times in milliseconds. */
export async function revokeTokens({
  revocations,
  others,
  startTimeout,
  env,
}: {
  revocations: number
  others: number
  startTimeout: string
  env?: Record<string, string>
}) {
  const { rest, gateway, controlPlane, gatewayState } = await startFleet([fixture('files', 'echo')], env)
  await rest.apply({ kind: 'Project', metadata: { name: 'web' }, spec: { servers: ['files'] } })
  const make = (name: string) => rest.call<CreatedToken>('POST', tokensPath, { name, ttl: 'never' })
  const phases: Phase[] = ['at rest', 'while a config is applied', 'after it was rolled back']
  const made = await inOrder(phases.length * revocations + others, (index) => make(`t-${index}`))
  const [honoured] = made.slice(-others)
  await rest.call('PUT', `${workspace}/environments/default/endpoint-access`, { endpointAuth: 'required' })
  await until('the endpoint wants a token', async () => (await ask(gateway.endpoint)) === 401)
  await until('the last token is known', async () => (await ask(gateway.endpoint, honoured)) === 200)

  const latencies = new Map<Phase, number[]>()
  const revokeAll = async (phase: Phase) => {
    const from = phases.indexOf(phase) * revocations
    latencies.set(phase, await inOrder(revocations, (index) => revokeOne(made[from + index]!)))
  }
  await revokeAll('at rest')
  await rest.servers(fixture('slow', 'hangs-in-initialize', [], { startTimeout }))
  await until('the slow config is being applied', async () => (await configOf(rest)).state === 'applying')
  await revokeAll('while a config is applied')
  const isStillApplied = (await configOf(rest)).state === 'applying'
  await until(
    'the slow config was rolled back',
    async () => (await configOf(rest)).heldBack.some(({ server }) => server === 'slow'),
    180_000,
  )
  await revokeAll('after it was rolled back')

  // Nobody tells it anything any more: what was revoked stays so, also for a program that only has its files.
  const revoked = made.slice(0, phases.length * revocations)
  await controlPlane.kill()
  const cutOff = await standing(gateway.endpoint, { honoured: made.slice(-others), revoked })
  await gateway.stop()
  const again = await startGateway({ stateDir: gatewayState, args: ['--bind', new URL(gateway.endpoint).host], ...(env && { env }) })
  await until('it serves again', async () => (await ask(again.endpoint, honoured)) === 200)
  const restarted = await standing(again.endpoint, { honoured: made.slice(-others), revoked })
  await again.stop()
  return { latencies, isStillApplied, cutOff, restarted }

  /** From the request to revoke it to the first refusal at the gateway. */
  async function revokeOne(token: CreatedToken): Promise<number> {
    if ((await ask(gateway.endpoint, token)) !== 200) throw new Error(`the token ${token.name} did not work before it was revoked`)
    const began = performance.now()
    const revoking = rest.call('POST', `${tokensPath}/${token.name}/revoke`)
    while ((await ask(gateway.endpoint, token)) !== 401) {
      if (performance.now() - began > 30_000) throw new Error(`the token ${token.name} still works 30 s after it was revoked`)
      await pause(everyMs)
    }
    const ended = performance.now() - began
    await revoking
    return ended
  }
}

/** How many tokens are treated as they should be. */
async function standing(endpoint: string, { honoured, revoked }: { honoured: CreatedToken[]; revoked: CreatedToken[] }) {
  const answers = async (tokens: CreatedToken[], wanted: number) =>
    (await inOrder(tokens.length, async (index) => (await ask(endpoint, tokens[index])) === wanted)).filter(Boolean).length
  return { honoured: await answers(honoured, 200), refused: await answers(revoked, 401) }
}

/** The status of a call of a client of the project. */
async function ask(endpoint: string, token?: CreatedToken): Promise<number> {
  const response = await fetch(`${endpoint}/projects/web`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
      ...(token && { authorization: `Bearer ${token.token}` }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/list',
      params: {
        _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
      },
    }),
  })
  const text = await response.text()
  if (response.status === 200 && !text.includes('files__echo')) throw new Error(`a client with a token does not see its tools: ${text}`)
  return response.status
}

/** Bytes of the frame that tells a gateway of one revocation among so many tokens, and of the one that tells it everything; an issuer is trusted. */
export function offerBytes(tokens: number): { delta: number; whole: number } {
  const ledger = accessLedger('default')
  const key = { kty: 'RSA', alg: 'RS256', use: 'sig', e: 'AQAB', n: randomBytes(512).toString('base64url') }
  const keys4096 = Array.from({ length: 8 }, (_, index) => ({ ...key, kid: `key-${index}` }))
  ledger.setIssuers({ 'https://sign-in.example.com': { audiences: ['mcpg', 'mcpg-ctl'], keys: keys4096 } })
  const keys = Array.from({ length: tokens }, () => randomBytes(32).toString('base64url'))
  keys.forEach((key, index) => {
    const token = { id: `tok_${index.toString(16).padStart(16, '0')}`, expiresAt: null }
    ledger.set(key, entryOf(token, 'somebody@example.com', [{ project: `project-${index % 50}`, on: 'servers' }]))
  })
  ledger.publish(1)
  const whole = sizeOf(ledger.offer(0))
  ledger.set(keys[0]!, null)
  ledger.publish(2)
  return { delta: sizeOf(ledger.offer(1)), whole }
}

function sizeOf({ baseVersion, document }: ReturnType<ReturnType<typeof accessLedger>['offer']>): number {
  const signed = { signature: new Uint8Array(64), signingKeyId: new Uint8Array(32) }
  // Canonical JSON is as long as any other without blanks.
  const bytes = new Uint8Array(Buffer.from(JSON.stringify(document)))
  return toBinary(
    AccessOfferSchema,
    create(AccessOfferSchema, { version: 2n, baseVersion: BigInt(baseVersion), document: bytes, ...signed }),
  ).length
}

async function inOrder<Made>(count: number, make: (index: number) => Promise<Made>): Promise<Made[]> {
  const all: Made[] = []
  for (let index = 0; index < count; index++) all.push(await make(index))
  return all
}
