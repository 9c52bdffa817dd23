// Every field of `Server.spec`, flipped once: what plan says, and whether apply changes what gateways are told to run.
import { argvOf, ServerSpec } from '@mcpg/proto/kinds/server'
import type { ApplyResponse } from '@mcpg/proto/rest/apply'
import type { Api } from '../harness/api.ts'
import { until } from '../harness/until.ts'
import { connectVirtual, enrollVirtual } from './virtual-gateway.ts'

type Spec = Record<string, unknown>

const command = ['true']
const source = { runtime: 'node', name: 'some-server' }
const url = { url: 'http://127.0.0.1:1/mcp' }

/** The first word of `field` is a field of the schema; what follows says which part of it. */
export const flips: { field: string; before: Spec; after: Spec }[] = [
  { field: 'command', before: { command }, after: { command: ['true', 'again'] } },
  { field: 'package name', before: { package: source }, after: { package: { ...source, name: 'other-server' } } },
  { field: 'package runtime', before: { package: source }, after: { package: { ...source, runtime: 'python' } } },
  { field: 'package version', before: { package: source }, after: { package: { ...source, version: '1.0.0' } } },
  { field: 'package args', before: { package: source }, after: { package: { ...source, args: ['--verbose'] } } },
  { field: 'package allowScripts', before: { package: source }, after: { package: { ...source, allowScripts: true } } },
  { field: 'url url', before: { url }, after: { url: { url: 'http://127.0.0.1:2/mcp' } } },
  { field: 'url transport', before: { url }, after: { url: { ...url, transport: 'streamable-http' } } },
  { field: 'url headers', before: { url }, after: { url: { ...url, headers: [{ name: 'x-team', value: 'tools' }] } } },
  { field: 'command instead of url', before: { url }, after: { command } },
  { field: 'env', before: { command }, after: { command, env: [{ name: 'A', value: '1' }] } },
  { field: 'inheritEnv', before: { command }, after: { command, inheritEnv: ['LANG'] } },
  { field: 'cwd', before: { command }, after: { command, cwd: '/' } },
  { field: 'era', before: { command }, after: { command, era: 'legacy' } },
  { field: 'placement gatewaySelector', before: { command }, after: { command, placement: { gatewaySelector: { role: 'moon' } } } },
  { field: 'state', before: { command }, after: { command, state: 'stopped' } },
  { field: 'required', before: { command }, after: { command, required: false } },
  { field: 'startTimeout', before: { command }, after: { command, startTimeout: '7s' } },
  { field: 'callTimeout', before: { command }, after: { command, callTimeout: '7s' } },
  { field: 'stopGrace', before: { command }, after: { command, stopGrace: '7s' } },
]

/** Fields of the schema that nothing here flips: one that is added to the kind must be added to the list. */
export function unflippedFields(): string[] {
  return Object.keys(ServerSpec.shape).filter((field) => !flips.some((flip) => flip.field.split(' ')[0] === field))
}

export type FlipOutcome = {
  field: string
  /** Of the unchanged object applied again, of the plan, and of the apply. */
  again: string | undefined
  planned: string | undefined
  applied: string | undefined
  paths: string[]
  /** Plan and apply name the same differences. */
  isSame: boolean
  /** A gateway was told something else than before. */
  isActedOn: boolean
}

/** Enrolls a virtual gateway, which sees every document that it is told to run. */
export async function flipEveryField({ rest, grpc }: { rest: Api; grpc: string }): Promise<FlipOutcome[]> {
  let documents = 0
  let told: string | null = null
  const gateway = await connectVirtual(grpc, await enrollVirtual((await rest.enroll()).url, 'flips'), {
    staged(bytes) {
      const { servers } = JSON.parse(Buffer.from(bytes).toString()) as { servers: { name: string }[] }
      const server = servers.find(({ name }) => name === 'flipped')
      told = server ? JSON.stringify(server) : null
      documents++
    },
  })
  // A server that always stands beside it, so that a document is never empty.
  await rest.servers({ name: 'beside', spec: { command: argvOf('true') } })
  await until('the first document', () => documents > 0)
  const outcomes = []
  for (const { field, before, after } of flips) {
    await rest.servers({ name: 'flipped', spec: before })
    const first = await until(`${field}: the gateway is told`, () => told)
    const again = (await rest.servers({ name: 'flipped', spec: before })).results[0]
    const planned = (await plan(rest, after)).results[0]
    const applied = (await rest.servers({ name: 'flipped', spec: after })).results[0]
    const isActedOn = await until(`${field}: the gateway is told otherwise`, () => told !== first, 10_000).catch(() => false)
    outcomes.push({
      field,
      again: again?.result,
      planned: planned?.result,
      applied: applied?.result,
      paths: planned?.diffs.map(({ path }) => path) ?? [],
      isSame: JSON.stringify(planned?.diffs) === JSON.stringify(applied?.diffs),
      isActedOn,
    })
    await rest.remove('servers', 'flipped')
    await until(`${field}: it is gone`, () => told === null)
  }
  await gateway.close()
  return outcomes
}

/** What is wrong with an outcome; '' if nothing is. */
export function fault({ field, again, planned, applied, paths, isSame, isActedOn }: FlipOutcome): string {
  const [part = ''] = field.split(' ')
  if (again !== 'unchanged') return `${field}: the same again is ${again}`
  if (planned !== 'configured' || !paths.some((path) => path.startsWith(`/spec/${part}`)))
    return `${field}: plan says ${planned} ${paths.join(' ')}`
  if (applied !== 'configured' || !isSame) return `${field}: apply does otherwise than plan: ${applied}`
  return isActedOn ? '' : `${field}: no gateway is told`
}

const plan = (rest: Api, spec: Spec) =>
  rest.call<ApplyResponse>('POST', '/v1/orgs/default/workspaces/default/apply?dryRun=true', {
    objects: [{ kind: 'Server', metadata: { name: 'flipped' }, spec }],
  })
