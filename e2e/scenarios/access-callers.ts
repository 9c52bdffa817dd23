// The people of the access table: signed in, each with the one binding that their row says.
import type { Row } from '@mcpg/proto/test/access-table'

const password = 'correct horse battery'
const admin = 'ada@example.com'

export type Answer = { status: number; text: string; body: Record<string, unknown> }
export type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>

/** The first user, who may do everything. */
export function firstUser(http: string, setupCode: string): Promise<Ask> {
  return sessionOf(http, '/v1/auth/bootstrap', { setupCode, email: admin, password })
}

/** A user of the table with the binding that the table says, signed in. */
export async function joined(ada: Ask, http: string, name: string, { role }: Row): Promise<Ask> {
  const email = `${name}@example.com`
  must(await ada('POST', '/v1/orgs/default/users', { kind: 'User', metadata: { name: email }, spec: {} }))
  must(await ada('POST', `/v1/orgs/default/users/${email}/password`, { password }))
  if (role) {
    const org = `/v1/orgs/${role.org ?? 'default'}`
    if (role.rules) must(await ada('POST', `${org}/roles`, { kind: 'Role', metadata: { name: role.name }, spec: { rules: role.rules } }))
    const spec = { role: role.name, subjects: [{ kind: 'User', name: email }], ...role.place }
    must(await ada('POST', `${org}/rolebindings`, { kind: 'RoleBinding', metadata: { name: `of-${name}` }, spec }))
  }
  return sessionOf(http, '/v1/auth/login', { email, password })
}

export function must(answer: Answer): Answer['body'] {
  if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`)
  return answer.body
}

async function sessionOf(http: string, path: string, credentials: object): Promise<Ask> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(http + path, { method: 'POST', headers, body: JSON.stringify(credentials) })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  const cookie = response.headers.get('set-cookie')!.split(';')[0]!
  return async (method, target, body) => {
    const answer = await fetch(http + target, {
      method,
      headers: { cookie, 'x-mcpg-request': '1', ...(body === undefined ? {} : headers) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const isStream = answer.ok && /event-stream/.test(answer.headers.get('content-type') ?? '')
    const text = isStream ? '' : await answer.text()
    if (isStream) await answer.body?.cancel()
    return { status: answer.status, text, body: parsed(text) }
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
