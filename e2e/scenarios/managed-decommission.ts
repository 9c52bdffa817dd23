import { chmodSync, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Operation } from '@mcpg/proto/rest/operations'
import { temporaryFolder } from '../harness/cleanup.ts'
import { putOnPostgres, rowsOf } from '../harness/database.ts'
import { start, type ControlPlane } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { agentsOf, gatewaysPath, managedTimers } from './managed.ts'
import { registrationOf, startApiServer, startReachable, type ApiServer } from './managed-api-server.ts'

/** Of clusters, gateways, operations and problems, what is read here. */
type Body = {
  id: string
  name: string
  operationId: string
  instanceUid: string
  reason?: string
  state?: string
  finishedAt?: string
  status?: { connection?: string }
  drain?: { finishedAt?: string; waiting: object[]; left: number }
}
type Answer = { status: number; body: Body }
type Force = { force?: boolean; keepRunning?: boolean }
type World = Awaited<ReturnType<typeof openWorld>>

const admin = 'ada@example.com'
/** Of a machine that does much else; nothing here is about how long it takes. */
const patienceMs = 240_000
const timers = { MCPG_TIMERS: `${managedTimers.MCPG_TIMERS},clusterDrain=100,clusterProbe=300,provisionStep=120000` }

/** What a cluster can be in when it is given up; each says what is wrong afterwards. */
const cases: Record<string, (world: World) => Promise<string[]>> = {
  empty,
  'with gateways': withGateways,
  'with a held reservation': withHeldReservation,
  forced,
  'forced, its gateways kept': forcedAndKept,
  'forced while unreachable': forcedUnreachable,
  'forced while a gateway changes': forcedDuring('update'),
  'forced while a gateway is deleted': forcedDuring('delete'),
}

/** Pairs that run at the same time, in both orders and at many moments. */
const races: Record<string, (world: World, moment: number) => Promise<string[]>> = {
  'a create': createAndDecommission,
  'a drain': drainAndDecommission,
}

/**
 * Clusters given up in every state, over real processes, people signed in. After each: no credential or token that lives, no reservation, no
 * process, a row that says so, and one entry of the trail that says who and why.
 */
export async function decommissionMatrix({
  postgres,
  rounds,
  say = () => {},
}: {
  postgres: string | null
  rounds: number
  say?: (line: string) => void
}): Promise<{ cases: number; rounds: number; outcomes: Record<string, number>; wrong: string[] }> {
  const world = await openWorld(postgres)
  const wrong: string[] = []
  for (const [name, run] of Object.entries(cases)) {
    say(`decommission: ${name}`)
    wrong.push(...(await told(run(world))).map((what) => `${name}: ${what}`))
  }
  for (const [name, run] of Object.entries(races))
    for (let round = 0; round < rounds; round++) {
      say(`decommission: with ${name}, round ${round + 1}`)
      wrong.push(...(await told(run(world, round))).map((what) => `with ${name}, round ${round + 1}: ${what}`))
    }
  return { cases: Object.keys(cases).length, rounds: rounds * Object.keys(races).length, outcomes: world.outcomes, wrong }
}

/** What throws is wrong, too, and the others still run. */
const told = (running: Promise<string[]>) => running.catch((error: unknown) => [(error as Error).message])

async function openWorld(postgres: string | null) {
  const stateDir = temporaryFolder()
  if (postgres !== null) await putOnPostgres(stateDir, postgres)
  const controlPlane = await startReachable({ stateDir, env: timers, args: ['--auth-mode', 'local'] })
  const ask = await signedIn(controlPlane, readFileSync(join(stateDir, 'setup-code'), 'utf8').trim())
  let count = 0
  const outcomes: Record<string, number> = {}
  return { stateDir, controlPlane, ask, outcomes, cluster, create, decommission, ended, wrongAfter, noteOutcome }

  function noteOutcome(what: string): void {
    outcomes[what] = (outcomes[what] ?? 0) + 1
  }

  /** One of its own for each case, as its name stays with it. */
  async function cluster({ region }: { region?: string } = {}): Promise<string> {
    const name = `c${++count}`
    const body = { name, region: region ?? name, gatewaysMax: 10, driver: 'local', cpuMillicoresTotal: 20_000, memoryBytesTotal: 2 ** 36 }
    must(await ask('POST', '/v1/admin/clusters', body), 201)
    return name
  }

  async function create(region: string, rest: object = {}): Promise<{ id: string; uid: string; name: string }> {
    const name = `g${++count}`
    const { operationId: id, instanceUid: uid } = must(await ask('POST', gatewaysPath, { name, region, ...rest }), 202)
    return { id, uid, name }
  }

  function decommission(word: string, body: Force = {}): Promise<Answer> {
    return ask('POST', `/v1/admin/clusters/${word}/decommission`, body)
  }

  async function ended(id: string): Promise<Operation> {
    return await until(
      `the end of the operation ${id}`,
      async () => {
        const { body } = await ask('GET', `/v1/operations/${id}`)
        return body['finishedAt'] === undefined ? null : (body as unknown as Operation)
      },
      patienceMs,
    )
  }

  /** Of the whole installation, after clusters were given up; `kept` are gateways that serve on without one. */
  async function wrongAfter(given: { name: string; trail: object }[], kept: string[] = []): Promise<string[]> {
    let found: string[] = []
    await until(
      'nothing to be wrong',
      async () => {
        found = await wrongNow(stateDir, kept)
        return found.length === 0
      },
      patienceMs / 2,
    ).catch(() => {})
    for (const { name, trail } of given) found.push(...(await wrongTombstone(stateDir, name, trail)))
    return found
  }
}

async function signedIn({ http }: ControlPlane, setupCode: string) {
  const json = { 'content-type': 'application/json', accept: 'application/json' }
  const body = JSON.stringify({ setupCode, email: admin, password: 'correct horse battery' })
  const response = await fetch(`${http}/v1/auth/bootstrap`, { method: 'POST', headers: json, body })
  const cookie = response.headers.get('set-cookie')!.split(';')[0]!
  return async (method: string, path: string, asked?: object): Promise<Answer> => {
    const headers = { ...json, cookie, 'x-mcpg-request': '1' }
    const answer = await fetch(http + path, { method, headers, ...(asked && { body: JSON.stringify(asked) }) })
    return { status: answer.status, body: JSON.parse((await answer.text()) || '{}') as Answer['body'] }
  }
}

function must({ status, body }: Answer, wanted: number): Answer['body'] {
  if (status !== wanted) throw new Error(`${status} ${JSON.stringify(body)}, not ${wanted}`)
  return body
}

/** What does not fit together, from the database and the kernel. */
async function wrongNow(stateDir: string, kept: string[]): Promise<string[]> {
  const text = (rows: { what: string }[]) =>
    rows
      .map(({ what }) => what)
      .toSorted()
      .join(' ')
  const ask = async (statement: string) => text(await rowsOf<{ what: string }>(stateDir, statement))
  const managed = await ask(`SELECT "instanceUid" AS "what" FROM "managed_gateways" WHERE "state" = 'ready'`)
  const running = [managed, ...kept]
    .join(' ')
    .split(' ')
    .filter((uid) => uid !== '')
    .toSorted()
    .join(' ')
  const local = await ask(
    `SELECT m."instanceUid" AS "what" FROM "managed_gateways" m JOIN "clusters" c ON c."id" = m."clusterId" WHERE c."driver" = 'local'`,
  )
  const processes = [local, ...kept]
    .join(' ')
    .split(' ')
    .filter((uid) => uid !== '')
    .toSorted()
    .join(' ')
  const folder = join(stateDir, 'gateways')
  const folders = existsSync(folder) ? readdirSync(folder).filter((uid) => existsSync(join(folder, uid, 'process.json'))) : []
  const facts: [string, string, string][] = [
    ['operations at work', await ask(`SELECT "id" AS "what" FROM "operations" WHERE "state" = 'running'`), ''],
    ['gateways of no use', await ask(`SELECT "instanceUid" AS "what" FROM "managed_gateways" WHERE "state" <> 'ready'`), ''],
    [
      'gateways on clusters that are gone',
      await ask(
        `SELECT m."instanceUid" AS "what" FROM "managed_gateways" m JOIN "clusters" c ON c."id" = m."clusterId" WHERE c."state" = 'decommissioned'`,
      ),
      '',
    ],
    [
      'reservations without a gateway',
      await ask(
        `SELECT "gatewayUid" AS "what" FROM "reservations" WHERE "state" = 'held' OR ("state" = 'committed' AND "gatewayUid" NOT IN (SELECT "instanceUid" FROM "managed_gateways"))`,
      ),
      '',
    ],
    [
      'clusters whose numbers are wrong',
      await ask(
        `SELECT c."name" AS "what" FROM "clusters" c WHERE c."gatewaysReserved" <> (SELECT COALESCE(SUM(r."gateways"), 0) FROM "reservations" r WHERE r."clusterId" = c."id" AND r."state" <> 'released') OR c."cpuMillicoresReserved" <> (SELECT COALESCE(SUM(r."cpuMillicores"), 0) FROM "reservations" r WHERE r."clusterId" = c."id" AND r."state" <> 'released')`,
      ),
      '',
    ],
    [
      'tokens that nobody may use any more',
      await ask(
        `SELECT "name" AS "what" FROM "enrollments" WHERE "operationId" IS NOT NULL AND "revokedAt" IS NULL AND "usedCount" < "maxUses" AND "maxUses" = 1`,
      ),
      '',
    ],
    ['credentials', await ask(`SELECT "instanceUid" AS "what" FROM "gateways" WHERE "revokedAt" IS NULL`), running],
    [
      'processes',
      agentsOf(stateDir)
        .map(({ uid }) => uid)
        .toSorted()
        .join(' '),
      processes,
    ],
    ['folders', folders.toSorted().join(' '), processes],
  ]
  return facts.filter(([, found, wanted]) => found !== wanted).map(([what, found, wanted]) => `${what}: "${found}", not "${wanted}"`)
}

async function wrongTombstone(stateDir: string, name: string, trail: object): Promise<string[]> {
  const [row] = await rowsOf<{ id: string; state: string; reserved: number }>(
    stateDir,
    `SELECT "id", "state", "gatewaysReserved" AS "reserved" FROM "clusters" WHERE "name" = '${name}'`,
  )
  const entries = await rowsOf<{ actor: string; detail: string }>(
    stateDir,
    `SELECT "actor", "detail" FROM "audit" WHERE "action" = 'cluster.decommission' AND "uid" = '${row?.id}'`,
  )
  const found = JSON.stringify(entries.map(({ actor, detail }) => ({ actor, ...(JSON.parse(detail) as object) })))
  const wanted = JSON.stringify([{ actor: admin, ...trail }])
  return [
    ...(row?.state === 'decommissioned' && row.reserved === 0 ? [] : [`the row of ${name} says ${row?.state}, ${row?.reserved} reserved`]),
    ...(found === wanted ? [] : [`the trail says ${found}, not ${wanted}`]),
  ]
}

const trailOf = ({ force = false, keepRunning = false }: Force, gateways: string[] = []) => ({
  force,
  keepRunning,
  gateways: gateways.toSorted(),
})

/** Once more, by whatever word: the same answer, and nothing new. */
async function wrongRepeated({ decommission }: World, first: Answer): Promise<string[]> {
  const again = [await decommission(first.body['name']), await decommission(first.body['id'], { force: true })]
  return again.every(({ status, body }) => status === 200 && JSON.stringify(body) === JSON.stringify(first.body))
    ? []
    : [`again it answers ${JSON.stringify(again)}`]
}

function refusedFor(answer: Answer, ...words: string[]): string[] {
  const text = JSON.stringify(answer.body)
  return answer.status === 409 && answer.body['reason'] === 'cluster_not_empty' && words.every((word) => text.includes(word))
    ? []
    : [`it answers ${answer.status} ${text}`]
}

async function empty(world: World): Promise<string[]> {
  const name = await world.cluster()
  const first = await world.decommission(name)
  must(first, 200)
  const taken = await world.ask('POST', '/v1/admin/clusters', { name, region: name, gatewaysMax: 10, driver: 'local' })
  return [
    ...(await wrongRepeated(world, first)),
    ...(taken.body['reason'] === 'cluster_name_taken' ? [] : [`its name is given away: ${JSON.stringify(taken)}`]),
    ...(await world.wrongAfter([{ name, trail: trailOf({}) }])),
  ]
}

async function withGateways(world: World): Promise<string[]> {
  const name = await world.cluster()
  const made = [await world.create(name), await world.create(name)]
  for (const { id } of made) await world.ended(id)
  const before = agentsOf(world.stateDir)
  const refused = refusedFor(await world.decommission(name), ...made.map((one) => `default/default/default/${one.name}`))
  const { body } = await world.ask('GET', `/v1/clusters/${name}`)
  return [
    ...refused,
    ...(body['state'] === 'ready' ? [] : [`it is ${body['state']} then`]),
    ...(JSON.stringify(agentsOf(world.stateDir)) === JSON.stringify(before) ? [] : ['its processes are others']),
    ...(await world.wrongAfter([])),
    ...(await givenUp(world, name, made)),
  ]
}

/** By force, for a case that has looked at what it wanted. */
async function givenUp(world: World, name: string, made: { uid: string }[]): Promise<string[]> {
  const body = { force: true }
  const first = await world.decommission(name, body)
  must(first, 200)
  const trail = trailOf(
    body,
    made.map(({ uid }) => uid),
  )
  return [...(await world.wrongAfter([{ name, trail }])), ...(await wrongRepeated(world, first))]
}

/** Of a move that is on its way: there is no gateway on the cluster yet. */
async function withHeldReservation(world: World): Promise<string[]> {
  const from = await world.cluster()
  const made = await world.create(from)
  await world.ended(made.id)
  await slowConfigs(world, true)
  const to = await world.cluster({ region: from })
  must(await world.ask('POST', `/v1/admin/clusters/${from}/drain`, {}), 200)
  const held = () =>
    rowsOf(world.stateDir, `SELECT r."id" FROM "reservations" r JOIN "clusters" c ON c."id" = r."clusterId" WHERE c."name" = '${to}'`)
  await until('something is held', async () => (await held()).length > 0, patienceMs)
  const refused = refusedFor(await world.decommission(to), '1 reservation is held')
  must(await world.ask('POST', `/v1/admin/clusters/${from}/uncordon`), 200)
  await slowConfigs(world, false)
  await until('nothing is at work', async () => (await running(world)).length === 0, patienceMs)
  must(await world.decommission(to), 200)
  return [...refused, ...(await world.wrongAfter([{ name: to, trail: trailOf({}) }])), ...(await givenUp(world, from, [made]))]
}

const running = ({ stateDir }: World) => rowsOf<{ id: string }>(stateDir, `SELECT "id" FROM "operations" WHERE "state" = 'running'`)

/** A server that takes long to start holds the first config of a gateway up. */
async function slowConfigs({ ask }: World, isSlow: boolean): Promise<void> {
  const path = '/v1/orgs/default/workspaces/default/servers'
  const hangs = join(import.meta.dirname, '../fixtures/servers/hangs-in-initialize.ts')
  if (isSlow)
    must(await ask('POST', path, { kind: 'Server', metadata: { name: 'slow' }, spec: { command: [process.execPath, hangs] } }), 201)
  else await ask('DELETE', `${path}/slow`)
}

async function forced(world: World): Promise<string[]> {
  const name = await world.cluster()
  const made = [await world.create(name), await world.create(name)]
  for (const { id } of made) await world.ended(id)
  // As somebody kept it who may not be trusted.
  const copy = temporaryFolder()
  const { uid } = made[0]!
  cpSync(join(world.stateDir, 'gateways', uid), join(copy, 'gateways', uid), { recursive: true })
  chmodSync(join(copy, 'gateways', uid), 0o700)
  const wrong = await givenUp(world, name, made)
  const thief = start(['gateway', '--name', uid, '--bind', '127.0.0.1:0', '--cp-grpc', world.controlPlane.grpc], {
    stateDir: copy,
    env: timers,
  })
  await until('it is told', () => /revoked|deleted|decommissioned|no longer/i.test(thief.output()), patienceMs / 2).catch(() =>
    wrong.push(`the credential of ${uid} still opens a stream: ${thief.output().slice(-500)}`),
  )
  await thief.kill()
  return wrong
}

async function forcedAndKept(world: World): Promise<string[]> {
  const name = await world.cluster()
  const made = await world.create(name)
  await world.ended(made.id)
  const [process] = agentsOf(world.stateDir).filter(({ uid }) => uid === made.uid)
  const body = { force: true, keepRunning: true }
  const first = await world.decommission(name, body)
  must(first, 200)
  const wrong = await world.wrongAfter([{ name, trail: trailOf(body, [made.uid]) }], [made.uid])
  if (agentsOf(world.stateDir).find(({ uid }) => uid === made.uid)?.pid !== process?.pid) wrong.push('its process is another one')
  const gateway = await world.ask('GET', `${gatewaysPath}/${made.name}`)
  if (gateway.body['status']?.connection !== 'online') wrong.push(`it is ${JSON.stringify(gateway.body)}`)
  // It is a gateway as any other now: whoever runs it deletes it, and it ends.
  must(await world.ask('DELETE', `${gatewaysPath}/${made.name}`), 204)
  await until('its process has ended', () => agentsOf(world.stateDir).every(({ uid }) => uid !== made.uid), patienceMs)
  return [...wrong, ...(await wrongRepeated(world, first))]
}

/** Its pods go on, and nobody can tell the cluster to end them: their credentials are void, so they end by themselves and come to nothing. */
async function forcedUnreachable(world: World): Promise<string[]> {
  const cluster: ApiServer = await startApiServer({ controlPlane: () => world.controlPlane })
  const registration = { ...registrationOf('far', cluster), region: 'far' }
  must(await world.ask('POST', '/v1/admin/clusters', registration), 201)
  const made = await world.create('far')
  const operation = await world.ended(made.id)
  if (operation.state !== 'succeeded') throw new Error(JSON.stringify(operation))
  await cluster.stop()
  await until('it is unreachable', async () => (await world.ask('GET', '/v1/clusters/far')).body['state'] === 'unreachable', patienceMs)
  const [pod] = cluster.node.processes()
  const first = await world.decommission('far', { force: true })
  must(first, 200)
  const wrong = await world.wrongAfter([{ name: 'far', trail: trailOf({ force: true }, [made.uid]) }])
  await until(
    'its agent has ended or serves nothing',
    () => cluster.node.processes().every(({ pid }) => pid !== pod?.pid),
    patienceMs / 2,
  ).catch(() => wrong.push('its agent goes on'))
  if ((await world.ask('GET', `${gatewaysPath}/${made.name}`)).status !== 404) wrong.push('it is still a gateway')
  return [...wrong, ...(await wrongRepeated(world, first))]
}

function forcedDuring(what: 'update' | 'delete') {
  return async (world: World): Promise<string[]> => {
    const wrong: string[] = []
    for (const afterMs of [0, 30, 150, 600]) {
      const name = await world.cluster()
      const made = await world.create(name)
      await world.ended(made.id)
      const { operationId } =
        what === 'update'
          ? must(await world.ask('POST', gatewaysPath, { name: made.name, size: 'm' }), 202)
          : must(await world.ask('DELETE', `${gatewaysPath}/${made.name}`), 202)
      await pause(afterMs)
      const gone = (await world.ask('GET', `${gatewaysPath}/${made.name}/deployment`)).status === 404
      const answer = await world.decommission(name, { force: true })
      must(answer, 200)
      await world.ended(operationId)
      const gateways = await gatewaysInTrail(world, name)
      if (!gone && JSON.stringify(gateways) !== JSON.stringify([made.uid]) && what === 'update')
        wrong.push(`the trail names ${gateways.join(' ')}`)
      wrong.push(
        ...(await world.wrongAfter([{ name, trail: trailOf({ force: true }, gateways) }])).map((one) => `after ${afterMs} ms: ${one}`),
      )
    }
    return wrong
  }
}

/** Which gateways were there at the moment is decided by the race; that each of them is whole or gone is looked at. */
async function gatewaysInTrail({ stateDir }: World, name: string): Promise<string[]> {
  const rows = await rowsOf<{ detail: string }>(
    stateDir,
    `SELECT "detail" FROM "audit" WHERE "action" = 'cluster.decommission' AND "name" = '${name}'`,
  )
  return rows.flatMap(({ detail }) => (JSON.parse(detail) as { gateways: string[] }).gateways)
}

async function createAndDecommission(world: World, round: number): Promise<string[]> {
  const name = await world.cluster()
  const body = round % 2 === 0 ? {} : { force: true }
  const isCreateFirst = Math.floor(round / 2) % 2 === 0
  const afterMs = Math.round(Math.random() * (body.force && isCreateFirst ? 2_500 : 8))
  // With the cluster its region may have gone.
  const oneOrNone = () =>
    world.create(name).catch((error: unknown) => {
      if (String(error).includes('region_unknown')) return null
      throw error
    })
  const creates = async () => (await Promise.all([oneOrNone(), oneOrNone()])).filter((one) => one !== null)
  const delayed = async <T>(run: () => Promise<T>, isFirst: boolean) => {
    if (!isFirst) await pause(afterMs)
    return await run()
  }
  const [made, answer] = await Promise.all([delayed(creates, isCreateFirst), delayed(() => world.decommission(name, body), !isCreateFirst)])
  const operations = await Promise.all(made.map(({ id }) => world.ended(id)))
  const succeeded = operations.filter(({ state }) => state === 'succeeded')
  world.noteOutcome(`${isCreateFirst ? 'create first' : 'create last'}${body.force ? ', forced' : ''}: ${answer.status}`)
  if (answer.status === 409)
    return [
      ...refusedFor(answer),
      ...(succeeded.length === 2 ? [] : [`refused, and ${succeeded.length} of 2 were made`]),
      ...(await world.wrongAfter([])),
      ...(await givenUp(world, name, made)),
    ]
  must(answer, 200)
  const gateways = await gatewaysInTrail(world, name)
  return [
    // One that was made before and taken away by force had succeeded.
    ...(succeeded.every(({ gateway }) => gateways.includes(gateway.instanceUid)) ? [] : ['one was made on a cluster that was given up']),
    ...(await world.wrongAfter([{ name, trail: trailOf(body, gateways) }])),
    ...(await wrongRepeated(world, answer)),
  ]
}

/** The cluster that is drained, or the one to which its gateways go, is given up in the middle. */
async function drainAndDecommission(world: World, round: number): Promise<string[]> {
  const from = await world.cluster()
  const made = [await world.create(from), await world.create(from)]
  for (const { id } of made) await world.ended(id)
  const to = await world.cluster({ region: from })
  const body = round % 2 === 0 ? { force: true } : {}
  const [word, other] = Math.floor(round / 2) % 2 === 0 ? [to, from] : [from, to]
  const drain = () => world.ask('POST', `/v1/admin/clusters/${from}/drain`, {})
  const isDrainFirst = round % 5 !== 4
  const afterMs = Math.round(Math.random() * (isDrainFirst ? 6_000 : 5))
  const [, answer] = await Promise.all([
    isDrainFirst ? drain() : pause(afterMs).then(drain),
    (isDrainFirst ? pause(afterMs) : Promise.resolve()).then(() => world.decommission(word, body)),
  ])
  world.noteOutcome(`drain, ${word === to ? 'target' : 'source'}${body.force ? ' forced' : ''}: ${answer.status}`)
  if (answer.status !== 409) must(answer, 200)
  await until(
    'the drain is over or has nowhere to go',
    async () => {
      const { drain: how, state } = (await world.ask('GET', `/v1/clusters/${from}`)).body
      return (
        (await running(world)).length === 0 &&
        (state === 'decommissioned' || how?.finishedAt !== undefined || how?.waiting.length === how?.left)
      )
    },
    patienceMs,
  )
  const given = answer.status === 200 ? [{ name: word, trail: trailOf(body, await gatewaysInTrail(world, word)) }] : []
  const wrong = [...(answer.status === 409 ? refusedFor(answer) : []), ...(await world.wrongAfter(given))]
  for (const one of answer.status === 200 ? [other] : [other, word]) {
    must(await world.decommission(one, { force: true }), 200)
    wrong.push(...(await world.wrongAfter([{ name: one, trail: trailOf({ force: true }, await gatewaysInTrail(world, one)) }])))
  }
  return wrong
}
