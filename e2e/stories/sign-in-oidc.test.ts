import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../harness/cleanup.ts'
import { freePort } from '../harness/free-port.ts'
import { headlessBrowser, startIssuer, type Person } from '../harness/issuer.ts'
import { startControlPlane } from '../harness/programs.ts'

const people: Person[] = [
  { sub: 'ada', email: 'Ada@Example.com', groups: ['platform'] },
  { sub: 'bob', email: 'bob@example.com' },
  { sub: 'other-ada', email: 'ada@example.com' },
  { sub: 'nameless' },
  { sub: 'unverified', email: 'eve@example.com', emailVerified: false },
]

async function startBoth() {
  const stateDir = temporaryFolder()
  const port = await freePort()
  const issuer = await startIssuer({ redirectUri: `http://127.0.0.1:${port}/v1/auth/oidc/callback`, people })
  const secret = join(stateDir, 'client-secret')
  writeFileSync(secret, 'a secret of the test\n', { mode: 0o600 })
  const args = ['--auth-mode', 'oidc', '--oidc-issuer', issuer.url, '--oidc-client-id', 'mcpg', '--oidc-client-secret-file', secret]
  const controlPlane = await startControlPlane({ stateDir, http: `127.0.0.1:${port}`, args: [...args, '--admin-group', 'platform'] })
  return { issuer, controlPlane, stateDir }
}

const reasonOf = (url: URL): string | null => url.searchParams.get('reason')

it('signs a person in through the issuer and back to the page, an admin only by the group that was named', async () => {
  const { issuer, controlPlane } = await startBoth()
  const visit = async (sub: string | null) => {
    issuer.state.who = sub
    const end = (url: URL) => url.origin === controlPlane.http && !url.pathname.startsWith('/v1/')
    return headlessBrowser().open(`${controlPlane.http}/v1/auth/oidc/start?returnTo=/gateways`, end)
  }
  const status = (await (await fetch(`${controlPlane.http}/v1/auth/status`)).json()) as object
  expect(status).toEqual({ mode: 'oidc', needsSetup: false, issuer: { url: issuer.url, cliClientId: 'mcpg-ctl' } })

  // 1 who is known by a group is an admin; somebody else comes in and may do nothing yet
  expect((await visit('ada')).url.pathname).toBe('/gateways')
  expect((await visit('bob')).url.pathname).toBe('/gateways')

  // 2 refusals are told on the sign-in page
  expect(reasonOf((await visit('other-ada')).url)).toBe('email_taken')
  expect(reasonOf((await visit('nameless')).url)).toBe('email_missing')
  expect(reasonOf((await visit('unverified')).url)).toBe('email_unverified')
  expect(reasonOf((await visit(null)).url)).toBe('sign_in_declined')

  // 3 an answer of the issuer that was begun in another browser, or made up, signs nobody in
  issuer.state.who = 'ada'
  const callback = (url: URL) => url.pathname === '/v1/auth/oidc/callback'
  const begun = await headlessBrowser().open(`${controlPlane.http}/v1/auth/oidc/start`, callback)
  const stolen = await headlessBrowser().open(begun.url.href, (url) => url.pathname === '/login')
  expect(reasonOf(stolen.url)).toBe('sign_in_stale')
  const elsewhere = `${controlPlane.http}/v1/auth/oidc/start?returnTo=//evil.example/`
  expect((await headlessBrowser().open(elsewhere, (url) => url.pathname === '/')).url.origin).toBe(controlPlane.http)

  // 4 with the issuer down: words, not a crash; and nobody signs in by password
  await issuer.close()
  await controlPlane.stop()
  const again = await controlPlane.restart()
  const down = await headlessBrowser().open(`${again.http}/v1/auth/oidc/start`, (url) => url.pathname === '/login')
  expect([reasonOf(down.url), down.url.searchParams.get('error')]).toEqual(['issuer_unreachable', expect.stringContaining(issuer.url)])
  expect((await fetch(`${again.http}/readyz`)).status).toBe(200)
}, 120_000)
