import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { join } from 'node:path'
import { kinds } from '@mcpg/proto/kinds'
import { Problem } from '@mcpg/proto/problem'
import { kindExamples } from '@mcpg/proto/test/kind-examples'
import { temporaryFolder } from '../harness/cleanup.ts'
import { ctl, startControlPlane } from '../harness/programs.ts'
import { operationsOf, type OpenApi, type Operation } from './operations.ts'
import { requestsTo, type Request } from './requests.ts'

/** It would end the control plane that is asked. */
const notAsked: ReadonlySet<string> = new Set(['controlStop'])

/** With no gateway connected their honest answer is 503. */
const needAGateway = /\/mcp(\/|$|\?)|\/(logs|tools)(\?|$)|\/commands(\?|$)/

const planted = 'planted-4d7c'

/**
 * Asks every operation of the OpenAPI document what its schemas allow and what they do not, `runs` times each, and looks at every answer:
 * a documented status, a body that fits its schema, a problem document for all that is not 2xx, no 5xx, and nowhere the value of a secret.
 */
export async function askEverything({ runs, seed }: { runs: number; seed: number }) {
  const stateDir = join(temporaryFolder(), 'control-plane')
  const controlPlane = await startControlPlane({ stateDir })
  const base = controlPlane.http
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
  await prepare(base)
  const operations = operationsOf((await (await fetch(`${base}/v1/openapi.json`)).json()) as OpenApi)
  const succeeded = new Set<string>()
  const wrong: string[] = []
  let requests = 0
  // What takes away comes last, so that the others have something to find.
  const order = operations
    .filter(({ id }) => !notAsked.has(id))
    .toSorted((one, other) => Number(one.method === 'DELETE') - Number(other.method === 'DELETE'))
  for (const [index, operation] of order.entries()) {
    const property = fc.asyncProperty(requestsTo(operation, knownNames), async (request) => {
      requests++
      const fault = await ask(operation, request)
      if (fault) throw new Error(fault)
    })
    const found = await fc.check(property, { numRuns: runs, seed: seed + index, endOnFailure: true })
    if (found.failed)
      wrong.push(
        `${operation.id}: ${(found.errorInstance as Error | null)?.message}: ${JSON.stringify(found.counterexample).slice(0, 600)}`,
      )
  }
  // With the gateways that it was asked to run.
  await ctl(['stop', '--all'], { stateDir })
  return { operations: order.length, requests, succeeded: succeeded.size, wrong }

  /** What is wrong with the answer, null for nothing. */
  async function ask(operation: Operation, { path, body }: Request): Promise<string | null> {
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(new Error('no answer within 20 s')), 20_000)
    try {
      const response = await fetch(base + path, {
        method: operation.method,
        redirect: 'manual',
        signal: abort.signal,
        ...(body && { body: body.text, headers: { 'content-type': body.type } }),
      })
      const type = response.headers.get('content-type')?.split(';')[0] ?? ''
      // Streams go on for ever; that they began is their answer.
      const isStream = response.ok && /event-stream|ndjson/.test(type)
      const text = isStream ? '' : await response.text()
      if (isStream) await response.body?.cancel()
      return faultOf(operation, path, response.status, type, text)
    } finally {
      clearTimeout(timer)
    }
  }

  function faultOf(operation: Operation, path: string, status: number, type: string, text: string): string | null {
    if (text.includes(planted) && !operation.path.endsWith('/reveal')) return `${status} shows a secret`
    if (status < 400) {
      const content = operation.answers[String(status)]
      if (!content) return `${status} is not documented`
      if (status < 300) succeeded.add(operation.id)
      const schema = content[type]?.schema
      if (type !== 'application/json' || !schema) return null
      return ajv.validate(schema, JSON.parse(text)) ? null : `${status} does not fit its schema: ${ajv.errorsText().slice(0, 300)}`
    }
    if (type !== 'application/problem+json') return `${status} is no problem document but ${type}: ${text.slice(0, 200)}`
    const problem = Problem.safeParse(JSON.parse(text))
    if (!problem.success) return `${status} is no valid problem document: ${problem.error.message.slice(0, 300)}`
    if (status >= 500 && !(status === 503 && needAGateway.test(path))) return `${status} ${problem.data.detail}`
    return null
  }
}

/** One object of every kind that is stored, so that names stand for something. */
async function prepare(base: string): Promise<void> {
  const workspace = `${base}/v1/orgs/default/workspaces/default`
  const objects = [
    { kind: 'Secret', metadata: { name: 'referred-to' }, spec: { data: { token: planted, other: planted } } },
    { kind: 'Server', metadata: { name: 'served' }, spec: { command: ['x'] } },
    { kind: 'Project', metadata: { name: 'home' }, spec: {} },
    ...kinds
      .filter(({ virtual, kind }) => !virtual && kindExamples[kind])
      .map(({ kind, scope, name }) => ({
        kind,
        metadata: { name: name ? nameOf(kind) : 'example', ...(scope === 'project' && { project: 'home' }) },
        spec: kindExamples[kind]!.base,
      })),
  ]
  const response = await fetch(`${workspace}/apply`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ objects }),
  })
  if (!response.ok) throw new Error(`the objects to ask for could not be made: ${await response.text()}`)
}

/** Of a kind whose names are no DNS labels. */
const nameOf = (kind: string): string => (kind === 'User' ? 'example@example.com' : 'example')

const places: Record<string, string[]> = {
  org: ['default'],
  workspace: ['default'],
  environment: ['default'],
  project: ['home'],
  server: ['served', 'example'],
}

function knownNames(_operation: Operation, parameter: string): string[] {
  return places[parameter] ?? ['example', 'referred-to']
}
