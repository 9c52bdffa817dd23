import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testAuthority } from '@mcpg/core/test-authority'
import { temporaryFolder } from '../harness/cleanup.ts'
import { freePort } from '../harness/free-port.ts'
import { putOnPostgres, rowsOf } from '../harness/database.ts'
import { ctl, type ControlPlane } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { agentsOf, begin, gatewaysPath, managedTimers, operationsOf, place } from './managed.ts'
import { startApiServer, startReachable, type ApiServer } from './managed-api-server.ts'

type World = Awaited<ReturnType<typeof openWorld>>

/** What is asked for by both ways, and what both must say. */
type Case = {
  what: string
  cli: { args: string[]; exit: number; env?: Record<string, string> }
  rest: { method: 'POST' | 'DELETE' | 'GET'; path: string; body?: object; status: number; reason: string; pointers?: string[] }
  /** What was wrong, why, and what to do next; the command line says all of them. */
  says: RegExp[]
  /** Where REST says it in other words. */
  restSays?: RegExp[]
}

const timers = { MCPG_TIMERS: `${managedTimers.MCPG_TIMERS},clusterProbe=500,provisionStep=120000` }
const clusters = '/v1/admin/clusters'
const register = (name: string, ...rest: string[]) => [
  'cluster',
  'register',
  '--name',
  name,
  '--region',
  'eu',
  '--gateways-max',
  '3',
  ...rest,
]
const create = (name: string, ...rest: string[]) => ['provision', 'create', ...place, '--name', name, ...rest]

/** Everything that a person may get wrong about clusters and managed gateways; after each, nothing is there that was not before. */
export async function badInput({
  postgres,
  isQuick = false,
  say = () => {},
}: {
  postgres: string | null
  /** Without what is waited for a minute. */
  isQuick?: boolean
  say?: (line: string) => void
}): Promise<{ asked: number; wrong: string[] }> {
  const world = await openWorld(postgres)
  const wrong: string[] = []
  let asked = 0
  for (const one of await casesOf(world)) {
    say(`bad input: ${one.what}`)
    const before = await thereIs(world.stateDir)
    wrong.push(...(await wrongByCli(world, one)).map((text) => `${one.what}, by the command line: ${text}`))
    wrong.push(...(await wrongByRest(world, one)).map((text) => `${one.what}, by REST: ${text}`))
    const after = await thereIs(world.stateDir)
    if (after !== before) wrong.push(`${one.what}: ${before} became ${after}`)
    asked += 2
  }
  for (const [what, run] of Object.entries(later)) {
    if (isQuick && what === stays) continue
    say(`bad input: ${what}`)
    wrong.push(...(await run(world).catch((error: unknown) => [(error as Error).message])).map((text) => `${what}: ${text}`))
    asked++
  }
  return { asked, wrong }
}

async function openWorld(postgres: string | null) {
  const stateDir = temporaryFolder()
  if (postgres !== null) await putOnPostgres(stateDir, postgres)
  const controlPlane = await startReachable({ stateDir, env: timers })
  const cluster = await startApiServer({ controlPlane: () => controlPlane })
  const folder = temporaryFolder()
  const file = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const run = (args: string[], env: Record<string, string> = {}) => ctl(args, { stateDir, env: { MCPG_CP_URL: controlPlane.http, ...env } })
  const made = await begin(controlPlane, 'POST', gatewaysPath, { body: { name: 'edge-1' } })
  const operation = await until('a gateway to be wrong about', async () =>
    (await operationsOf(controlPlane)).find(({ id, state }) => id === made.answer.operationId && state === 'succeeded'),
  )
  return { stateDir, controlPlane, cluster, file, folder, run, operation }
}

async function casesOf({ controlPlane, cluster, file, folder, operation }: World): Promise<Case[]> {
  const other = await testAuthority('another root')
  const { server, ca, token } = cluster
  const reached = { name: 'kube', region: 'eu', gatewaysMax: 3 }
  const flags = (given: { ca?: string; token?: string }) => [
    '--server',
    server,
    '--ca-file',
    file(`ca-${Math.random()}`, given.ca ?? ca),
    '--token-file',
    file(`token-${Math.random()}`, given.token ?? token),
  ]
  const kubeconfig = JSON.stringify({
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority': '/home/ada/ca.crt' } }],
    users: [{ name: 'u', user: { 'client-certificate': '/home/ada/a.crt', 'client-key': '/home/ada/a.key' } }],
  })
  const known = { region: 'eu', gatewaysMax: 5, driver: 'local' }
  await must(controlPlane, clusters, { name: 'spare', ...known })
  const nobody = `https://127.0.0.1:${await freePort()}`
  const tooLong = 'x'.repeat(57)
  return [
    {
      what: 'a cluster of the same name with other values',
      cli: { args: ['cluster', 'register', '--name', 'spare', '--region', 'us', '--gateways-max', '7', '--driver', 'local'], exit: 6 },
      rest: {
        method: 'POST',
        path: clusters,
        body: { name: 'spare', ...known, region: 'us', gatewaysMax: 7, isolationTier: 'sandboxed' },
        status: 409,
        reason: 'cluster_exists',
        pointers: ['/region', '/gatewaysMax', '/isolationTier'],
      },
      says: [/region is eu, not us/, /gatewaysMax is 5, not 7/, /another --name/],
    },
    {
      what: 'a gateway of the same name that would have to move',
      cli: { args: create('edge-1', '--region', 'eu', '--isolation-tier', 'dedicated'), exit: 6 },
      rest: {
        method: 'POST',
        path: gatewaysPath,
        body: { name: 'edge-1', region: 'eu', isolationTier: 'dedicated' },
        status: 409,
        reason: 'gateway_would_move',
        pointers: ['/region', '/isolationTier'],
      },
      says: [/stays on its cluster/, /delete it and create it anew/],
    },
    {
      what: 'a kubeconfig with files that only its own machine has',
      cli: { args: register('kube', '--kubeconfig', file('kubeconfig', kubeconfig)), exit: 2 },
      rest: {
        method: 'POST',
        path: clusters,
        body: { ...reached, kubernetes: { kubeconfig } },
        status: 400,
        reason: 'invalid_cluster_credentials',
        pointers: ['/clusters/c/certificate-authority', '/users/u/client-certificate', '/users/u/client-key'],
      },
      says: [/\/home\/ada\/ca\.crt is a file that the control plane does not read/, /a\.crt/, /a\.key/, /kubectl config view --flatten/],
    },
    {
      what: 'a kubeconfig that is not there, and one that cannot be read',
      cli: { args: register('kube', '--kubeconfig', folder), exit: 2 },
      rest: {
        method: 'POST',
        path: clusters,
        body: { ...reached, kubernetes: { kubeconfig: '[1' } },
        status: 400,
        reason: 'invalid_cluster_credentials',
      },
      says: [/--kubeconfig .* cannot be read \(EISDIR\)/, /mcpg-ctl cluster register --help/],
      restSays: [/is not a kubeconfig/, /kubectl config view/],
    },
    {
      what: 'an expired token',
      cli: { args: register('kube', ...flags({ token: 'of-yesterday' })), exit: 6 },
      rest: {
        method: 'POST',
        path: clusters,
        body: { ...reached, kubernetes: { server, ca, token: 'of-yesterday' } },
        status: 409,
        reason: 'cluster_credentials_refused',
      },
      says: [/does not accept the credentials: the token is expired, revoked or of another cluster/, /kubectl create token/],
    },
    {
      what: 'a wrong authority',
      cli: { args: register('kube', ...flags({ ca: other.pem })), exit: 6 },
      rest: {
        method: 'POST',
        path: clusters,
        body: { ...reached, kubernetes: { server, ca: other.pem, token } },
        status: 409,
        reason: 'cluster_certificate_not_trusted',
      },
      says: [/certificate that the given authority did not issue/, /--ca-file/],
    },
    {
      what: 'a server that is not there',
      cli: { args: register('kube', '--server', nobody, '--token-file', file('token', token)), exit: 4 },
      rest: {
        method: 'POST',
        path: clusters,
        body: { ...reached, kubernetes: { server: nobody, token } },
        status: 503,
        reason: 'cluster_unreachable',
      },
      says: [/refuses connections/, /is it running/],
    },
    {
      what: 'names that make the name of an object longer than 63',
      cli: { args: create(tooLong), exit: 2 },
      rest: { method: 'POST', path: gatewaysPath, body: { name: tooLong }, status: 400, reason: 'invalid_request', pointers: ['/name'] },
      says: [/must be at most 56 characters for a managed gateway/],
    },
    {
      what: 'zero',
      cli: {
        args: ['cluster', 'register', '--name', 'none', '--region', 'eu', '--gateways-max', '0', '--cpu-millicores-total', '0'],
        exit: 2,
      },
      rest: {
        method: 'POST',
        path: clusters,
        body: { name: 'none', region: 'eu', gatewaysMax: 0, cpuMillicoresTotal: 0, memoryBytesTotal: 0 },
        status: 400,
        reason: 'invalid_request',
        pointers: ['/gatewaysMax', '/cpuMillicoresTotal', '/memoryBytesTotal'],
      },
      says: [/(gatewaysMax|--gateways-max) must be at least 1/, /(cpuMillicoresTotal|--cpu-millicores-total): must be more than 0/],
    },
    {
      what: 'negative numbers',
      cli: { args: ['cluster', 'register', '--name', 'none', '--region', 'eu', '--gateways-max', '-3'], exit: 2 },
      rest: {
        method: 'POST',
        path: clusters,
        body: { name: 'none', region: 'e u', gatewaysMax: -3, cpuMillicoresTotal: -1, memoryBytesTotal: -1.5 },
        status: 400,
        reason: 'invalid_request',
        pointers: ['/region', '/gatewaysMax', '/cpuMillicoresTotal', '/memoryBytesTotal'],
      },
      says: [/--gateways-max/, /whole number/],
      restSays: [/"\/gatewaysMax","detail":"must be at least 1"/, /must be more than 0/, /must be a whole number/],
    },
    {
      what: 'no replicas',
      cli: { args: create('none', '--replicas', '0'), exit: 2 },
      rest: {
        method: 'POST',
        path: gatewaysPath,
        body: { name: 'No Name', replicas: -1, size: 'xl', imageTag: 'a/b' },
        status: 400,
        reason: 'invalid_request',
        pointers: ['/name', '/replicas', '/size', '/imageTag'],
      },
      says: [/replicas must be at least 1/],
      restSays: [/"\/replicas","detail":"must be at least 1"/],
    },
    {
      what: 'a region with a slip of the finger',
      cli: { args: create('edge-2', '--region', 'lokal'), exit: 2 },
      rest: {
        method: 'POST',
        path: gatewaysPath,
        body: { name: 'edge-2', region: 'lokal' },
        status: 400,
        reason: 'region_unknown',
        pointers: ['/region'],
      },
      says: [/no cluster is in the region lokal/i, /there are: eu, local/, /did you mean local\?/, /mcpg-ctl cluster list/],
    },
    {
      what: 'a gateway that nobody knows',
      cli: { args: ['provision', 'delete', ...place, '--instance-uid', 'nobody-abcdef'], exit: 5 },
      rest: { method: 'DELETE', path: `${gatewaysPath}/nobody-abcdef`, status: 404, reason: 'gateway_unknown' },
      says: [/There is no gateway nobody-abcdef in default/, /mcpg-ctl get gateways/],
    },
    {
      what: 'a cluster that nobody knows',
      cli: { args: ['cluster', 'decommission', '--id', 'nobody'], exit: 5 },
      rest: { method: 'POST', path: `${clusters}/nobody/decommission`, body: {}, status: 404, reason: 'cluster_unknown' },
      says: [/There is no cluster nobody/, /mcpg-ctl cluster list/],
    },
    {
      what: 'an operation that nobody knows',
      cli: { args: ['provision', 'watch', 'nobody'], exit: 5 },
      rest: { method: 'POST', path: '/v1/operations/nobody/cancel', status: 404, reason: 'operation_unknown' },
      says: [/There is no operation nobody/, /mcpg-ctl provision history/],
    },
    {
      what: 'a cancel after ready',
      cli: { args: ['provision', 'cancel', operation.id], exit: 6 },
      rest: { method: 'POST', path: `/v1/operations/${operation.id}/cancel`, status: 409, reason: 'operation_finished' },
      says: [/has ended already \(succeeded\)/, /take the gateway away: mcpg-ctl provision delete .*--instance-uid edge-1/],
    },
    {
      what: 'a cluster that is kept by its gateways',
      cli: { args: ['cluster', 'decommission', '--id', 'local'], exit: 6 },
      rest: { method: 'POST', path: `${clusters}/local/decommission`, body: {}, status: 409, reason: 'cluster_not_empty' },
      says: [/1 gateway runs on it \(default\/default\/default\/edge-1\)/, /mcpg-ctl provision delete/, /--force/],
    },
    {
      what: 'gateways that are kept of a cluster that is not forced',
      cli: { args: ['cluster', 'decommission', '--id', 'local', '--keep-running'], exit: 2 },
      rest: {
        method: 'POST',
        path: `${clusters}/local/decommission`,
        body: { keepRunning: true },
        status: 400,
        reason: 'invalid_request',
        pointers: ['/keepRunning'],
      },
      says: [/force/],
    },
    {
      what: 'a deadline that is none',
      cli: { args: ['cluster', 'drain', 'spare', '--deadline', 'soon'], exit: 2 },
      rest: {
        method: 'POST',
        path: `${clusters}/spare/drain`,
        body: { deadline: '-1h' },
        status: 400,
        reason: 'invalid_request',
        pointers: ['/deadline'],
      },
      says: [/soon|deadline/],
    },
    {
      what: 'what the cluster of this machine does not run',
      cli: { args: create('edge-2', '--region', 'local', '--custom-hostname', 'a.example.com', '--image-tag', '9.9.9'), exit: 2 },
      rest: {
        method: 'POST',
        path: gatewaysPath,
        body: { name: 'edge-2', customHostname: 'a.example.com', imageTag: '9.9.9' },
        status: 400,
        reason: 'not_runnable',
        pointers: ['/imageTag', '/customHostname'],
      },
      says: [/write latest or/, /routes no host names/],
    },
  ]
}

async function wrongByCli({ run }: World, { cli: { args, exit, env }, says }: Case): Promise<string[]> {
  const { code, stdout, stderr } = await run(args, env)
  const machine = await run([...args, '-o', 'json'], env)
  return [
    ...(code === exit ? [] : [`it ends with ${code}, not ${exit}: ${stdout}${stderr}`]),
    // What may be there in a moment was tried again before, and that is told.
    ...(/^error: .+\n/m.test(stderr) ? [] : [`it begins with "${stderr.split('\n')[0]}"`]),
    ...(/\n *at /.test(stderr) ? [`a stack: ${stderr}`] : []),
    ...says.filter((text) => !text.test(stderr)).map((text) => `it does not say ${text}: ${stderr}`),
    ...(machine.code === exit && isProblem(machine.stderr.slice(machine.stderr.indexOf('{')))
      ? []
      : [`with -o json it ends with ${machine.code}: ${machine.stderr}`]),
  ]
}

function isProblem(text: string): boolean {
  try {
    const { code, reason, detail } = JSON.parse(text) as Record<string, unknown>
    return [code, reason, detail].every((one) => typeof one === 'string')
  } catch {
    return false
  }
}

async function wrongByRest({ controlPlane: { http } }: World, { rest, says, restSays }: Case): Promise<string[]> {
  const { method, path, body, status, reason, pointers = [] } = rest
  const headers = { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) }
  const answer = await fetch(http + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const text = await answer.text()
  const problem = JSON.parse(text) as {
    type?: string
    detail?: string
    reason?: string
    requestId?: string
    hint?: string
    errors?: { pointer: string }[]
  }
  const told = (problem.errors ?? []).map(({ pointer }) => pointer)
  return [
    ...(answer.status === status && problem.reason === reason ? [] : [`it answers ${answer.status} ${text}, not ${status} ${reason}`]),
    ...(answer.headers.get('content-type')?.startsWith('application/problem+json') ? [] : ['it is no problem document']),
    ...(problem.type === `urn:mcpg:${(problem as { code?: string }).code}:${problem.reason}` && problem.requestId
      ? []
      : [`its parts: ${text}`]),
    ...pointers.filter((pointer) => !told.includes(pointer)).map((pointer) => `${pointer} is not among the errors: ${text}`),
    // The hint of the command line may be about its flags.
    ...(restSays ?? []).filter((one) => !one.test(text)).map((one) => `it does not say ${one}: ${text}`),
    ...(restSays === undefined && !says[0]!.test([problem.detail, text].join(' ')) ? [`it does not say ${says[0]}: ${text}`] : []),
  ]
}

/** What may have been left behind, counted. */
async function thereIs(stateDir: string): Promise<string> {
  const tables = ['clusters', 'managed_gateways', 'reservations', 'enrollments', 'gateways', 'operations']
  const counts = await Promise.all(
    tables.map(async (table) => {
      const [row] = await rowsOf<{ count: number | string }>(stateDir, `SELECT COUNT(*) AS "count" FROM "${table}"`)
      return `${Number(row?.count)} ${table}`
    }),
  )
  return [...counts, `${agentsOf(stateDir).length} processes`].join(', ')
}

async function must({ http }: Pick<ControlPlane, 'http'>, path: string, body: object): Promise<void> {
  const answer = await fetch(http + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
}

const stays = 'a namespace that is being deleted and stays'

/** What only shows once the work has begun: it fails with what, why and the next command, and everything is taken back. */
const later: Record<string, (world: World) => Promise<string[]>> = {
  async 'a token that expires after the registration'(world) {
    await registered(world, 'kube')
    world.cluster.knobs.acceptsToken = false
    try {
      return await wrongCreate(world, [/✗ failed/, /does not accept the credentials/, /kubectl create token/])
    } finally {
      world.cluster.knobs.acceptsToken = true
    }
  },
  async [stays](world) {
    await usable(world, 'kube')
    world.cluster.knobs.terminating = true
    try {
      return await wrongCreate(world, [/✗ failed/, /namespace is being deleted/, /kubectl get namespace -o yaml/], (object) =>
        object.startsWith('Namespace/'),
      )
    } finally {
      world.cluster.knobs.terminating = false
    }
  },
  async 'a namespace that is being deleted and goes'(world) {
    await usable(world, 'kube')
    world.cluster.knobs.terminating = true
    const creating = world.run(create('edge-9', '--region', 'eu', '--cluster-selector', 'kind=kube'))
    await until('it is tried', async () =>
      (await operationsOf(world.controlPlane)).some(({ gateway, step }) => gateway.name === 'edge-9' && step === 'workload'),
    )
    world.cluster.knobs.terminating = false
    const { code, stdout, stderr } = await creating
    const deleted = await world.run(['provision', 'delete', ...place, '--instance-uid', 'edge-9'])
    return [
      ...(code === 0 ? [] : [`it ends with ${code}: ${stdout}${stderr}`]),
      ...(deleted.code === 0 && world.cluster.objects().length === 0 ? [] : [`it is not deleted: ${world.cluster.objects().join(' ')}`]),
    ]
  },
}

async function registered({ controlPlane, cluster }: World, name: string): Promise<void> {
  const { server, ca, token } = cluster
  const body = { name, region: 'eu', gatewaysMax: 3, labels: { kind: 'kube' }, kubernetes: { server, ca, token } }
  await must(controlPlane, clusters, body)
}

/** After what was wrong with it before. */
async function usable(world: World, name: string): Promise<void> {
  await registered(world, name)
  await until('the cluster is ready', async () => {
    const answer = await fetch(`${world.controlPlane.http}/v1/clusters/${name}`)
    const { state } = (await answer.json()) as { state: string }
    return state === 'ready'
  })
}

/** `isTheirs`: what is on its way out already, and left to who deletes it. */
async function wrongCreate(world: World, says: RegExp[], isTheirs: (object: string) => boolean = () => false): Promise<string[]> {
  const { run, stateDir, cluster }: { cluster: ApiServer } & World = world
  const before = await leftIn(stateDir)
  const { code, stdout, stderr } = await run(create('edge-9', '--region', 'eu', '--cluster-selector', 'kind=kube'))
  const after = await leftIn(stateDir)
  const left = cluster.objects().filter((object) => !isTheirs(object))
  return [
    ...(code === 7 ? [] : [`it ends with ${code}, not 7: ${stderr}`]),
    ...says.filter((text) => !text.test(stdout)).map((text) => `it does not say ${text}: ${stdout}`),
    ...(after === before ? [] : [`${before} became ${after}`]),
    ...(left.length === 0 ? [] : [`on the cluster: ${left.join(' ')}`]),
  ]
}

/** Without the operation, which stays in the history, and what was reserved for it, which is given back. */
async function leftIn(stateDir: string): Promise<string> {
  const count = async (text: string) => Number((await rowsOf<{ count: number | string }>(stateDir, text))[0]?.count)
  const found = [
    ['gateways', await count(`SELECT COUNT(*) AS "count" FROM "managed_gateways"`)],
    ['reservations', await count(`SELECT COUNT(*) AS "count" FROM "reservations" WHERE "state" <> 'released'`)],
    ['reserved', await count(`SELECT SUM("gatewaysReserved") AS "count" FROM "clusters"`)],
    ['enrolled', await count(`SELECT COUNT(*) AS "count" FROM "gateways"`)],
    ['at work', await count(`SELECT COUNT(*) AS "count" FROM "operations" WHERE "state" = 'running'`)],
  ]
  return found.map(([what, number]) => `${number} ${what}`).join(', ')
}
