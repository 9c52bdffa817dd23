import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider, type Configuration } from 'oidc-provider'
import { closeLater } from './cleanup.ts'

export type Person = { sub: string; email?: string; emailVerified?: boolean; groups?: string[]; license?: string }
export type Issuer = Awaited<ReturnType<typeof startIssuer>>

/** A real OpenID provider on a free port. Whoever comes is signed in as `who` at once, or declines when it is null. */
export async function startIssuer({ redirectUri, people }: { redirectUri: string; people: Person[] }) {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const state = { who: people[0]!.sub as string | null, idTokenSeconds: 3600, refreshTokenSeconds: 86_400 }
  /** Refresh tokens that were asked for, and those among them that were refused. */
  const refreshes = { granted: 0, refused: 0 }
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = randomBytes(8).toString('hex')
  const provider = new Provider(url, {
    jwks: { keys: [{ ...(privateKey.export({ format: 'jwk' }) as { kty: 'RSA' }), kid, use: 'sig', alg: 'RS256' }] },
    clients: [
      { client_id: 'mcpg', client_secret: 'a secret of the test', redirect_uris: [redirectUri] },
      {
        client_id: 'mcpg-ctl',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['http://127.0.0.1/callback'],
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      },
      { client_id: 'elsewhere', client_secret: 'another', redirect_uris: [redirectUri] },
    ],
    cookies: { keys: ['of the test'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'license'], groups: ['groups'] },
    // The id_token carries what it is about, as it does at most providers.
    conformIdTokenClaims: false,
    ttl: { IdToken: () => state.idTokenSeconds, RefreshToken: () => state.refreshTokenSeconds },
    features: { devInteractions: { enabled: false }, deviceFlow: { enabled: true }, revocation: { enabled: true } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
    async findAccount(_context, id) {
      const person = people.find(({ sub }) => sub === id)
      if (!person) return undefined
      const { sub, email, emailVerified = true, groups = [], license } = person
      return {
        accountId: sub,
        claims: async () => ({ sub, email, email_verified: emailVerified, groups, ...(license ? { license } : {}) }),
      }
    },
    async loadExistingGrant(context) {
      const { client, session } = context.oidc
      const grant = new provider.Grant({ clientId: client!.clientId, accountId: session!.accountId! })
      grant.addOIDCScope('openid email profile groups offline_access')
      await grant.save()
      return grant
    },
  } satisfies Configuration)
  const isRefresh = (params: object | undefined) => (params as { grant_type?: string })?.grant_type === 'refresh_token'
  provider.on('grant.success', ({ oidc }) => void (isRefresh(oidc.params) && refreshes.granted++))
  provider.on('grant.error', ({ oidc }) => void (isRefresh(oidc.params) && refreshes.refused++))
  const answer = provider.callback()
  server.on('request', (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return void answer(request, response)
    const result = state.who === null ? { error: 'access_denied' } : { login: { accountId: state.who }, consent: {} }
    void provider.interactionFinished(request, response, result)
  })
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  closeLater(close)
  return { url, state, refreshes, close, changed }

  /** One of its tokens with other claims, signed by it again. */
  function changed(token: string, claims: Record<string, unknown>): string {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signed = `${encoded({ alg: 'RS256', kid })}.${encoded({ ...payload, ...claims })}`
    return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
  }
}

/** The id_token that an issuer makes for a client with a secret, of whoever comes. */
export async function idTokenFor(issuer: { url: string }, client: { id: string; secret: string; redirectUri: string }): Promise<string> {
  const verifier = randomBytes(32).toString('base64url')
  const address = new URL(`${issuer.url}/auth`)
  address.search = new URLSearchParams({
    client_id: client.id,
    response_type: 'code',
    redirect_uri: client.redirectUri,
    scope: 'openid email profile groups',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString()
  const { url } = await headlessBrowser().open(address.href, (one) => one.href.startsWith(client.redirectUri))
  const response = await fetch(`${issuer.url}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client.id}:${encodeURIComponent(client.secret)}`)}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: client.redirectUri,
      code_verifier: verifier,
    }),
  })
  const { id_token: token, ...rest } = (await response.json()) as { id_token?: string }
  if (token === undefined) throw new Error(`${url.href} ${JSON.stringify(rest)}`)
  return token
}

/** A browser without a window: follows redirects and keeps cookies per host, up to the first answer that is none. */
export function headlessBrowser() {
  const jar = new Map<string, Map<string, string>>()
  return { open, enterCode, cookie: (host: string, name: string) => jar.get(host)?.get(name) }

  /** `form`: what is posted to the address, instead of a look at it. */
  async function open(address: string, isEnd: (url: URL) => boolean = () => false, form?: Record<string, string>) {
    let url = new URL(address)
    for (let step = 0; step < 20; step++) {
      if (isEnd(url)) return { url, status: 0, text: '' }
      const cookies = jar.get(url.host) ?? new Map<string, string>()
      jar.set(url.host, cookies)
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const posted = form && step === 0 ? { method: 'POST', body: new URLSearchParams(form) } : {}
      const response = await fetch(url, { redirect: 'manual', headers: cookie ? { cookie } : {}, ...posted })
      for (const line of response.headers.getSetCookie()) {
        const [name = '', ...value] = line.split(';', 1)[0]!.split('=')
        if (value.join('=') === '') cookies.delete(name)
        else cookies.set(name, value.join('='))
      }
      const text = await response.text()
      const next = response.headers.get('location')
      if (next === null) return { url, status: response.status, text }
      url = new URL(next, url)
    }
    throw new Error(`no end of redirects at ${url.href}`)
  }

  /** Types in the code of a device, as the person there or against it. */
  async function enterCode(address: string, code: string, verdict: 'confirm' | 'abort' = 'confirm') {
    const asked = await open(address)
    const xsrf = hidden(asked.text, 'xsrf')
    const shown = await open(address, () => false, { xsrf, user_code: code })
    return await open(address, () => false, { xsrf: hidden(shown.text, 'xsrf'), user_code: code, [verdict]: 'yes' })
  }
}

function hidden(page: string, name: string): string {
  const value = new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1]
  if (value === undefined) throw new Error(`no field ${name} on the page:\n${page.slice(0, 2000)}`)
  return value
}
