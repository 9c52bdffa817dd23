import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { DeliveryService } from '@mcpg/proto/gen/delivery'
import { EnrollmentService } from '@mcpg/proto/gen/enrollment'
import { GatewayService } from '@mcpg/proto/gen/gateway'
import { operations as rights, operationsOfInstallation } from '@mcpg/proto/grants'
import { publicRoutes, type Access } from '@mcpg/proto/access'
import { kinds } from '@mcpg/proto/kinds'
import {
  accessTable,
  allVerbs,
  decidedByService,
  groups,
  kindsIn,
  mcpOperations,
  openRpcs,
  says,
  wheres,
  type Row,
  type Where,
} from '@mcpg/proto/test/access-table'
import { kindExamples } from '@mcpg/proto/test/kind-examples'
import { temporaryFolder } from '../harness/cleanup.ts'
import { startControlPlane } from '../harness/programs.ts'
import { firstUser, joined, must, type Answer, type Ask } from './access-callers.ts'

/** Where each column of the table is. */
const places: Record<Where, { org?: string; workspace?: string; environment?: string; project?: string }> = {
  here: { org: 'default', workspace: 'default' },
  environment: { org: 'default', workspace: 'default', environment: 'default' },
  project: { org: 'default', workspace: 'default', project: 'home' },
  beside: { org: 'default', workspace: 'beside' },
  org: { org: 'default' },
  elsewhere: { org: 'acme', workspace: 'default' },
  other: { org: 'acme' },
  installation: {},
}
/** What lies in a workspace is marked as of it. */
const markerOf = (where: Where) => `planted-marker-${where === 'environment' || where === 'project' ? 'here' : where}`

type Operation = { id: string; method: string; path: string; access: Access }

/**
 * Asks the REST surface, as its OpenAPI document lists it, as everybody in the access table: every cell of `can-i`, every operation that
 * the table refuses (nothing may be told or done), every GET that it allows, and everything without signing in. `every`: only each
 * n-th of the cells and of the requests.
 */
export async function probeAccess({ every = 1, env }: { every?: number; env?: Record<string, string> } = {}) {
  const stateDir = join(temporaryFolder(), 'control-plane')
  const controlPlane = await startControlPlane({ stateDir, args: ['--auth-mode', 'local'], ...(env && { env }) })
  const { http } = controlPlane
  const wrong: string[] = []
  let [cells, requests] = [0, 0]
  const ada = await firstUser(http, readFileSync(join(stateDir, 'setup-code'), 'utf8').trim())
  const operations = operationsOf(must(await ada('GET', '/v1/openapi.json')))
  for (const one of operations) wrong.push(...unknownIn(one))
  await plant(ada)
  for (const [name, row] of Object.entries(accessTable)) {
    const ask = await joined(ada, http, name, row)
    await askCells(name, row, ask)
    await askOperations(name, row, ask)
  }
  await askAnonymously()
  wrong.push(...(await openRpcsOf(controlPlane.grpc)))
  await controlPlane.stop()
  return { operations: operations.length, callers: Object.keys(accessTable).length, cells, requests, wrong }

  /** What `can-i` says against the table. */
  async function askCells(name: string, row: Row, ask: Ask): Promise<void> {
    const work = ['here', 'beside', 'elsewhere'] as const
    const ofOrg = ['org', 'other'] as const
    const asked: { where: Where; query: Record<string, string>; expected: boolean }[] = [
      ...work.flatMap((where) => [...groups.work, ...groups.tokens].flatMap((on) => verbCells(where, on))),
      ...(['environment', 'project'] as const).flatMap((where) => kindsIn[where].flatMap((on) => verbCells(where, on))),
      ...ofOrg.flatMap((where) => [...groups.people, ...groups.audit].flatMap((on) => verbCells(where, on))),
      ...wheres.flatMap((where) =>
        rights.map((operation) => ({
          where,
          query: { operation },
          expected: !operationsOfInstallation.includes(operation) && hasOperations(row, where),
        })),
      ),
    ]
    for (const [index, { where, query, expected }] of asked.entries()) {
      if (index % every !== 0) continue
      cells++
      const { status, body } = await ask('GET', `/v1/access/can-i?${new URLSearchParams({ ...query, ...places[where] })}`)
      if (status === 400 && isUnknownKind(query['kind'])) continue
      if (status !== 200 || body['allowed'] !== expected)
        wrong.push(`${name}, ${where}, ${JSON.stringify(query)}: ${status} ${String(body['allowed'])}, and the table says ${expected}`)
    }

    function verbCells(where: Where, on: string) {
      return allVerbs.map((verb) => ({ where, query: { verb, kind: on }, expected: says(row, where, verb, on) }))
    }
  }

  async function askOperations(name: string, row: Row, ask: Ask): Promise<void> {
    for (const [index, operation] of operations.entries())
      for (const where of wheresOf(operation.path)) {
        // Programs of this machine may read them, whoever runs them.
        if (operation.path === '/metrics') continue
        const allowed = isAllowed(row, where, operation)
        if (allowed === null || (index + wheres.indexOf(where)) % every !== 0) continue
        if (allowed && operation.method !== 'GET') continue
        requests++
        const path = filled(operation, where)
        const fault = faultOf(await ask(operation.method, path, bodyOf(operation)), { allowed, where, method: operation.method })
        if (fault) wrong.push(`${name}: ${operation.method} ${path}: ${fault}`)
      }
  }

  async function askAnonymously(): Promise<void> {
    for (const { method, path } of operations) {
      if (publicRoutes.includes(path.replace(/\{(\w+)\}/g, ':$1')) || path === '/metrics') continue
      requests++
      const response = await fetch(http + path.replace(/\{\w+\}/g, 'default'), { method })
      await response.body?.cancel()
      if (response.status !== 401) wrong.push(`nobody signed in: ${method} ${path}: ${response.status}`)
    }
  }
}

/** RPCs that answer without a credential, and are not on the list. */
async function openRpcsOf(grpc: string): Promise<string[]> {
  const transport = createGrpcTransport({ baseUrl: grpc })
  const found: string[] = []
  for (const service of [GatewayService, EnrollmentService, DeliveryService])
    for (const [name, { methodKind }] of Object.entries(service.method)) {
      const code = await codeOf(createClient(service, transport) as never, name, methodKind === 'unary')
      const rpc = `${service.typeName.split('.').at(-1)}.${name}`
      if ((code === Code.Unauthenticated) === Object.hasOwn(openRpcs, rpc)) found.push(`${rpc} without a credential: ${code ?? 'answers'}`)
    }
  return found
}

async function codeOf(client: Record<string, (input: unknown) => unknown>, name: string, isUnary: boolean): Promise<Code | null> {
  try {
    if (isUnary) await client[name]!({})
    else for await (const _ of client[name]!(silence()) as AsyncIterable<unknown>) break
    return null
  } catch (error) {
    return ConnectError.from(error).code
  }
}

/** A stream of requests that says nothing and ends. */
async function* silence(): AsyncGenerator<never> {}

/** A refusal says nothing of what is there, and a list is empty; what is allowed is not refused. */
function faultOf(
  { status, text, body }: Answer,
  { allowed, where, method }: { allowed: boolean; where: Where; method: string },
): string | null {
  if (allowed) return status === 401 || status === 403 ? `${status}, and the table allows it: ${text.slice(0, 200)}` : null
  if (text.includes(markerOf(where))) return `${status} tells what is there: ${text.slice(0, 300)}`
  const isEmpty = method === 'GET' && status === 200 && Array.isArray(body['items']) && body['items'].length === 0
  return status === 403 || status === 404 || isEmpty ? null : `${status}, and the table refuses it: ${text.slice(0, 200)}`
}

/**
 * Null where the table does not speak of it: what a service decides, places, which are found by whoever has a right in them, and what is
 * filtered for whoever has the right in a part of the workspace only.
 */
function isAllowed(row: Row, where: Where, { id, access }: Operation): boolean | null {
  if (typeof access === 'string' || mcpOperations.includes(id)) return null
  if ('operation' in access) return !operationsOfInstallation.includes(access.operation) && hasOperations(row, where)
  if (!(groups.places as readonly string[]).includes(access.on)) {
    if (says(row, where, access.verb, access.on)) return true
    const isInPart = where === 'here' && (['environment', 'project'] as const).some((part) => says(row, part, access.verb, access.on))
    return isInPart ? null : false
  }
  const { org } = places[where]
  const hasSomething = row.role !== undefined && (row.role.org ?? 'default') === org
  return org === undefined || hasSomething ? null : false
}

function hasOperations({ may }: Row, where: Where): boolean {
  return (may[where] ?? (where === 'environment' || where === 'project' ? may.here : undefined))?.operations !== undefined
}

function unknownIn({ id, access, path }: Operation): string[] {
  if (access === undefined) return [`${id} shows no access in the document`]
  if (access === 'public') return publicRoutes.includes(path.replace(/\{(\w+)\}/g, ':$1')) ? [] : [`${id} is public`]
  if (access === 'signed-in') return decidedByService[id] === undefined ? [`${id} asks no right, and the table does not say why`] : []
  if (typeof access === 'string') return [`${id} is for ${access}`]
  if ('operation' in access)
    return (rights as readonly string[]).includes(access.operation) ? [] : [`${id} needs ${access.operation}, which is none`]
  return Object.values(groups).some((group) => (group as readonly string[]).includes(access.on))
    ? []
    : [`${access.on} of ${id} is in no group`]
}

function operationsOf({ paths }: { paths?: Record<string, Record<string, { operationId: string; 'x-access': Access }>> }): Operation[] {
  return Object.entries(paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ id: one.operationId, method: method.toUpperCase(), path, access: one['x-access'] })),
  )
}

function wheresOf(path: string): Where[] {
  const here = path.includes('{environment}') ? 'environment' : path.includes('{project}') ? 'project' : 'here'
  if (path.includes('{workspace}')) return [here, 'beside', 'elsewhere']
  return path.includes('{org}') ? ['org', 'other'] : ['installation']
}

function filled({ path }: Operation, where: Where): string {
  const { org = 'default', workspace = 'default' } = places[where]
  const kind = kinds.find(({ plural }) => path.includes(`/${plural}/{name}`))
  return path
    .replace('{org}', org)
    .replace('{workspace}', workspace)
    .replace('{project}', 'home')
    .replace('{name}', kind ? nameIn(kind.kind) : 'planted')
    .replace('{environment}', 'default')
    .replace(/\{\w+\}/g, 'planted')
}

const bodyOf = ({ method, id }: Operation) =>
  method === 'GET' || method === 'DELETE' ? undefined : id.startsWith('call') ? { jsonrpc: '2.0', id: 1, method: 'tools/list' } : {}
const nameIn = (kind: string) => kindExamples[kind]?.named?.('planted') ?? 'planted'
/** The table names kinds before they come. */
const isUnknownKind = (word: string | undefined) => word !== undefined && kinds.every(({ plural }) => plural !== word)

/** Two organizations and three workspaces with one object of every kind, each with a text that nobody else may see. */
async function plant(ada: Ask): Promise<void> {
  must(await ada('POST', '/v1/orgs', { name: 'acme' }))
  for (const path of ['/v1/orgs/default/workspaces/beside', '/v1/orgs/acme/workspaces/default']) {
    const at = path.lastIndexOf('/')
    must(await ada('POST', path.slice(0, at), { name: path.slice(at + 1) }))
    must(await ada('POST', `${path}/environments`, { name: 'default' }))
  }
  const stored = kinds.filter(({ virtual }) => !virtual)
  for (const where of ['org', 'other', 'here', 'beside', 'elsewhere'] as const) {
    const { org, workspace } = places[where]
    const here = stored.filter(({ scope }) => (workspace === undefined) === (scope === 'org'))
    const base = [
      { kind: 'Server', metadata: { name: 'served' }, spec: { command: ['x'] } },
      { kind: 'Project', metadata: { name: 'home', annotations: { note: markerOf(where) } }, spec: {} },
    ]
    const objects = here.map(({ kind, scope }) => ({
      kind,
      metadata: { name: nameIn(kind), annotations: { note: markerOf(where) }, ...(scope === 'project' && { project: 'home' }) },
      spec: kindExamples[kind]!.base,
    }))
    const path = `/v1/orgs/${org}${workspace === undefined ? '' : `/workspaces/${workspace}`}`
    must(await ada('POST', `${path}/apply`, { objects: workspace === undefined ? objects : [...base, ...objects] }))
    if (workspace === undefined) continue
    must(await ada('POST', `${path}/environments/default/enrollments`, { labels: { note: markerOf(where) } }))
  }
}
