import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Context } from '../context.ts'
import { signedInAt } from './at-endpoint.ts'

const controlPlane = 'https://cp.example.com'
const issuer = 'https://sign-in.example.com'

function stateDir(credential: Record<string, unknown> | null): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcpg-at-endpoint-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = { version: 1, controlPlanes: { [controlPlane]: credential } }
  if (credential) writeFileSync(join(folder, 'credentials.json'), JSON.stringify(file))
  return folder
}

const tokens = (secondsLeft: number, refreshToken: string | null = null) => ({
  kind: 'tokens',
  issuer,
  clientId: 'mcpg-ctl',
  subject: 'ada',
  email: 'ada@example.com',
  idToken: 'an id_token',
  refreshToken,
  license: null,
  expiresAt: new Date(Date.now() + secondsLeft * 1000).toISOString(),
})

/** An endpoint that wants a token or not, and what it was shown. */
function endpoint(url: string, credential: Record<string, unknown> | null, { isNamed = true, isOpen = false } = {}) {
  const shown: (string | null)[] = []
  const said: string[] = []
  const answer = async (_input: unknown, init: RequestInit = {}) => {
    const authorization = new Headers(init.headers).get('authorization')
    shown.push(authorization)
    return new Response('', { status: isOpen || authorization === 'Bearer an id_token' ? 200 : 401 })
  }
  const context = {
    settings: { stateDir: stateDir(credential), cpUrl: isNamed ? controlPlane : undefined },
    say: (text: string) => void said.push(text),
  } as unknown as Context
  const { fetch } = signedInAt(context, { url, fetch: answer as typeof globalThis.fetch }, { isLocal: false })
  return { post: async () => (await fetch(url, { method: 'POST', body: '{}' })).status, shown, said }
}

it('shows the id_token to an endpoint that wants a token, and from then on at once', async () => {
  const { post, shown, said } = endpoint('https://edge.example.com/mcp', tokens(3600))
  expect([await post(), await post()]).toEqual([200, 200])
  expect(shown).toEqual([null, 'Bearer an id_token', 'Bearer an id_token'])
  expect(said).toEqual([])
})

it('shows nothing where nobody is asked', async () => {
  const { post, shown } = endpoint('https://edge.example.com/mcp', tokens(-3600), { isOpen: true })
  expect([await post(), await post()]).toEqual([200, 200])
  expect(shown).toEqual([null, null])
})

it.each([
  ['of another machine by plain http', 'http://10.0.0.7:7845/mcp', {}, 1],
  ['of a control plane that was not named', 'https://edge.example.com/mcp', { isNamed: false }, 1],
])('shows nothing to an endpoint %s, and says so once', async (_, url, more, times) => {
  const { post, shown, said } = endpoint(url, tokens(3600), more)
  expect([await post(), await post()]).toEqual([401, 401])
  expect(shown).toEqual([null, null])
  expect(said).toHaveLength(times)
  expect(said[0]).toContain('--cp-url')
})

it.each([
  [
    'a session, which is for its control plane alone',
    { kind: 'session', cookie: 'c', email: 'ada@example.com', expiresAt: '2999-01-01T00:00:00Z' },
  ],
  ['nothing', null],
])('passes the refusal on where there is %s', async (_, credential) => {
  const { post, shown, said } = endpoint('https://edge.example.com/mcp', credential)
  expect(await post()).toBe(401)
  expect([shown, said]).toEqual([[null], []])
})

it('says that a sign-in is over instead of showing it', async () => {
  const { post, shown } = endpoint('http://127.0.0.1:7845/mcp', tokens(-1))
  await expect(post()).rejects.toMatchObject({ reason: 'sign_in_over', hint: `mcpg-ctl login --issuer ${issuer}` })
  expect(shown).toEqual([null])
})
