import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT, type JWTPayload } from 'jose'
import type { OidcSettings } from '../src/accounts/issuer.ts'

type Key = { kid: string; privateKey: KeyObject; publicKey: KeyObject }
export type TestIssuer = Awaited<ReturnType<typeof testIssuer>>

/** What an issuer publishes, and nothing else: metadata and keys over HTTP, and tokens with any claims, signed by `now()` of the test. */
export async function testIssuer(now: () => number) {
  let keys = [newKey()]
  let fetches = 0
  let server: Server | null = null
  let port = 0
  await start()
  const url = `http://127.0.0.1:${port}`
  let published: object = {}
  let extraKeys: object[] = []
  return {
    url,
    start,
    stop,
    token,
    publish: (change: object) => (published = change),
    /** Beside its own. */
    publishKeys: (more: object[]) => (extraKeys = more),
    rotate: () => (keys = [newKey()]),
    keyFetches: () => fetches,
    newKey,
    settings,
  }

  /** Again on the port that it had. */
  async function start(): Promise<void> {
    server = createServer((request, response) => {
      const isKeys = request.url === '/keys'
      if (isKeys) fetches++
      const answer = isKeys ? keySet() : metadata()
      void answer.then((body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)))
    })
    await new Promise<void>((resolve) => server!.listen(port, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  }

  async function stop(): Promise<void> {
    server?.closeAllConnections()
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)))
    server = null
  }

  async function metadata() {
    return { issuer: url, authorization_endpoint: `${url}/auth`, token_endpoint: `${url}/token`, jwks_uri: `${url}/keys`, ...published }
  }

  async function keySet() {
    const own = await Promise.all(keys.map(async ({ kid, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, alg: 'EdDSA' })))
    return { keys: [...own, ...extraKeys] }
  }

  /** An id_token of an hour for `mcpg-ctl`; a claim that is undefined is left out. `atSeconds` is when it is made, before or after now. */
  async function token(
    claims: JWTPayload = {},
    { key = keys[0]!, atSeconds = 0 }: { key?: Key; atSeconds?: number } = {},
  ): Promise<string> {
    const iat = Math.floor(now() / 1000) + atSeconds
    const all = { iss: url, aud: 'mcpg-ctl', sub: 'ada', email: 'ada@example.com', iat, exp: iat + 3600, ...claims }
    return new SignJWT(JSON.parse(JSON.stringify(all))).setProtectedHeader({ alg: 'EdDSA', kid: key.kid }).sign(key.privateKey)
  }

  function settings(change: Partial<OidcSettings> = {}): OidcSettings {
    const admins = { adminSubjects: [], adminGroups: ['platform'] }
    return { issuer: url, clientId: 'mcpg', clientSecret: null, audiences: ['mcpg', 'mcpg-ctl'], ...admins, ...change }
  }
}

function newKey(): Key {
  return { kid: randomUUID(), ...generateKeyPairSync('ed25519') }
}
