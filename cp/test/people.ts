import { testApp, type Answer, type TestApp } from './app.ts'

const password = 'correct horse battery'
export const admin = 'ada@example.com'

export type Session = {
  call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, headers?: object): Promise<Answer>
}
export type PeopleApp = TestApp & {
  /** The platform admin who set it up. */
  ada: Session
  /** A new user of the organization default, signed in. */
  join(email: string): Promise<Session>
  signIn(email: string): Promise<Session>
  /** What the admin applies to the organization, or to a workspace of it; throws what is wrong with it. */
  apply(objects: object[], at?: string): Promise<void>
}

/** A control plane where people sign in with a password. */
export async function peopleApp(): Promise<PeopleApp> {
  const test = await testApp({ change: (config) => ({ ...config, authMode: 'local' }) })
  const setupCode = await test.app.firstUserCode()
  const ada = sessionOf(await test.call('POST', '/v1/auth/bootstrap', { setupCode, email: admin, password }))
  return { ...test, ada, join, signIn, apply }

  async function join(email: string): Promise<Session> {
    await apply([{ kind: 'User', metadata: { name: email }, spec: {} }])
    const { status, body } = await ada.call('POST', `/v1/orgs/default/users/${email}/password`, { password })
    if (status !== 200) throw new Error(JSON.stringify(body))
    return await signIn(email)
  }

  async function signIn(email: string): Promise<Session> {
    return sessionOf(await test.call('POST', '/v1/auth/login', { email, password }))
  }

  async function apply(objects: object[], at = '/v1/orgs/default'): Promise<void> {
    const { status, body } = await ada.call('POST', `${at}/apply`, { objects })
    if (status !== 200) throw new Error(JSON.stringify(body))
  }

  function sessionOf({ status, headers, body }: Answer): Session {
    if (status >= 300) throw new Error(JSON.stringify(body))
    const cookie = String(headers['set-cookie']).split(';')[0]!
    return { call: (method, path, sent, more) => test.call(method, path, sent, { cookie, 'x-mcpg-request': '1', ...more }) }
  }
}
