import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import { controlPlaneConnection } from '../api/client.ts'
import { listPath } from '../api/paths.ts'
import { isTenancy } from '../api/tenancy.ts'
import type { Settings } from '../settings.ts'
import { shownCredential } from '../sign-in/shown.ts'

type Page = { items: { name?: string; metadata?: { name: string } }[]; nextCursor?: string }

/**
 * Names of the objects of a kind, by the HTTP client that Node has compiled in: `fetch`, and an import of node:http, load another one
 * that takes longer than the question. Undefined where the control plane speaks TLS, null where it did not answer in time.
 */
export async function askNames(settings: Settings, kind: KindDeclaration, timeoutMs: number): Promise<string[] | null | undefined> {
  const { url } = await controlPlaneConnection(settings)
  if (!url.startsWith('http:')) return undefined
  const { request } = process.getBuiltinModule('node:http')
  const headers = { accept: 'application/json', ...(await shownCredential(settings, url)) }
  const deadline = performance.now() + timeoutMs
  const names: string[] = []
  for (let cursor: string | undefined; ;) {
    const target = new URL(isTenancy(kind) ? kind.path(settings) : listPath(settings, kind), url)
    if (!isTenancy(kind)) target.search = String(new URLSearchParams({ limit: '500', ...(cursor !== undefined && { cursor }) }))
    const text = await ask(target)
    if (text === null) return null
    const page = JSON.parse(text) as Page
    names.push(...page.items.flatMap(({ name, metadata }) => metadata?.name ?? name ?? []))
    if (page.nextCursor === undefined) return names
    cursor = page.nextCursor
  }

  async function ask(target: URL): Promise<string | null> {
    const left = deadline - performance.now()
    if (left <= 0) return null
    return await new Promise((resolve) => {
      const asked = request(target, { headers, agent: false }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => resolve(response.statusCode === 200 ? Buffer.concat(parts).toString() : null))
        response.on('error', () => resolve(null))
      })
      asked.on('error', () => resolve(null))
      asked.end()
      setTimeout(() => {
        asked.destroy()
        resolve(null)
      }, left).unref()
    })
  }
}
