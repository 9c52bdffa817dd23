// A planted enrollment token is looked for everywhere a secret leaks to: logs, files, arguments, environments, answers, pages.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { enrollmentTokenPattern } from '@mcpg/proto/rest/enrollments'
import { api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { dumpOf } from '../harness/database.ts'
import { ctl, startControlPlane, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { fixture, serverUrl, serving } from './fleet.ts'
import { visit } from './pages.ts'

const scope = '/v1/orgs/default/workspaces/default'

/** Everything that a person or a program can ask the control plane for with a GET. */
export function readings(names: { enrollment?: string; gateway: string }): string[] {
  const nouns = ['servers', 'gateways', 'instances', 'tools', 'enrollments'].map((plural) => `${scope}/${plural}`)
  const inEnvironment = `${scope}/environments/default`
  return [
    ...nouns,
    `${inEnvironment}/enrollments`,
    `${inEnvironment}/gateways`,
    ...(names.enrollment === undefined ? [] : [`${scope}/enrollments/${names.enrollment}`]),
    `${scope}/gateways/${names.gateway}`,
    `${inEnvironment}/gateways/${names.gateway}/configs`,
    '/v1/control/status',
    '/v1/openapi.json',
    '/v1/version',
    '/v1/auth/status',
    '/metrics',
    '/healthz',
    '/readyz',
    '/',
  ]
}

/** Every page but the wizard, which hands a token out to who makes it there. */
const pages = [
  '/',
  '/gateways',
  '/gateways/canary',
  '/gateways/canary?tab=config',
  '/gateways/canary?tab=logs',
  '/gateways/canary?tab=events',
  '/servers',
  '/servers/echo',
  '/servers/echo?tab=logs',
  '/tools',
  '/tools/echo/echo',
  '/events',
  '/logs',
  '/enrollments',
  '/operations',
  '/clusters',
]

/** Answers where the token was found, and how many places were looked at. */
export async function plantToken({ env = {} }: { env?: Record<string, string> } = {}) {
  const folder = temporaryFolder()
  const found: string[] = []
  let looked = 0
  const loud = { ...env, MCPG_LOG_LEVEL: 'trace' }
  const controlPlane = await startControlPlane({ stateDir: join(folder, 'control-plane'), env: loud })
  const rest = api(controlPlane.http)
  await rest.servers(fixture('echo', 'echo'))
  const { url, name } = await rest.enroll({ name: 'canary' })
  const token = enrollmentTokenPattern.exec(url)?.[0]
  if (!token) throw new Error(`the URL of an enrollment holds no token: ${url}`)
  // Without its checksum too: half a token is a token that somebody can complete.
  const secret = bodyOf(token)
  const look = (where: string, text: string) => {
    looked++
    if (text.includes(secret)) found.push(where)
  }

  // Used, used again by somebody else, used wrongly, and by a program that puts itself into the background.
  const gateway = await startGateway({ stateDir: join(folder, 'first'), env: { ...loud, MCPG_ENROLLMENT_URL: url } })
  await serving(serverUrl(gateway, 'echo'))
  const refusals = await Promise.all([
    ctl(['gateway'], { stateDir: join(folder, 'second'), env: { ...loud, MCPG_ENROLLMENT_URL: url } }),
    ctl(['gateway'], { stateDir: join(folder, 'third'), env: { ...loud, MCPG_ENROLLMENT_URL: `${url}/more` } }),
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"idempotencyKey":"x"}' }).then(asFinished),
    fetch(url).then(asFinished),
    fetch(`${url}x`).then(asFinished),
  ])
  for (const [index, { stdout, stderr }] of refusals.entries()) look(`answer ${index} to another use`, stdout + stderr)

  const second = await rest.enroll({ name: 'detached' })
  const detachedSecret = bodyOf(enrollmentTokenPattern.exec(second.url)?.[0] ?? '')
  const detached = await ctl(['gateway', '--detach', '--bind', '127.0.0.1:0', '--enrollment-url', second.url], {
    stateDir: join(folder, 'detached'),
    env: loud,
  })
  await until('the detached gateway is online', async () => (await rest.get('gateways', 'detached')).status['connection'] === 'online')
  look('output of --detach', detached.stdout + detached.stderr)

  for (const { pid, argv, environment } of processes(folder)) {
    looked += 2
    for (const one of [secret, detachedSecret]) {
      if (argv.includes(one)) found.push(`arguments of process ${pid}`)
      // A gateway is given it there, and what puts itself into the background hands it on there; no server may have it.
      if (environment.includes(one) && !/(\0|^mcpg-ctl )gateway\0/.test(argv))
        found.push(`environment of process ${pid}: ${argv.replaceAll('\0', ' ')}`)
    }
  }
  for (const path of readings({ enrollment: name, gateway: 'canary' })) look(`GET ${path}`, await textOf(controlPlane.http + path))
  for (const { path, text } of await visit(controlPlane.http, pages)) look(`page ${path}`, text)
  look('watch', await firstOfWatch(controlPlane.http))
  for (const path of ['/healthz', '/readyz', '/metrics']) look(`endpoint ${path}`, await textOf(new URL(path, gateway.endpoint).href))
  const status = await Promise.all(
    [['status'], ['doctor'], ['gateway-status'], ['get', 'enrollments', '-o', 'yaml']].map((args) =>
      ctl(args, { stateDir: join(folder, 'first'), env: { MCPG_CP_URL: controlPlane.http } }),
    ),
  )
  for (const [index, { stdout, stderr }] of status.entries()) look(`command ${index}`, stdout + stderr)
  await ctl(['stop', '--all'], { stateDir: join(folder, 'detached') })
  await gateway.stop()
  await controlPlane.stop()
  look('output of the control plane', controlPlane.output())
  look('output of the gateway', gateway.output())
  const dump = await dumpOf(join(folder, 'control-plane'))
  const contents = filesBelow(folder).map((file) => ({ where: `file ${file.slice(folder.length)}`, read: () => readFileSync(file) }))
  for (const { where, read } of [...contents, ...(dump ? [{ where: 'the database', read: () => dump }] : [])]) {
    const bytes = read()
    looked++
    for (const one of [secret, detachedSecret]) if (bytes.includes(one)) found.push(where)
  }
  return { found, looked }
}

async function asFinished(response: Response) {
  return { stdout: await response.text(), stderr: '' }
}

/** A path that does not exist would hide nothing and prove nothing. */
export async function textOf(url: string): Promise<string> {
  const response = await fetch(url)
  if (response.status === 404) throw new Error(`nothing to look at: ${url} answers 404`)
  return response.text()
}

/** All processes that mention the folder of this run in their arguments or environment, and so are ours. */
export function processes(folder: string) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
        return argv.includes(folder) || environment.includes(folder) ? [{ pid: Number(pid), argv, environment }] : []
      } catch {
        return []
      }
    })
}

/** What a watch from the beginning says in its first second. */
export async function firstOfWatch(http: string): Promise<string> {
  const response = await fetch(`${http}/v1/watch?scope=default/default`, {
    headers: { accept: 'text/event-stream' },
    signal: AbortSignal.timeout(1_000),
  })
  let text = ''
  try {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString()
  } catch {
    // The second is over.
  }
  return text
}

export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
}

/** The 43 characters between prefix and checksum, which may themselves hold the separator. */
function bodyOf(token: string): string {
  const body = token.slice('mcpg_enr_'.length, -7)
  if (body.length !== 43) throw new Error(`not a token of ours: ${token.length} characters`)
  return body
}
