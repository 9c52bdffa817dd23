import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { localCaller } from '../access/caller.ts'
import type { Change } from '../changes/changes.ts'
import { testApp, type TestApp } from '../../test/app.ts'
import type { Rule } from './rules.ts'

let test: TestApp
let serial = 0
let workspace = ''
let base = ''
beforeAll(async () => {
  test = await testApp()
})
beforeEach(async () => {
  workspace = `w-${++serial}`
  base = `/v1/orgs/default/workspaces/${workspace}`
  await test.call('POST', '/v1/orgs/default/workspaces', { name: workspace })
})
afterAll(() => test.close())

const caller = localCaller({ source: '', requestId: '' })
const project = (name: string) => ({ kind: 'Project', metadata: { name }, spec: {} })
const prompt = (name: string, inProject?: string) => ({
  kind: 'Prompt',
  metadata: { name, ...(inProject && { project: inProject }) },
  spec: { content: name },
})
const account = (name: string, spec: object = {}) => ({ kind: 'ServiceAccount', metadata: { name }, spec })
const apply = (...objects: object[]) => test.call('POST', `${base}/apply`, { objects })
const shown = (body: { items: { metadata: { name: string; project?: string } }[] }) =>
  body.items.map(({ metadata }) => `${metadata.project}/${metadata.name}`)

describe('objects of a project', () => {
  it('are created, read, changed and deleted below its path, and know where they live', async () => {
    await apply(project('web'))
    const made = await test.call('POST', `${base}/projects/web/prompts`, prompt('hello'))
    expect([made.status, made.headers['location']]).toEqual([201, `${base}/projects/web/prompts/hello`])
    expect(made.body.metadata).toMatchObject({ org: 'default', workspace, project: 'web', name: 'hello' })
    const patched = await test.call('PATCH', `${base}/projects/web/prompts/hello`, { spec: { priority: 9 } })
    expect(patched.body.spec).toEqual({ content: 'hello', priority: 9 })
    const replaced = await test.call('PUT', `${base}/projects/web/prompts/hello`, prompt('hello', 'other'))
    expect(replaced.body.errors).toEqual([{ pointer: '/metadata/project', detail: 'must be web; objects cannot move to another project' }])
    expect((await test.call('DELETE', `${base}/projects/web/prompts/hello`)).status).toBe(204)
    expect((await test.call('GET', `${base}/projects/web/prompts/hello`)).status).toBe(404)
  })

  it('may have the name of one in another project, and are listed together for the workspace, page by page', async () => {
    const names = ['a', 'b', 'c']
    await apply(project('one'), project('two'), ...names.flatMap((name) => [prompt(name, 'one'), prompt(name, 'two')]))
    expect(shown((await test.call('GET', `${base}/projects/two/prompts`)).body)).toEqual(['two/a', 'two/b', 'two/c'])
    const seen: string[] = []
    let cursor = ''
    for (;;) {
      const { body } = await test.call('GET', `${base}/prompts?limit=2${cursor && `&cursor=${cursor}`}`)
      expect(body.total).toBe(6)
      seen.push(...shown(body))
      if (!body.nextCursor) break
      cursor = body.nextCursor
    }
    expect(seen).toEqual(['one/a', 'two/a', 'one/b', 'two/b', 'one/c', 'two/c'])
  })

  it('need their project: it is named, it exists, and it stays while they do', async () => {
    const none = await test.call('POST', `${base}/projects/none/prompts`, prompt('x'))
    expect([none.status, none.body.reason]).toEqual([404, 'project_unknown'])
    expect((await apply(prompt('x', 'none'))).body.errors).toEqual([
      { pointer: '/objects/0/metadata/project', detail: 'there is no Project none' },
    ])
    expect((await apply(prompt('x'))).body.errors).toEqual([
      { pointer: '/objects/0/metadata/project', detail: 'is missing: a Prompt lives in a project' },
    ])
    await apply(project('web'), prompt('x', 'web'))
    const kept = await test.call('DELETE', `${base}/projects/web`)
    expect([kept.status, kept.body.detail, kept.body.hint]).toEqual([
      409,
      'Project web still holds Prompt x.',
      expect.stringContaining('--cascade'),
    ])
  })

  it('go with their project by ?cascade, in one batch that is told object by object', async () => {
    await apply(project('web'), project('other'), prompt('x', 'web'), prompt('x', 'other'))
    const heard: Change[] = []
    const stop = test.app.changes.onChange((change) => void heard.push(change))
    expect((await test.call('DELETE', `${base}/projects/web?cascade=true&dryRun=true`)).status).toBe(204)
    expect(heard).toEqual([])
    expect((await test.call('DELETE', `${base}/projects/web?cascade=true`)).status).toBe(204)
    stop()
    expect(heard.filter(({ type }) => type === 'DELETED').map(({ scope, kind, version }) => [scope, kind, version])).toEqual([
      [`default/${workspace}/proj/web`, 'Prompt', 5],
      [`default/${workspace}`, 'Project', 6],
    ])
    expect(shown((await test.call('GET', `${base}/prompts`)).body)).toEqual(['other/x'])
  })

  it('count as what is in their workspace', async () => {
    await apply(project('web'), prompt('x', 'web'))
    const kept = await test.call('DELETE', base)
    expect([kept.status, kept.body.detail]).toEqual([
      409,
      `The workspace default/${workspace} is not empty: 2 objects (project/web, prompt/x).`,
    ])
  })

  it('are pruned in the projects that the request names and nowhere else', async () => {
    await apply(project('one'), project('two'), prompt('old', 'one'), prompt('old', 'two'))
    const { body } = await test.call('POST', `${base}/apply`, { objects: [prompt('fresh', 'one')], prune: '!keep' })
    expect(body.results.map((one: { project: string; name: string; result: string }) => [one.project, one.name, one.result])).toEqual([
      ['one', 'fresh', 'created'],
      ['one', 'old', 'deleted'],
    ])
  })
})

describe('objects of an organization', () => {
  it('are applied to it alone, or together with those of a workspace, and are not pruned', async () => {
    const alone = await test.call('POST', '/v1/orgs/default/apply', { objects: [account('bot')] })
    expect(alone.body.results).toMatchObject([{ kind: 'ServiceAccount', name: 'bot', result: 'created' }])
    const wrong = await test.call('POST', '/v1/orgs/default/apply', { objects: [project('web')] })
    expect(wrong.body.errors[0].detail).toContain('Project lives in a workspace')
    const { body } = await test.call('POST', `${base}/apply`, {
      objects: [account('second', { description: 'b' }), project('web')],
      prune: '!keep',
    })
    expect(body.results.map(({ result }: { result: string }) => result)).toEqual(['created', 'created'])
    const one = await test.call('GET', '/v1/orgs/default/serviceaccounts/second')
    expect(one.body.metadata).toMatchObject({ org: 'default', name: 'second' })
    expect(one.body.metadata.workspace).toBeUndefined()
    expect((await test.call('GET', '/v1/orgs/none/serviceaccounts')).body.reason).toBe('org_unknown')
    const misplaced = await apply({ ...account('x'), metadata: { name: 'x', project: 'web' } })
    expect(misplaced.body.errors[0].detail).toContain('lives in the organization')
  })
})

describe('a rule of a kind', () => {
  it('sees every change of a write before it, also of a dry run, and refuses by pointers into the request', async () => {
    const seen: string[][] = []
    const rule: Rule = async ({ changes }) => {
      seen.push(changes.map(({ before, after }) => `${before?.metadata.name}→${after?.metadata.name}`))
      return changes
        .filter(({ after }) => after?.spec['description'] === 'forbidden')
        .map((change) => ({ change, pointer: '/spec/description', detail: 'is not what we say here' }))
    }
    test.app.resources.addRules('ServiceAccount', rule)
    const objects = [project('p'), account('ruled-a'), account('ruled-b', { description: 'forbidden' })]
    for (const query of ['?dryRun=true', '']) {
      const { status, body } = await test.call('POST', `${base}/apply${query}`, { objects })
      expect([status, body.errors]).toEqual([400, [{ pointer: '/objects/2/spec/description', detail: 'is not what we say here' }]])
    }
    expect(seen[0]).toEqual(['undefined→p', 'undefined→ruled-a', 'undefined→ruled-b'])
    expect((await test.call('GET', `${base}/projects/p`)).status).toBe(404)
    test.app.resources.addRules('ServiceAccount', async () => [])
  })

  it('is kept by writes that come at the same moment', async () => {
    // At most one may be the leader; each of them alone is.
    const resources = test.app.resources
    resources.addRules('ServiceAccount', async ({ changes }) => {
      const { items } = await resources.list(
        caller,
        resources.known().find(({ kind }) => kind === 'ServiceAccount')!,
        { org: 'default' },
        {
          limit: 500,
          sort: 'name',
        },
      )
      const isLed = items.some(({ spec }) => spec['description'] === 'leader')
      return changes
        .filter(({ after }) => isLed && after?.spec['description'] === 'leader')
        .map((change) => ({ change, pointer: '/spec/description', detail: 'there is a leader' }))
    })
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        test.call('POST', '/v1/orgs/default/serviceaccounts', account(`l-${index}`, { description: 'leader' })),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 7 }, () => 400)])
    resources.addRules('ServiceAccount', async () => [])
  })
})

describe('several writes in one transaction', () => {
  it('create, change and delete together, or not at all', async () => {
    await apply(project('web'), prompt('old', 'web'))
    const declaration = test.app.resources.known().find(({ kind }) => kind === 'Prompt')!
    const scope = { org: 'default', workspace, project: 'web' }
    const write = (name: string, make: (current: unknown) => ReturnType<typeof prompt> | null) => ({ declaration, scope, name, make })
    const broken = test.app.resources.writeAll(caller, [
      write('fresh', () => prompt('fresh')),
      write('old', () => ({ ...prompt('old'), spec: {} as never })),
    ])
    await expect(broken).rejects.toMatchObject({ code: 'invalid' })
    expect(shown((await test.call('GET', `${base}/prompts`)).body)).toEqual(['web/old'])
    const [made, gone] = await test.app.resources.writeAll(caller, [write('fresh', () => prompt('fresh')), write('old', () => null)])
    expect([made?.metadata.name, gone]).toEqual(['fresh', null])
    expect(shown((await test.call('GET', `${base}/prompts`)).body)).toEqual(['web/fresh'])
  })
})
