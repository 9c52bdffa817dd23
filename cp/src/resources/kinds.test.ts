import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { kinds } from '@mcpg/proto/kinds'
import { testApp, type TestApp } from '../../test/app.ts'

/**
 * What every stored kind must do, from its declaration. A kind without an entry here fails: `base` is a valid spec, `flips` two
 * different valid specs for every field it has, which differ in this field alone.
 */
type Example = {
  base: object
  flips: Record<string, [object, object]>
  /** What is answered where that is not what was written. */
  shown?: (spec: object) => object
  /** Fields that cannot be left out. */
  required?: string[]
}
const examples: Record<string, Example> = {
  Secret: {
    base: { data: { password: 'planted-1' } },
    flips: { data: [{ data: { password: 'planted-1', token: 'planted-2' } }, { data: { token: 'planted-3' } }] },
    shown: (spec) => ({ data: Object.fromEntries(Object.keys((spec as { data: object }).data).map((key) => [key, { keep: true }])) }),
    required: ['data'],
  },
  Server: {
    base: { command: ['node', 'server.js'] },
    flips: {
      command: [{ command: ['node', 'a.js'] }, { command: 'node a.js' }],
      package: [
        { package: { runtime: 'node', name: 'a' } },
        { package: { runtime: 'python', name: 'b', version: '1.0.0', args: ['-v'], allowScripts: true } },
      ],
      url: [
        { url: { url: 'https://a.example/mcp' } },
        { url: { url: 'https://b.example/mcp', transport: 'streamable-http', headers: [{ name: 'X-A', value: '1' }] } },
      ],
      env: [
        { env: [{ name: 'A', value: '1' }] },
        { env: [{ name: 'A', valueFrom: { secretRef: { name: 'referred-to', key: 'token' } } }] },
      ],
      inheritEnv: [{ inheritEnv: ['PATH'] }, { inheritEnv: ['PATH', 'HOME'] }],
      cwd: [{ cwd: '/a' }, { cwd: '/b' }],
      era: [{ era: 'auto' }, { era: 'legacy' }],
      placement: [{ placement: { environments: ['a'] } }, { placement: { gatewaySelector: { role: 'edge' } } }],
      sessions: [{ sessions: 'shared' }, { sessions: 'session' }],
      maxSessions: [{ maxSessions: 1 }, { maxSessions: 256 }],
      forward: [{ forward: [] }, { forward: ['roots', 'sampling'] }],
      state: [{ state: 'running' }, { state: 'stopped' }],
      required: [{ required: true }, { required: false }],
      startTimeout: [{ startTimeout: '60s' }, { startTimeout: '1m' }],
      callTimeout: [{ callTimeout: '60s' }, { callTimeout: '30s' }],
      stopGrace: [{ stopGrace: '5s' }, { stopGrace: '500ms' }],
    },
  },
}

const base = '/v1/orgs/default/workspaces/default'
let test: TestApp
beforeAll(async () => {
  test = await testApp()
  await test.call('POST', `${base}/apply`, {
    objects: [{ kind: 'Secret', metadata: { name: 'referred-to' }, spec: { data: { token: 'planted-0' } } }],
  })
})
afterAll(() => test.close())

describe.each(kinds.filter(({ virtual }) => !virtual))('$kind', (declaration) => {
  const { kind, plural, oneOf } = declaration
  const example = examples[kind]!
  const fields = fieldsOf(declaration.spec)
  /** A source is flipped alone, everything else beside the base. */
  const specWith = (field: string, value: object) => (oneOf.includes(field) ? value : { ...example.base, ...value })
  const shown = example.shown ?? ((spec) => spec)
  const applied = async (name: string, spec: object, query = '') => {
    const { status, body } = await test.call('POST', `${base}/apply${query}`, { objects: [{ kind, metadata: { name }, spec }] })
    expect([status, body.errors]).toEqual([200, undefined])
    return body.results[0] as { result: string; diffs: { path: string }[]; resourceVersion?: string }
  }

  it('has an example that flips every field of its spec', () => {
    expect(Object.keys(example.flips).sort()).toEqual(fields.sort())
  })

  it('comes back as it was written, and applying that again is unchanged', async () => {
    for (const [field, [one, other]] of Object.entries(example.flips))
      for (const spec of [specWith(field, one), specWith(field, other)]) {
        await applied('round-trip', spec)
        const { body } = await test.call('GET', `${base}/${plural}/round-trip`)
        expect(body.spec).toEqual(shown(spec))
        expect((await applied('round-trip', body.spec)).result).toBe('unchanged')
      }
  })

  it.each(fields)('%s: a flip is seen by plan, done by apply, and raises the generation', async (field) => {
    const [before, after] = example.flips[field]!
    const name = `flip-${field.toLowerCase()}`
    await applied(name, specWith(field, before))
    const { body: old } = await test.call('GET', `${base}/${plural}/${name}`)
    const plan = await applied(name, specWith(field, after), '?dryRun=true')
    expect(plan.result).toBe('configured')
    expect(plan.diffs.length).toBeGreaterThan(0)
    expect(plan.diffs.every(({ path }) => path.startsWith(`/spec/${field}`))).toBe(true)
    expect((await test.call('GET', `${base}/${plural}/${name}`)).body).toMatchObject({ spec: old.spec, metadata: old.metadata })
    const done = await applied(name, specWith(field, after))
    expect([done.result, done.diffs]).toEqual([plan.result, plan.diffs])
    const { body: now } = await test.call('GET', `${base}/${plural}/${name}`)
    expect(now.spec).toEqual(shown(specWith(field, after)))
    expect(now.metadata.generation).toBe(old.metadata.generation + 1)
    // Leaving it out again is a change too.
    if (!oneOf.includes(field) && !example.required?.includes(field))
      expect((await applied(name, example.base)).diffs.map(({ path }) => path)).toEqual([`/spec/${field}`])
  })

  it('refuses an unknown field by its pointer', async () => {
    const objects = [{ kind, metadata: { name: 'x' }, spec: { ...example.base, unheardOf: 1 } }]
    const { body } = await test.call('POST', `${base}/apply`, { objects })
    expect(body.errors).toEqual([{ pointer: '/objects/0/spec/unheardOf', detail: 'is not a field of this object' }])
  })

  it('needs the right of each verb', async () => {
    const denied = (verb: string) => ({
      subject: 'x',
      kind: 'local' as const,
      can: (access: unknown) => (access as { verb?: string }).verb !== verb,
      visible: () => 'all' as const,
      source: '',
      requestId: '',
    })
    const scope = { org: 'default', workspace: 'default' }
    const object = (name: string, spec: object) => ({ objects: [{ kind, metadata: { name }, spec }] })
    const [first] = Object.values(example.flips)
    await applied('rights', example.base)
    const apply = (verb: string, name: string, spec: object) => test.app.resources.apply(denied(verb), scope, object(name, spec))
    await expect(apply('create', 'rights-new', example.base)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(apply('edit', 'rights', specWith(fields[0]!, first![0]))).rejects.toMatchObject({ code: 'forbidden' })
    await expect(
      test.app.resources.apply(denied('delete'), scope, {
        objects: [{ kind, metadata: { name: 'other' }, spec: example.base }],
        prune: '!nothing',
      }),
    ).rejects.toMatchObject({ code: 'forbidden' })
    expect((await test.call('GET', `${base}/${plural}/rights-new`)).status).toBe(404)
  })

  it('declares the access of all its routes by its own plural', () => {
    const routes = test.app.http.app.printRoutes({ commonPrefix: false })
    expect(routes).toContain(plural)
    const described = (test.app.http.app.swagger() as { paths: Record<string, object> }).paths
    for (const action of Object.keys(declaration.actions))
      expect(Object.keys(described)).toContain(`/v1/orgs/{org}/workspaces/{workspace}/${plural}/{name}/${action}`)
  })
})

describe('virtual kinds', () => {
  it.each(kinds.filter(({ virtual }) => virtual).map(({ plural, kind }) => [kind, plural]))(
    '%s answers a list, and 404 for an unknown name',
    async (_, plural) => {
      expect((await test.call('GET', `${base}/${plural}`)).body).toEqual({ items: [], total: 0 })
      expect((await test.call('GET', `${base}/${plural}/none`)).status).toBe(404)
      expect((await test.call('POST', `${base}/${plural}`, {})).status).toBe(405)
    },
  )
})

/** Names of the fields of a spec, through its refinements. */
function fieldsOf(schema: z.ZodType): string[] {
  const described = z.toJSONSchema(schema, { io: 'input' }) as { properties?: Record<string, unknown> }
  return Object.keys(described.properties ?? {})
}
