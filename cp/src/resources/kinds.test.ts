import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { kinds } from '@mcpg/proto/kinds'
import { kindExamples, referredTo } from '@mcpg/proto/test/kind-examples'
import { testApp, type TestApp } from '../../test/app.ts'
import { holderOf } from '../../test/callers.ts'

const org = '/v1/orgs/default'
const base = `${org}/workspaces/default`
/** Where objects of each level are read, and what their metadata says of it. */
const levels = {
  org: { path: org, place: {} },
  workspace: { path: base, place: {} },
  project: { path: `${base}/projects/home`, place: { project: 'home' } },
}
let test: TestApp
beforeAll(async () => {
  test = await testApp()
  const { status, body } = await test.call('POST', `${base}/apply`, { objects: referredTo })
  if (status !== 200) throw new Error(JSON.stringify(body))
})
afterAll(() => test.close())

describe.each(kinds.filter(({ virtual }) => !virtual))('$kind', (declaration) => {
  const { kind, plural, oneOf, scope: level } = declaration
  const { path, place } = levels[level]
  const example = kindExamples[kind]!
  const fields = fieldsOf(declaration.spec)
  const named = example.named ?? ((word: string) => word)
  /** A source is flipped alone, everything else beside the base. */
  const specWith = (field: string, value: object) => (oneOf.includes(field) ? value : { ...example.base, ...value })
  const shown = example.shown ?? ((spec) => spec)
  const applied = async (word: string, spec: object, query = '') => {
    const name = named(word)
    const { status, body } = await test.call('POST', `${base}/apply${query}`, { objects: [{ kind, metadata: { name, ...place }, spec }] })
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
        const { body } = await test.call('GET', `${path}/${plural}/${named('round-trip')}`)
        expect(body.spec).toEqual(shown(spec))
        expect((await applied('round-trip', body.spec)).result).toBe('unchanged')
      }
  })

  it.each(fields)('%s: a flip is seen by plan, done by apply, and raises the generation', async (field) => {
    const [before, after] = example.flips[field]!
    const name = `flip-${field.toLowerCase()}`
    await applied(name, specWith(field, before))
    const { body: old } = await test.call('GET', `${path}/${plural}/${named(name)}`)
    const plan = await applied(name, specWith(field, after), '?dryRun=true')
    expect(plan.result).toBe('configured')
    expect(plan.diffs.length).toBeGreaterThan(0)
    expect(plan.diffs.every(({ path }) => path.startsWith(`/spec/${field}`))).toBe(true)
    expect((await test.call('GET', `${path}/${plural}/${named(name)}`)).body).toMatchObject({ spec: old.spec, metadata: old.metadata })
    const done = await applied(name, specWith(field, after))
    expect([done.result, done.diffs]).toEqual([plan.result, plan.diffs])
    const { body: now } = await test.call('GET', `${path}/${plural}/${named(name)}`)
    expect(now.spec).toEqual(shown(specWith(field, after)))
    expect(now.metadata.generation).toBe(old.metadata.generation + 1)
    // Leaving it out again is a change too.
    if (!oneOf.includes(field) && !example.required?.includes(field))
      expect((await applied(name, example.base)).diffs.map(({ path }) => path)).toEqual([`/spec/${field}`])
  })

  it('refuses an unknown field by its pointer', async () => {
    const objects = [{ kind, metadata: { name: named('x'), ...place }, spec: { ...example.base, unheardOf: 1 } }]
    const { body } = await test.call('POST', `${base}/apply`, { objects })
    expect(body.errors).toEqual([{ pointer: '/objects/0/spec/unheardOf', detail: 'is not a field of this object' }])
  })

  it('needs the right of each verb', async () => {
    const verbs = ['view', 'create', 'delete'] as const
    const denied = (verb: string) => holderOf({ place: {}, verbs: verbs.filter((one) => one !== verb), on: '*' })
    const scope = { org: 'default', workspace: 'default' }
    const object = (word: string, spec: object) => ({ objects: [{ kind, metadata: { name: named(word), ...place }, spec }] })
    const [first] = Object.values(example.flips)
    await applied('rights', example.base)
    const apply = (verb: string, name: string, spec: object) => test.app.resources.apply(denied(verb), scope, object(name, spec))
    await expect(apply('create', 'rights-new', example.base)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(apply('edit', 'rights', specWith(fields[0]!, first![0]))).rejects.toMatchObject({ code: 'forbidden' })
    const pruned = test.app.resources.apply(denied('delete'), scope, { ...object('other', example.base), prune: '!nothing' })
    // What is of the organization is never pruned.
    if (level === 'org') expect((await pruned).results.map(({ result }) => result)).not.toContain('deleted')
    else await expect(pruned).rejects.toMatchObject({ code: 'forbidden' })
    expect((await test.call('GET', `${path}/${plural}/${named('rights-new')}`)).status).toBe(404)
  })

  it('declares the access of all its routes by its own plural', () => {
    const routes = test.app.http.app.printRoutes({ commonPrefix: false })
    expect(routes).toContain(plural)
    const described = (test.app.http.app.swagger() as { paths: Record<string, object> }).paths
    for (const action of Object.keys(declaration.actions))
      expect(Object.keys(described).some((one) => one.endsWith(`/${plural}/{name}/${action}`))).toBe(true)
  })
})

describe('virtual kinds', () => {
  it.each(kinds.filter(({ virtual, appliedAs }) => virtual && !appliedAs).map(({ plural, kind }) => [kind, plural]))(
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
