import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DeliveryService, SecretFailure } from '@mcpg/proto/gen/delivery'
import type { InstanceStatus } from '@mcpg/proto/kinds/instance'
import { api, type Api } from '../harness/api.ts'
import { dumpOf } from '../harness/database.ts'
import { legacySession } from '../harness/mcp.ts'
import { ctl, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { applied, fixture, serverUrl, serving, settled, startFleet } from './fleet.ts'

type Endpoint = { endpoint: string }

/** Calls one tool of a server of the gateway and answers its text. */
async function ask(gateway: Endpoint, server: string, tool: string): Promise<string> {
  const session = await legacySession(serverUrl(gateway, server))
  try {
    const [content] = (await session.call(tool))['content'] as { text: string }[]
    return content?.text ?? ''
  } finally {
    await session.close()
  }
}

/** What a server sees of a variable. */
export const variableOf = async (gateway: Endpoint, server: string, name: string): Promise<string | undefined> =>
  (JSON.parse(await ask(gateway, server, 'env')) as Record<string, string | undefined>)[name]

const from = (key: string) => ({ env: [{ name: 'TOKEN', valueFrom: { secretRef: { name: 'github', key } } }] })

/** Two servers with a key each and one without; the values come from the environment of `mcpg-ctl apply`. */
async function fleetWithSecrets(env: Record<string, string>) {
  const fleet = await startFleet([], env)
  const { controlPlane, folder, gateway, rest } = fleet
  const manifest = join(folder, 'secrets.yaml')
  writeFileSync(
    manifest,
    ['secrets:', '  - name: github', '    data:', '      token: { fromEnv: TOKEN }', '      other: { fromEnv: OTHER }', ''].join('\n'),
  )
  const apply = async (values: { TOKEN: string; OTHER: string }) => {
    const done = await ctl(['apply', '-f', manifest], { stateDir: folder, env: { MCPG_CP_URL: controlPlane.http, ...values } })
    if (done.code !== 0) throw new Error(done.stderr)
    return done
  }
  await apply({ TOKEN: 'first-token', OTHER: 'first-other' })
  await applied(rest, () =>
    rest.servers(
      fixture('uses-token', 'echo', [], from('token')),
      fixture('uses-other', 'echo', [], from('other')),
      fixture('plain', 'echo'),
    ),
  )
  for (const name of ['uses-token', 'uses-other', 'plain']) await serving(serverUrl(gateway, name))
  return { ...fleet, apply }
}

/** Milliseconds from the start of a server to its proof, as its gateway reports them. */
async function ownStartMs(rest: Api, server: string): Promise<number> {
  const instance = (await rest.list('instances')).find(({ spec, status }) => spec['server'] === server && status['state'] === 'ready')
  const { startTime = '', readyTime = '' } = (instance?.status ?? {}) as Partial<InstanceStatus>
  return Date.parse(readyTime) - Date.parse(startTime)
}

/**
 * Rotates one key again and again: how long from the apply to the first answer with the new value, beyond the server's own start, and
 * whether anybody else was restarted.
 */
export async function rotate({ rounds, env = {} }: { rounds: number; env?: Record<string, string> }) {
  const { gateway, rest, apply } = await fleetWithSecrets(env)
  const others = async () => [await ask(gateway, 'uses-other', 'pid'), await ask(gateway, 'plain', 'pid')].join()
  const before = await others()
  const firstPid = await ask(gateway, 'uses-token', 'pid')
  const milliseconds: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const value = `rotated-token-${round}`
    const since = performance.now()
    await apply({ TOKEN: value, OTHER: 'first-other' })
    await until('the new value is there', async () => (await variableOf(gateway, 'uses-token', 'TOKEN')) === value)
    const took = performance.now() - since
    // A round begins where the last one is the last known good, as a rotation in the field does.
    await settled(rest)
    milliseconds.push(took - (await ownStartMs(rest, 'uses-token')))
  }
  return {
    milliseconds,
    isRestarted: (await ask(gateway, 'uses-token', 'pid')) !== firstPid,
    areOthersUntouched: (await others()) === before && (await variableOf(gateway, 'uses-other', 'TOKEN')) === 'first-other',
  }
}

/** Applies new values of a key together with the unchanged server that uses it, and waits; what the server has each time after that. */
export async function applyAndWait({ values, env = {} }: { values: string[]; env?: Record<string, string> }) {
  const { controlPlane, folder, gateway } = await fleetWithSecrets(env)
  const { name, spec } = fixture('uses-token', 'echo', [], from('token'))
  const manifest = join(folder, 'both.yaml')
  const seen: (string | undefined)[] = []
  for (const token of values) {
    writeFileSync(
      manifest,
      JSON.stringify({ secrets: [{ name: 'github', data: { token, other: { keep: true } } }], servers: [{ name, ...spec }] }),
    )
    const done = await ctl(['apply', '-f', manifest, '--wait'], { stateDir: folder, env: { MCPG_CP_URL: controlPlane.http } })
    if (done.code !== 0) throw new Error(done.stderr)
    seen.push(await variableOf(gateway, name, 'TOKEN'))
  }
  return seen
}

/** A gateway asks with its own credential for values that none of its configs names; what it got, and whether it was written down. */
export async function askForOthers({ env = {} }: { env?: Record<string, string> } = {}) {
  const { controlPlane, gatewayState } = await fleetWithSecrets(env)
  const identity = readFileSync(join(gatewayState, 'gateways/default/identity.json'), 'utf8')
  const { bearerToken } = (JSON.parse(identity) as { content: { credential: { bearerToken: string } } }).content.credential
  const client = createClient(DeliveryService, createGrpcTransport({ baseUrl: controlPlane.grpc }))
  const refs = [
    { name: 'github', key: 'token', version: 2n },
    { name: 'github', key: 'none', version: 1n },
    { name: 'nobodys', key: 'token', version: 1n },
  ]
  const { values } = await client.fetchSecrets({ generation: 1n, refs }, { headers: { authorization: `Bearer ${bearerToken}` } })
  return {
    areRefused:
      values.length === refs.length &&
      values.every(({ failure, ciphertext }) => failure === SecretFailure.FORBIDDEN && ciphertext.length === 0),
    isAudited: (await databaseText(controlPlane.stateDir)).includes('secret.fetch_refused'),
  }
}

/** Row 38 of the failure table: what a slot names is what its servers start with, with the control plane gone and after a rollback. */
export async function restartOffline({ env = {} }: { env?: Record<string, string> } = {}) {
  const { controlPlane, gateway, gatewayState, rest, apply } = await fleetWithSecrets(env)
  const settledGeneration = async () => {
    await settled(rest)
    const { status } = await rest.get('gateways', 'here')
    return (status['config'] as { applied: { generation: number } }).applied.generation
  }
  const first = await settledGeneration()
  for (const TOKEN of ['second-token', 'third-token']) await applied(rest, () => apply({ TOKEN, OTHER: 'first-other' }))
  await controlPlane.kill()
  await gateway.kill()
  const offline = await startGateway({ stateDir: gatewayState, env })
  await serving(serverUrl(offline, 'uses-token'))
  const newest = await variableOf(offline, 'uses-token', 'TOKEN')

  const again = await controlPlane.restart()
  const restAgain = api(again.http)
  const rollback = '/v1/orgs/default/workspaces/default/environments/default/gateways/here/rollback'
  await until('the gateway is back', async () => (await restAgain.get('gateways', 'here')).status['connection'] === 'online')
  await applied(restAgain, () => restAgain.call('POST', rollback, { to: first }))
  await until('the first value is back', async () => (await variableOf(offline, 'uses-token', 'TOKEN')) === 'first-token')
  await again.kill()
  await offline.kill()
  const rolledBack = await startGateway({ stateDir: gatewayState, env })
  await serving(serverUrl(rolledBack, 'uses-token'))
  return { newest, afterRollback: await variableOf(rolledBack, 'uses-token', 'TOKEN') }
}

/** Everything that a database keeps, as text: its files, or every row of its tables. */
export async function databaseText(stateDir: string): Promise<string> {
  const dump = await dumpOf(stateDir)
  if (dump) return dump.toString('latin1')
  const files = readdirSync(stateDir).filter((name) => name.startsWith('mcpg.db'))
  return files.map((name) => readFileSync(join(stateDir, name), 'latin1')).join('')
}
