import type { ApplyResponse } from '@mcpg/proto/rest/apply'
import type { CreatedEnrollment } from '@mcpg/proto/rest/enrollments'
import type { Resource } from '@mcpg/proto/kinds/kind'

const workspace = '/v1/orgs/default/workspaces/default'

/** REST of a control plane as a story uses it, by a bearer or without; an answer that is not 2xx throws with the problem document. */
export function api(base: string, bearer?: string) {
  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(base + path, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...(bearer && { authorization: `Bearer ${bearer}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return (text ? JSON.parse(text) : undefined) as T
  }
  const apply = (...objects: { kind: string; metadata: { name: string }; spec: Record<string, unknown> }[]) =>
    call<ApplyResponse>('POST', `${workspace}/apply`, { objects })
  return {
    call,
    enroll: (body: Record<string, unknown> = {}) => call<CreatedEnrollment>('POST', `${workspace}/environments/default/enrollments`, body),
    apply,
    servers: (...servers: { name: string; spec: Record<string, unknown> }[]) =>
      apply(...servers.map(({ name, spec }) => ({ kind: 'Server', metadata: { name }, spec }))),
    get: (plural: string, name: string) => call<Resource>('GET', `${workspace}/${plural}/${name}`),
    list: async (plural: string) => (await call<{ items: Resource[] }>('GET', `${workspace}/${plural}`)).items,
    remove: (plural: string, name: string) => call<void>('DELETE', `${workspace}/${plural}/${name}`),
  }
}
export type Api = ReturnType<typeof api>
