import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClientRequestSchema as ModernRequests } from '@modelcontextprotocol/core'
import { ClientRequestSchema as LegacyRequests } from '@modelcontextprotocol/sdk/types.js'
import {
  accessTable,
  finds,
  mcpMethods,
  mcpParts,
  mcpPaths,
  says,
  type McpPart,
  type McpPath,
  type Row,
} from '@mcpg/proto/test/access-table'
import { temporaryFolder } from '../harness/cleanup.ts'
import { startControlPlane, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { firstUser, joined, must, type Ask } from './access-callers.ts'
import { fixture, serving } from './fleet.ts'
import { askMcp, firstOfStream, openSession, type McpAnswer } from './mcp-asking.ts'

const workspace = '/v1/orgs/default/workspaces/default'
const environment = `${workspace}/environments/default`

/** Somebody of the table, on one way to one path. `ask` sends a method; null: they cannot even begin there. */
type Visit = {
  name: string
  way: 'endpoint' | 'control plane'
  era: 'legacy' | 'modern'
  path: McpPath
  url: string
  token: string
  found: ReadonlySet<McpPart>
}

/**
 * Asks MCP as everybody in the access table: every method, of both eras, about everything that two servers and a project offer, at the
 * endpoint of a gateway and through the control plane; and the REST of a gateway and its instances. `every`: only each n-th.
 */
export async function probeMcp({ every = 1, env }: { every?: number; env?: Record<string, string> } = {}) {
  const folder = temporaryFolder()
  const stateDir = join(folder, 'control-plane')
  const controlPlane = await startControlPlane({ stateDir, args: ['--auth-mode', 'local'], ...(env && { env }) })
  const { http } = controlPlane
  const ada = await firstUser(http, readFileSync(join(stateDir, 'setup-code'), 'utf8').trim())
  const { gateway, instance } = await fleetOf(ada, join(folder, 'gateway'), env)
  must(await ada('POST', '/v1/orgs', { name: 'acme' }))
  const wrong: string[] = []
  let cells = 0
  wrong.push(...(await methodsBesideTheTable()))
  const callers: { name: string; row: Row; ask: Ask; token: string }[] = []
  for (const [name, row] of Object.entries(accessTable)) {
    const ask = await joined(ada, http, name, row)
    callers.push({ name, row, ask, token: await tokenOf(name, row, ask) })
  }
  await until(
    'the endpoint knows the last tokens',
    async () => (await askMcp(gateway.endpoint, { method: 'tools/list', token: lastWith(callers).token })).status === 200,
  )
  let turn = 0
  for (const { name, row, ask, token } of callers) {
    for (const way of ['endpoint', 'control plane'] as const)
      for (const era of ['legacy', 'modern'] as const)
        for (const path of Object.keys(mcpPaths) as McpPath[]) {
          if (turn++ % every !== 0) continue
          const base = way === 'endpoint' ? gateway.endpoint : `${http}${workspace}/mcp`
          await askAll({ name, way, era, path, url: base + mcpPaths[path], token, found: finds(row, path) })
        }
    await askRest(name, row, ask)
  }
  await gateway.stop()
  await controlPlane.stop()
  return { callers: callers.length, cells, wrong }

  /** What endpoints answer and the table does not know, and the other way round; the libraries of MCP know all methods there are. */
  async function methodsBesideTheTable(): Promise<string[]> {
    const known = new Set<string>([...ModernRequests.options, ...LegacyRequests.options].map(({ shape }) => shape.method.value))
    const session = await openSession(gateway.endpoint, undefined)
    const answered = new Set<string>()
    for (const method of new Set([...known, ...Object.keys(mcpMethods)])) {
      const legacy = method === 'initialize' ? session.initialized : await session.ask(method, {})
      const modern =
        method === 'subscriptions/listen'
          ? await firstOfStream(gateway.endpoint, undefined, {})
          : await askMcp(gateway.endpoint, { method })
      if (isKnown(legacy) || isKnown(modern)) answered.add(method)
    }
    await session.close()
    const all = new Set([...answered, ...Object.keys(mcpMethods)])
    return [...all].flatMap((method) => {
      if (!answered.has(method)) return [`${method} is in the table, and no endpoint answers it`]
      return mcpMethods[method] === undefined ? [`${method} is answered, and not in the table`] : []
    })
  }

  async function askAll(visit: Visit): Promise<void> {
    const { era, url, token, path, found } = visit
    const session = era === 'legacy' ? await openSession(url, token) : null
    if (session) judge(visit, 'initialize', session.initialized, found.size > 0 ? 'answered' : 'either', saidIn(found))
    for (const [method, about] of Object.entries(mcpMethods)) {
      if (method === 'initialize') continue
      if (about === 'path') await askPath(method)
      else if (method.endsWith('/list')) await askList(method, about)
      else for (const part of partsAt(path, about)) await askPart(method, part)
    }
    await session?.close()

    function send(method: string, params: Record<string, unknown> = {}): Promise<McpAnswer> {
      return session ? session.ask(method, params) : askMcp(url, { method, params, token })
    }

    async function askPath(method: string): Promise<void> {
      const params = { 'logging/setLevel': { level: 'info' }, 'resources/unsubscribe': { uri: 'marked://beta/note' } }[method]
      const answer = await send(method, params)
      // Whatever the era does not know is no matter of rights.
      if (!isKnown(answer)) return
      judge(visit, method, answer, found.size > 0 ? 'answered' : 'either', method === 'server/discover' ? saidIn(found) : [])
    }

    async function askList(method: string, about: 'tools' | 'others'): Promise<void> {
      const seen = partsAt(path, about).filter((part) => found.has(part))
      const own = method === 'prompts/list' && path === 'home' && found.size > 0 ? ['planted-home-greet'] : []
      judge(visit, method, await send(method), found.size > 0 ? 'answered' : 'either', [...seen.map(markOf), ...own])
    }

    async function askPart(method: string, part: McpPart): Promise<void> {
      const isFound = found.has(part)
      const params = paramsOf(method, part, path)
      if (method === 'subscriptions/listen') {
        if (session || visit.way === 'control plane') return
        const answer = await firstOfStream(url, token, { notifications: { resourceSubscriptions: [params['uri']] } })
        cells++
        if (answer.text.includes(String(params['uri'])) !== isFound) fault(visit, method, `${part}: ${shortly(answer)}`)
        return
      }
      const answer = await send(method, params)
      if (!isKnown(answer)) return
      const marks = isFound && method !== 'resources/subscribe' ? [markOf(part)] : []
      judge(visit, `${method} ${part}`, answer, isFound ? 'answered' : 'refused', marks)
    }
  }

  /**
   * The texts that were planted are exactly those of the table; `either`: where somebody may use nothing, a list or the path as such may
   * be refused, or be there and empty.
   */
  function judge(
    visit: Visit,
    what: string,
    answer: McpAnswer,
    expected: 'answered' | 'refused' | 'either',
    marks: readonly string[],
  ): void {
    cells++
    const seen = [...new Set(answer.text.match(/planted-[a-z]+-[a-z]+/g) ?? [])].toSorted()
    const isAnswered = answer.status === 200 && answer.error === undefined
    if (seen.join() !== [...marks].toSorted().join()) fault(visit, what, `shows ${seen.join(', ') || 'nothing'}: ${shortly(answer)}`)
    else if (expected !== 'either' && isAnswered !== (expected === 'answered'))
      fault(visit, what, `should be ${expected}: ${shortly(answer)}`)
  }

  function fault({ name, way, era, path }: Visit, what: string, text: string): void {
    wrong.push(`${name}, ${way}, ${era}, ${mcpPaths[path] || '/'}: ${what} ${text}`)
  }

  /** A gateway and its instances are in an environment. */
  async function askRest(name: string, row: Row, ask: Ask): Promise<void> {
    const asked = [
      { method: 'GET', path: `${environment}/gateways`, on: 'gateways', verb: 'view', shows: '"here"' },
      { method: 'GET', path: `${environment}/gateways/here`, on: 'gateways', verb: 'view', shows: '"here"' },
      { method: 'GET', path: `${workspace}/gateways/here`, on: 'gateways', verb: 'view', shows: '"here"' },
      { method: 'PATCH', path: `${environment}/gateways/here`, on: 'gateways', verb: 'edit', body: { labels: {} }, shows: '"here"' },
      { method: 'GET', path: `${workspace}/instances`, on: 'instances', verb: 'view', shows: instance },
      { method: 'GET', path: `${workspace}/instances/${instance}`, on: 'instances', verb: 'view', shows: instance },
      { method: 'GET', path: `${workspace}/instances/${instance}/logs`, on: 'instances', verb: 'view', shows: '' },
      { method: 'GET', path: `${workspace}/tools`, on: 'tools', verb: 'view', shows: 'alpha__read' },
    ] as const
    for (const { method, path, on, verb, shows, ...more } of asked) {
      cells++
      const { status, text } = await ask(method, path, 'body' in more ? more.body : undefined)
      const isAllowed = says(row, 'environment', verb, on)
      const isEmpty = status === 200 && text.includes('"items":[]')
      const isRight = isAllowed ? status === 200 && text.includes(shows) : status === 403 || status === 404 || isEmpty
      if (!isRight) wrong.push(`${name}: ${method} ${path}: ${status}, and the table says ${isAllowed}: ${text.slice(0, 200)}`)
    }
  }
}

type Listed = { items: { metadata: { name: string }; status: { state: string } }[] }

async function fleetOf(ada: Ask, stateDir: string, env?: Record<string, string>) {
  const servers = ['alpha', 'beta'].map((name) => fixture(name, 'marked', [name]))
  const prompts = [{ name: 'greet', content: 'planted-home-greet', description: 'planted-home-greet' }]
  const objects = [
    ...servers.map(({ name, spec }) => ({ kind: 'Server', metadata: { name }, spec })),
    { kind: 'Project', metadata: { name: 'home' }, spec: { servers: ['alpha'], prompts } },
  ]
  must(await ada('POST', `${workspace}/apply`, { objects }))
  const { url } = must(await ada('POST', `${environment}/enrollments`, { name: 'here' })) as { url: string }
  const gateway = await startGateway({ stateDir, url, ...(env && { env }) })
  for (const { name } of servers) await serving(`${gateway.endpoint}/servers/${name}`)
  const instance = await until('the control plane knows everything that runs', async () => {
    const { items } = must(await ada('GET', `${workspace}/instances`)) as Listed
    const tools = JSON.stringify(must(await ada('GET', `${workspace}/tools`)))
    const { status } = must(await ada('GET', `${environment}/gateways/here`)) as { status: { config: { state: string } } }
    const ready = items.filter((one) => one.status.state === 'ready')
    const isWhole = ready.length === servers.length && tools.includes('alpha__read') && status.config.state === 'applied'
    return isWhole ? ready[0]!.metadata.name : ''
  })
  return { gateway, instance }
}

/** Those who may do nothing get no token, and come with one that nobody has. */
async function tokenOf(name: string, { role }: Row, ask: Ask): Promise<string> {
  if (!role) return 'mcpg_pat_of_nobody'
  const made = await ask('POST', `/v1/orgs/${role.org ?? 'default'}/tokens`, { name: `of-${name}` })
  return String(must(made)['token'])
}

/** Whether the endpoint has such a method in that era. */
const isKnown = ({ error }: McpAnswer) => error?.code !== -32601
const markOf = (part: McpPart) => `planted-${part.replace('.', '-')}`
const shortly = ({ status, text }: McpAnswer) => `${status} ${text.slice(0, 300)}`
/** Servers tell about themselves to whoever may use something of them. */
const saidIn = (found: ReadonlySet<McpPart>) => [...new Set([...found].map((part) => `planted-${part.split('.')[0]}-said`))]
const lastWith = <Caller extends { row: Row }>(callers: Caller[]) => callers.findLast(({ row }) => row.mcp?.everything !== undefined)!

/** Names of one server mean nothing at the path of another. */
function partsAt(path: McpPath, about: 'tools' | 'others'): McpPart[] {
  const ofKind = mcpParts.filter((part) => part.endsWith('.others') === (about === 'others'))
  return path === 'alpha' || path === 'beta' ? ofKind.filter((part) => part.startsWith(path)) : ofKind
}

function paramsOf(method: string, part: McpPart, path: McpPath): Record<string, unknown> {
  const [server, own] = part.split('.') as [string, string]
  const named = (name: string) => (path === 'alpha' || path === 'beta' ? name : `${server}__${name}`)
  if (method === 'tools/call') return { name: named(own), arguments: {} }
  if (method === 'prompts/get') return { name: named('say') }
  if (method === 'completion/complete') return { ref: { type: 'ref/prompt', name: named('say') }, argument: { name: 'what', value: 'x' } }
  return { uri: `marked://${server}/note` }
}
