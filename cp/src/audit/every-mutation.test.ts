import { create } from '@bufbuild/protobuf'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { McpDataSchema, McpHeadSchema } from '@mcpg/proto/gen/delivery'
import { kinds } from '@mcpg/proto/kinds'
import { kindExamples, referredTo } from '@mcpg/proto/test/kind-examples'
import { testApp, type Answer, type TestApp } from '../../test/app.ts'
import { dnsServer } from '../../test/dns-server.ts'
import { last, type FakeAgent } from '../../test/fake-agent.ts'
import { environment, testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'
import { enrollRequest, newIdentity } from '../../test/identity.ts'

/** Operations by POST that change nothing, and why they leave no row. */
const reads: Record<string, string> = {
  introspectToken: 'it is asked in the body, as a token has no place in a path',
}

type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE'
type Operation = { operationId: string; method: Method; path: string }
/** How an operation is done for once; `prepare` makes what it needs. */
type Step = { prepare?: () => Promise<unknown>; path?: () => string | Promise<string>; body?: object | (() => Promise<object>) }

const ada = { email: 'ada@example.com', password: 'correct horse battery' }
let fleet: TestFleet
let people: TestApp
let names: Awaited<ReturnType<typeof dnsServer>>
let agent: FakeAgent
let operations: Operation[]
beforeAll(async () => {
  names = await dnsServer()
  fleet = await testFleet({ change: (config) => ({ ...config, dnsServers: [names.address] }) })
  people = await testApp({ change: (config) => ({ ...config, authMode: 'local' }) })
  agent = (await fleet.join('walked')).agent
  operations = operationsOf((await fleet.call('GET', '/v1/openapi.json')).body)
  await fleet.call('POST', `${workspace}/apply`, {
    objects: [
      ...referredTo.filter(({ metadata }) => metadata.name !== 'served'),
      { kind: 'Server', metadata: { name: 'served' }, spec: { command: ['v1'] } },
      { kind: 'Project', metadata: { name: 'shown' }, spec: { servers: ['served'] } },
    ],
  })
  await until(async () => (await fleet.server('served')).status.ready === 1)
})
afterAll(async () => {
  await fleet.close()
  await people.close()
  names.close()
})

const org = '/v1/orgs/default'
const gateway = `${environment}/gateways/walked`
const template = { versions: [{ version: '1', server: { command: ['a'] } }] }
const objectOf = (kind: string, name: string, spec: object) => ({ kind, metadata: { name }, spec })
const enrollment = async () => (await fleet.createEnrollment()).name
/** One that its gateway reports now: a revision that is on its way has none yet. */
const anInstance = () =>
  until(async () => (await fleet.call('GET', `${workspace}/instances`)).body.items[0]?.metadata.name as string | undefined)
const joins = async (name: string) => void (await fleet.join(name))
const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
/** The agent answers the next call that reaches it. */
const answering = async () => {
  const before = agent.frames.filter(({ case: frame }) => frame === 'mcpOpen').length
  void agent
    .waitFor(() => (agent.frames.filter(({ case: frame }) => frame === 'mcpOpen').length > before ? last(agent, 'mcpOpen') : undefined))
    .then(({ streamId }) => {
      const headers = { 'content-type': 'application/json' }
      agent.send({ case: 'mcpHead', value: create(McpHeadSchema, { streamId, status: 200, headers }) })
      agent.send({ case: 'mcpData', value: create(McpDataSchema, { streamId, data: Buffer.from('{}'), last: true }) })
    })
}

const runningOperation = async () => {
  const about = { org: 'default', workspace: 'default', environment: 'default', kind: 'create', gateway: 'made', gatewayUid: 'made-1' }
  const progress = {
    state: 'running',
    phase: 'applying',
    step: 'workload',
    attempt: 1,
    compensating: false,
    input: JSON.stringify({ parameters: { imageTag: 'latest', replicas: 1, size: 's', allowHigherTier: false, strategy: 'binpack' } }),
    data: '{}',
    seq: 0,
  }
  const at = { startedBy: 'local', createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
  await fleet.db().write((tx) => tx.operation.create({ data: { id: 'walked', ...about, ...progress, ...at } }))
}
const verifiableDomain = async () => {
  const { body } = await fleet.call('POST', `${org}/domains`, { host: 'walked.example.com' })
  names.records.set(body.record.name, [body.record.value])
}
const aCluster = (name: string, state: string) => async () => {
  await fleet.call('POST', '/v1/admin/clusters', { name, region: 'eu', gatewaysMax: 1 })
  // Nothing here can reach it.
  await fleet.db().write((tx) => tx.cluster.update({ where: { name }, data: { state } }))
}

const steps: Record<string, Step> = {
  // While there is one gateway: the agents of this test give their instances the same names.
  deleteInstance: { path: async () => `${workspace}/instances/${await anInstance()}` },
  controlStop: {},
  createOrg: { body: { name: 'made' } },
  deleteOrg: { prepare: () => fleet.call('POST', '/v1/orgs', { name: 'gone' }), path: () => '/v1/orgs/gone' },
  createWorkspace: { body: { name: 'made' } },
  deleteWorkspace: { prepare: () => fleet.call('POST', `${org}/workspaces`, { name: 'gone' }), path: () => `${org}/workspaces/gone` },
  createEnvironment: { body: { name: 'made' } },
  deleteEnvironment: {
    prepare: () => fleet.call('POST', `${workspace}/environments`, { name: 'gone' }),
    path: () => `${workspace}/environments/gone`,
  },
  purgeAudit: { body: { before: '2000-01-01T00:00:00Z' } },
  purgeAuditOfPlatform: { body: { before: '2000-01-01T00:00:00Z' } },
  revealSecret: { path: () => `${workspace}/secrets/referred-to/reveal` },
  instantiateTemplate: {
    prepare: () => fleet.call('POST', `${workspace}/templates`, objectOf('Template', 'pattern', template)),
    path: () => `${workspace}/templates/pattern/instantiate`,
    body: { name: 'instantiated' },
  },
  upgradeServer: {
    prepare: async () => {
      const versions = [...template.versions, { version: '2', server: { command: ['b'] } }]
      await fleet.call('PATCH', `${workspace}/templates/pattern`, { spec: { versions } })
    },
    path: () => `${workspace}/servers/instantiated/upgrade`,
    body: {},
  },
  approvePromptRequest: {
    prepare: () => fleet.call('POST', `${workspace}/projects/shown/promptrequests`, objectOf('PromptRequest', 'asked', { content: 'a' })),
    path: () => `${workspace}/projects/shown/promptrequests/asked/approve`,
    body: {},
  },
  rejectPromptRequest: {
    prepare: () => fleet.call('POST', `${workspace}/projects/shown/promptrequests`, objectOf('PromptRequest', 'vain', { content: 'a' })),
    path: () => `${workspace}/projects/shown/promptrequests/vain/reject`,
    body: { reason: 'Too short.' },
  },
  stopServer: { path: () => `${workspace}/servers/referred-to/stop` },
  startServer: { path: () => `${workspace}/servers/referred-to/start` },
  restartServer: { path: () => `${workspace}/servers/referred-to/restart` },
  apply: { body: { objects: [objectOf('Server', 'applied', { command: ['x'] })] } },
  applyToOrg: { body: { objects: [objectOf('ServiceAccount', 'applied', {})] } },
  createEnrollment: { body: {} },
  revokeEnrollment: { path: async () => `${workspace}/enrollments/${await enrollment()}/revoke` },
  revokeEnvironmentEnrollment: { path: async () => `${environment}/enrollments/${await enrollment()}/revoke` },
  enroll: {
    path: async () => `/enroll/${(await fleet.createEnrollment()).token}`,
    body: async () => enrollRequest(await newIdentity(), 'enrolled'),
  },
  labelGateway: { path: () => gateway, body: { labels: { rack: 'a' } } },
  deleteGateway: { prepare: () => joins('gone-1'), path: () => `${workspace}/gateways/gone-1` },
  deleteEnvironmentGateway: { prepare: () => joins('gone-2'), path: () => `${environment}/gateways/gone-2` },
  revokeGateway: { prepare: () => joins('revoked-1'), path: () => `${workspace}/gateways/revoked-1/revoke` },
  revokeEnvironmentGateway: { prepare: () => joins('revoked-2'), path: () => `${environment}/gateways/revoked-2/revoke` },
  callServer: { prepare: answering, path: () => `${workspace}/mcp/servers/served?gateway=walked`, body: message },
  callProject: { prepare: answering, path: () => `${workspace}/mcp/projects/shown?gateway=walked`, body: message },
  callGateway: { prepare: answering, path: () => `${workspace}/mcp?gateway=walked`, body: message },
  createMcpToken: { body: { name: 'walked' } },
  revokeMcpToken: { path: () => `${workspace}/projects/shown/tokens/walked/revoke` },
  deleteMcpToken: { path: () => `${workspace}/projects/shown/tokens/walked` },
  createToken: { body: { name: 'own' } },
  revokeToken: { path: () => `${org}/tokens/own/revoke` },
  deleteToken: { path: () => `${org}/tokens/own` },
  putEndpointAccess: { body: { endpointAuth: 'required', maxAccessAge: '1h' } },
  deleteServerAttachment: {
    prepare: () => fleet.call('POST', `${workspace}/projects`, objectOf('Project', 'attached', { servers: ['served'] })),
    path: () => `${workspace}/projects/attached/serverattachments/served`,
  },
  rollBackGateway: { path: () => `${gateway}/rollback`, body: { to: 1 } },
  resumeGateway: { path: () => `${gateway}/resume`, body: {} },
  provisionGateway: { body: { name: 'wanted' } },
  putQuotas: { body: { org: { gateways: 9 } } },
  addDomain: { body: { host: 'made.example.com' } },
  verifyDomain: { prepare: verifiableDomain, path: () => `${org}/domains/walked.example.com/verify` },
  deleteDomain: { path: () => `${org}/domains/walked.example.com` },
  cancelOperation: { prepare: runningOperation, path: () => '/v1/operations/walked/cancel' },
  registerCluster: { body: { name: 'made', region: 'eu', gatewaysMax: 1 } },
  changeCluster: { prepare: aCluster('changed', 'ready'), path: () => '/v1/admin/clusters/changed', body: { gatewaysMax: 2 } },
  cordonCluster: { prepare: aCluster('cordoned', 'ready'), path: () => '/v1/admin/clusters/cordoned/cordon' },
  uncordonCluster: { path: () => '/v1/admin/clusters/cordoned/uncordon' },
  drainCluster: { path: () => '/v1/admin/clusters/cordoned/drain', body: {} },
  decommissionCluster: { path: () => '/v1/admin/clusters/cordoned/decommission', body: {} },
}

const signingIn = ['bootstrap', 'login', 'changePassword', 'logout', 'passwordUser', 'impersonate', 'endImpersonation']

describe('every operation that changes something, or shows a secret', () => {
  it('is known to this test', () => {
    const known = new Set([...Object.keys(steps), ...signingIn, ...Object.keys(reads)])
    const unknown = operations.filter((one) => !known.has(one.operationId) && !kindOf(one))
    expect(unknown.map(({ operationId }) => operationId)).toEqual([])
    expect([...known].filter((name) => !operations.some(({ operationId }) => operationId === name))).toEqual([])
  })

  it('leaves a row with actor, target, request and source address', async () => {
    for (const operation of operations) {
      if (signingIn.includes(operation.operationId) || operation.operationId in reads) continue
      const answer = await perform(operation)
      expect([operation.operationId, answer.status < 300, answer.body?.detail]).toEqual([operation.operationId, true, undefined])
      const actor = operation.operationId === 'enroll' ? expect.any(String) : 'local'
      await expectRow(fleet.app().db, operation.operationId, answer, actor)
    }
  }, 120_000)

  it('signing in, failing to, and signing out among them', async () => {
    const { db } = people.app
    const failed = await people.call('POST', '/v1/auth/bootstrap', { setupCode: 'wrong', ...ada })
    await expectRow(db, 'bootstrap, refused', failed, 'anonymous')
    const bootstrap = await people.call('POST', '/v1/auth/bootstrap', { setupCode: await people.app.firstUserCode(), ...ada })
    await expectRow(db, 'bootstrap', bootstrap, 'anonymous')
    await expectRow(db, 'login, refused', await people.call('POST', '/v1/auth/login', { ...ada, password: 'wrong' }), 'anonymous')
    const login = await people.call('POST', '/v1/auth/login', ada)
    await expectRow(db, 'login', login, 'anonymous')
    const cookieOf = ({ headers }: Answer) => String(headers['set-cookie']).split(';')[0]!
    const change = (password: string) => {
      const headers = { cookie: cookieOf(login), 'x-mcpg-request': '1' }
      return people.call('POST', '/v1/auth/password', { password, newPassword: 'another horse battery' }, headers)
    }
    await expectRow(db, 'changePassword, refused', await change('wrong'), ada.email)
    const changed = await change(ada.password)
    await expectRow(db, 'changePassword', changed, ada.email)
    const cookie = cookieOf(changed)
    const headers = { cookie, 'x-mcpg-request': '1' }
    await people.call('POST', `${org}/users`, objectOf('User', 'eve@example.com', {}), headers)
    const password = await people.call('POST', `${org}/users/eve@example.com/password`, { password: 'another long one' }, headers)
    await expectRow(db, 'passwordUser', password, ada.email)
    const begun = await people.call('POST', '/v1/auth/impersonate', { user: 'eve@example.com' }, headers)
    await expectRow(db, 'impersonate', begun, ada.email)
    const ended = await people.call('DELETE', '/v1/auth/impersonate', undefined, headers)
    await expectRow(db, 'endImpersonation', ended, 'eve@example.com')
    const logout = await people.call('POST', '/v1/auth/logout', {}, { cookie, 'x-mcpg-request': '1' })
    await expectRow(db, 'logout', logout, ada.email)
  })
})

async function perform({ operationId, method, path }: Operation): Promise<Answer> {
  const kind = kindOf({ operationId, method, path })
  const step = steps[operationId]
  if (!step && kind) {
    const { base, flips, named = (word: string) => word } = kindExamples[kind.kind]!
    const other = Object.entries(flips).find(([field]) => !kind.oneOf.includes(field))![1]
    const spec = { POST: base, PUT: { ...base, ...other[0] }, PATCH: { ...base, ...other[1] }, DELETE: undefined }[method]
    const body = method === 'DELETE' ? undefined : method === 'PATCH' ? { spec } : objectOf(kind.kind, named('walked'), spec!)
    return await send(method, filled(path, named('walked')), body)
  }
  await step!.prepare?.()
  const target = step!.path ? await step!.path() : filled(path)
  return await send(method, target, typeof step!.body === 'function' ? await step!.body() : step!.body)
}

const send = (method: Method, path: string, body: unknown) => fleet.call(method, path, body)

const filled = (path: string, name = 'walked'): string =>
  path
    .replace('{org}', 'default')
    .replace('{workspace}', 'default')
    .replace('{environment}', 'default')
    .replace('{project}', 'shown')
    .replace('{name}', name)

/** The row is there by the time the answer is, but for what is written in batches. */
async function expectRow(
  db: TestFleet['db'] extends () => infer Db ? Db : never,
  what: string,
  answer: Answer,
  actor: unknown,
): Promise<void> {
  const requestId = String(answer.headers['x-request-id'])
  const row = await until(() => db.read.audit.findFirst({ where: { requestId } }), 5_000).catch(() => null)
  expect({ what, row }).toEqual({
    what,
    row: expect.objectContaining({ actor, kind: expect.any(String), name: expect.any(String), source: '127.0.0.1', requestId }),
  })
}

/** The stored kind whose own four operations this is one of. */
function kindOf({ operationId }: Operation) {
  return kinds.find(
    ({ kind, virtual }) => !virtual && ['create', 'replace', 'patch', 'delete'].some((verb) => operationId === `${verb}${kind}`),
  )
}

/** In the order in which they can be done: what makes an object before what needs it. */
function operationsOf(document: { paths: Record<string, Record<string, { operationId: string }>> }): Operation[] {
  const found = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { operationId }]) =>
      method === 'get' ? [] : [{ operationId, method: method.toUpperCase() as Method, path }],
    ),
  )
  const order = Object.keys(steps)
  return found.toSorted((one, other) => order.indexOf(one.operationId) - order.indexOf(other.operationId))
}
