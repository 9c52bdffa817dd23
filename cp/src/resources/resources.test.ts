import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { kinds } from '@mcpg/proto/kinds'
import type { Change } from '../changes/changes.ts'
import { testApp, type TestApp } from '../../test/app.ts'
import { holderOf } from '../../test/callers.ts'

let test: TestApp
let workspace = ''
let base = ''
let serial = 0
const opened: TestApp[] = []
beforeEach(async () => {
  if (!test) opened.push((test = await testApp()))
  workspace = `w-${++serial}`
  await test.call('POST', '/v1/orgs/default/workspaces', { name: workspace })
  base = `/v1/orgs/default/workspaces/${workspace}`
})
afterAll(async () => {
  for (const one of opened) await one.close()
})

const server = (name: string, spec: object = {}, metadata: object = {}) => ({
  kind: 'Server',
  metadata: { name, ...metadata },
  spec: { command: ['node', 'server.js'], ...spec },
})
const apply = (objects: unknown[], query = '', more: object = {}) => test.call('POST', `${base}/apply${query}`, { objects, ...more })
const outcome = (answer: { body: { results: { name: string; result: string }[] } }) =>
  Object.fromEntries(answer.body.results.map(({ name, result }) => [name, result]))
const names = (answer: { body: { items: { metadata: { name: string } }[] } }) => answer.body.items.map(({ metadata }) => metadata.name)
const auditOf = (action: string) => test.app.db.read.audit.findMany({ where: { workspace, action } })

describe('objects', () => {
  it('are stored as the user wrote them and come back the same', async () => {
    const written = server(
      'a',
      { startTimeout: '60s', env: [{ name: 'B', value: '' }] },
      { labels: { b: '2', a: '1' }, annotations: { note: 'x/y~z' } },
    )
    const created = await test.call('POST', `${base}/servers`, written)
    expect(created.status).toBe(201)
    expect(created.headers.location).toBe(`${base}/servers/a`)
    const { body } = await test.call('GET', `${base}/servers/a`)
    expect(body.spec).toEqual(written.spec)
    expect(body.metadata).toMatchObject({ ...written.metadata, org: 'default', workspace, generation: 1 })
    const again = await apply([{ kind: 'Server', metadata: written.metadata, spec: body.spec }])
    expect(outcome(again)).toEqual({ a: 'unchanged' })
  })

  it('have a generation that rises with the spec only, and a version that rises with every change', async () => {
    await test.call('POST', `${base}/servers`, server('a'))
    const labelled = await test.call('PATCH', `${base}/servers/a`, { metadata: { labels: { team: 'web' } } })
    expect(labelled.body.metadata).toMatchObject({ generation: 1, labels: { team: 'web' } })
    const changed = await test.call('PATCH', `${base}/servers/a`, { spec: { cwd: '/srv' } })
    expect(changed.body.metadata.generation).toBe(2)
    expect(Number(changed.body.metadata.resourceVersion)).toBeGreaterThan(Number(labelled.body.metadata.resourceVersion))
    const same = await test.call('PATCH', `${base}/servers/a`, { spec: { cwd: '/srv' } })
    expect(same.body.metadata).toEqual(changed.body.metadata)
  })

  it('are guarded by If-Match: a stale one is 412 and changes nothing', async () => {
    const { headers } = await test.call('POST', `${base}/servers`, server('a'))
    const etag = String(headers.etag)
    expect((await test.call('PUT', `${base}/servers/a`, server('a', { cwd: '/1' }), { 'if-match': etag })).status).toBe(200)
    for (const [method, body] of [
      ['PUT', server('a', { cwd: '/2' })],
      ['PATCH', { spec: { cwd: '/2' } }],
      ['DELETE', undefined],
    ] as const) {
      const stale = await test.call(method, `${base}/servers/a`, body, { 'if-match': etag })
      expect([method, stale.status, stale.body.code, stale.body.reason]).toEqual([method, 412, 'conflict', 'version_stale'])
    }
    expect((await test.call('GET', `${base}/servers/a`)).body.spec.cwd).toBe('/1')
    expect((await test.call('PUT', `${base}/servers/a`, server('a', {}, { resourceVersion: '1' }))).status).toBe(412)
    expect((await test.call('DELETE', `${base}/servers/a`, undefined, { 'if-match': '*' })).status).toBe(204)
  })

  it('are patched by RFC 7396: null removes a field, lists are replaced', async () => {
    await test.call('POST', `${base}/servers`, server('a', { cwd: '/x', inheritEnv: ['A', 'B'] }, { labels: { keep: '1', drop: '2' } }))
    const patch = { metadata: { labels: { drop: null } }, spec: { cwd: null, inheritEnv: ['C'] } }
    const answer = await test.app.http.inject({
      method: 'PATCH',
      url: `${base}/servers/a`,
      payload: JSON.stringify(patch),
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(answer.json().spec).toEqual({ command: ['node', 'server.js'], inheritEnv: ['C'] })
    expect(answer.json().metadata.labels).toEqual({ keep: '1' })
    expect((await test.call('PATCH', `${base}/servers/a`, { spec: { command: null } })).body.errors).toEqual([
      { pointer: '/spec', detail: expect.stringContaining('exactly one of command, package, url') },
    ])
    expect((await test.call('PATCH', `${base}/servers/a`, { metadata: { name: 'b' } })).body.errors[0].pointer).toBe('/metadata/name')
  })

  it('are only tried with dryRun', async () => {
    const tried = await test.call('POST', `${base}/servers?dryRun=true`, server('a'))
    expect([tried.status, tried.body.metadata.name]).toEqual([200, 'a'])
    expect((await test.call('GET', `${base}/servers/a`)).status).toBe(404)
    await test.call('POST', `${base}/servers`, server('a'))
    await test.call('PATCH', `${base}/servers/a?dryRun=true`, { spec: { cwd: '/x' } })
    await test.call('DELETE', `${base}/servers/a?dryRun=true`)
    expect((await test.call('GET', `${base}/servers/a`)).body.spec.cwd).toBeUndefined()
    expect((await test.call('POST', `${base}/servers?dryRun=perhaps`, server('b'))).status).toBe(400)
  })

  it.each<[string, string, string, unknown, number, string]>([
    ['create one twice', 'POST', '/servers', server('there'), 409, 'already_exists'],
    ['replace one that is not there', 'PUT', '/servers/none', server('none'), 404, 'server_unknown'],
    ['replace under another name', 'PUT', '/servers/there', server('other'), 400, 'invalid_request'],
    ['delete one that is not there', 'DELETE', '/servers/none', undefined, 404, 'server_unknown'],
    ['write another kind', 'POST', '/servers', { ...server('x'), kind: 'Gateway' }, 400, 'invalid_request'],
    ['use a word of the paths as name', 'POST', '/servers', server('apply'), 400, 'invalid_request'],
    ['send no body', 'POST', '/servers', undefined, 400, 'invalid_request'],
    ['patch with a list', 'PATCH', '/servers/there', [], 400, 'invalid_request'],
  ])('cannot %s', async (_, method, path, body, status, reason) => {
    await test.call('POST', `${base}/servers`, server('there'))
    const answer = await test.call(method as 'POST', `${base}${path}`, body)
    expect([answer.status, answer.body.reason]).toEqual([status, reason])
  })

  it('need their workspace', async () => {
    const nowhere = '/v1/orgs/default/workspaces/nowhere'
    for (const answer of [
      await test.call('GET', `${nowhere}/servers`),
      await test.call('POST', `${nowhere}/servers`, server('a')),
      await test.call('POST', `${nowhere}/apply`, { objects: [] }),
    ])
      expect([answer.status, answer.body.reason]).toEqual([404, 'workspace_unknown'])
  })

  it('leave an audit row and a change in the transaction of every write, without any value of the spec', async () => {
    const secret = 'canary-value'
    await test.call('POST', `${base}/servers`, server('a', { env: [{ name: 'TOKEN', value: secret }] }))
    await test.call('PATCH', `${base}/servers/a`, { spec: { env: [{ name: 'TOKEN', value: `${secret}-2` }] } })
    await test.call('DELETE', `${base}/servers/a`)
    const rows = await test.app.db.read.audit.findMany({ where: { workspace, kind: 'Server' } })
    expect(rows.map(({ action }) => action).sort()).toEqual(['server.create', 'server.delete', 'server.update'])
    expect(rows.every(({ actor, source, requestId }) => actor === 'local' && source === '127.0.0.1' && requestId?.startsWith('req_'))).toBe(
      true,
    )
    expect(JSON.stringify(rows)).not.toContain(secret)
    expect((await auditOf('server.update'))[0]!.detail).toBe('{"fields":["/spec/env/0/value"]}')
    const history = await test.app.db.read.change.findMany({ where: { scope: `default/${workspace}` }, orderBy: { seq: 'asc' } })
    expect(history.map(({ seq, type }) => [seq, type])).toEqual([
      [1, 'ADDED'],
      [2, 'MODIFIED'],
      [3, 'DELETED'],
    ])
  })

  it('lose no write when many change the same one', async () => {
    await test.call('POST', `${base}/servers`, server('a'))
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, index) => test.call('PATCH', `${base}/servers/a`, { metadata: { labels: { [`l${index}`]: 'x' } } })),
    )
    const done = answers.filter(({ status }) => status === 200).length
    expect(answers.every(({ status }) => status === 200 || status === 503)).toBe(true)
    const { labels } = (await test.call('GET', `${base}/servers/a`)).body.metadata
    expect(Object.keys(labels)).toHaveLength(done)
  })
})

describe('lists', () => {
  beforeEach(async () => {
    const objects = Array.from({ length: 7 }, (_, index) =>
      server(`s-${index}`, {}, { labels: { tier: index % 2 ? 'odd' : 'even', ...(index === 3 ? { only: 'three' } : {}) } }),
    )
    await apply(objects)
  })

  it('page through everything once, forwards and backwards', async () => {
    for (const sort of ['name', '-name', 'createdAt', '-updatedAt']) {
      const seen: string[] = []
      let cursor = ''
      for (;;) {
        const page = await test.call('GET', `${base}/servers?limit=3&sort=${sort}${cursor && `&cursor=${cursor}`}`)
        expect(page.body.total).toBe(7)
        seen.push(...names(page))
        if (!page.body.nextCursor) break
        cursor = page.body.nextCursor
      }
      const forwards = ['s-0', 's-1', 's-2', 's-3', 's-4', 's-5', 's-6']
      expect([sort, seen]).toEqual([sort, sort.startsWith('-') ? forwards.toReversed() : forwards])
    }
  })

  it.each([
    ['tier=even', ['s-0', 's-2', 's-4', 's-6']],
    ['tier!=even', ['s-1', 's-3', 's-5']],
    ['tier in (even,odd),only', ['s-3']],
    ['!only,tier=odd', ['s-1', 's-5']],
    ['only notin (three)', ['s-0', 's-1', 's-2', 's-4', 's-5', 's-6']],
    ['tier=none', []],
  ])('select by %s', async (selector, expected) => {
    const answer = await test.call('GET', `${base}/servers?labelSelector=${encodeURIComponent(selector)}`)
    expect(names(answer)).toEqual(expected)
    expect(answer.body.total).toBe(expected.length)
  })

  it('search names literally', async () => {
    expect(names(await test.call('GET', `${base}/servers?q=-3`))).toEqual(['s-3'])
    expect(names(await test.call('GET', `${base}/servers?q=${encodeURIComponent('%')}`))).toEqual([])
    expect(names(await test.call('GET', `${base}/servers?q=S-`))).toHaveLength(7)
    expect((await test.call('GET', `${base}/servers?q=zzz`)).body).toEqual({ items: [], total: 0 })
  })

  it('refuse a broken selector and a cursor of another list', async () => {
    expect((await test.call('GET', `${base}/servers?labelSelector=${encodeURIComponent('a in b')}`)).body.reason).toBe('selector_malformed')
    const { nextCursor } = (await test.call('GET', `${base}/servers?limit=1`)).body
    expect((await test.call('GET', `${base}/servers?limit=1&sort=-name&cursor=${nextCursor}`)).body.reason).toBe('cursor_unusable')
    expect((await test.call('GET', `${base}/servers?cursor=garbage`)).body.reason).toBe('cursor_unusable')
  })

  it('show a caller only the names that caller may see, counted and paged as such', async () => {
    const caller = holderOf({ place: { org: 'default', workspace }, verbs: ['edit'], on: 'servers', names: ['s-2', 's-5', 'gone'] })
    const declaration = kinds.find(({ kind }) => kind === 'Server')!
    const scope = { org: 'default', workspace }
    const page = await test.app.resources.list(caller, declaration, scope, { limit: 1, sort: 'name' })
    expect([page.items.map(({ metadata }) => metadata.name), page.total]).toEqual([['s-2'], 2])
    const next = await test.app.resources.list(caller, declaration, scope, { limit: 1, sort: 'name', cursor: page.nextCursor })
    expect([next.items.map(({ metadata }) => metadata.name), next.nextCursor]).toEqual([['s-5'], undefined])
    await expect(test.app.resources.get(caller, declaration, scope, 's-1')).rejects.toMatchObject({ code: 'not_found' })
    await expect(test.app.resources.remove(caller, declaration, scope, 's-1')).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('apply', () => {
  it('creates, configures and leaves alone, and plan says the same before without doing it', async () => {
    await apply([server('keep'), server('change', { cwd: '/old' })])
    const objects = [server('keep'), server('change', { cwd: '/new' }), server('fresh')]
    const plan = await apply(objects, '?dryRun=true')
    expect(plan.body.dryRun).toBe(true)
    expect(outcome(plan)).toEqual({ keep: 'unchanged', change: 'configured', fresh: 'created' })
    expect((await test.call('GET', `${base}/servers`)).body.total).toBe(2)
    const done = await apply(objects)
    const withoutVersions = (results: object[]) => results.map((one) => ({ ...one, resourceVersion: undefined }))
    expect(withoutVersions(done.body.results)).toEqual(withoutVersions(plan.body.results))
    expect(done.body.results[1].diffs).toEqual([{ path: '/spec/cwd', before: '/old', after: '/new' }])
    expect(outcome(await apply(objects))).toEqual({ keep: 'unchanged', change: 'unchanged', fresh: 'unchanged' })
  })

  it('writes nothing when one object is invalid, and returns the violations of all', async () => {
    const answer = await apply([
      server('good'),
      server('Bad Name', { nope: 1 }),
      server('two', { command: undefined, url: { url: 'ftp://x' } }),
      server('good'),
      { kind: 'Gateway', metadata: { name: 'g' }, spec: {} },
      { kind: 'Sever', metadata: { name: 's' }, spec: {} },
      'text',
      { metadata: { name: 'k' }, spec: {} },
    ])
    expect(answer.status).toBe(400)
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/objects/1/metadata/name',
      '/objects/1/spec/nope',
      '/objects/2/spec/url/url',
      '/objects/3/metadata/name',
      '/objects/4/kind',
      '/objects/5/kind',
      '/objects/6',
      '/objects/7/kind',
    ])
    expect((await test.call('GET', `${base}/servers`)).body.total).toBe(0)
  })

  it('returns a thousand violations at once', async () => {
    const { body } = await apply(Array.from({ length: 1000 }, (_, index) => server(`s-${index}`, { cwd: 3 })))
    expect(body.errors).toHaveLength(1000)
    expect(body.detail).toContain('1000 things are wrong')
  })

  it('prunes what the selector matches and the request does not name, of the kinds present only', async () => {
    await apply([
      server('a', {}, { labels: { app: 'x' } }),
      server('b', {}, { labels: { app: 'x' } }),
      server('c', {}, { labels: { app: 'y' } }),
    ])
    const plan = await apply([server('a', {}, { labels: { app: 'x' } })], '?dryRun=true', { prune: 'app=x' })
    expect(outcome(plan)).toEqual({ a: 'unchanged', b: 'deleted' })
    expect((await test.call('GET', `${base}/servers`)).body.total).toBe(3)
    await apply([server('a', {}, { labels: { app: 'x' } })], '', { prune: 'app=x' })
    expect(names(await test.call('GET', `${base}/servers`))).toEqual(['a', 'c'])
    expect(outcome(await apply([], '', { prune: 'app=y' }))).toEqual({})
    expect((await apply([server('a')], '', { prune: ' ' })).body.errors[0].pointer).toBe('/prune')
  })

  it('conflicts only where a manifest names a version', async () => {
    const { body } = await apply([server('a'), server('b')])
    const [{ resourceVersion }] = body.results
    await test.call('PATCH', `${base}/servers/a`, { spec: { cwd: '/else' } })
    const stale = [server('a', {}, { resourceVersion }), server('b', { cwd: '/x' }), server('c', {}, { resourceVersion: '7' })]
    const plan = await apply(stale, '?dryRun=true')
    expect(outcome(plan)).toEqual({ a: 'conflict', b: 'configured', c: 'conflict' })
    const refused = await apply(stale)
    expect([refused.status, refused.body.code]).toEqual([409, 'conflict'])
    expect(refused.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/objects/0/metadata/resourceVersion',
      '/objects/2/metadata/resourceVersion',
    ])
    expect((await test.call('GET', `${base}/servers/b`)).body.spec.cwd).toBeUndefined()
    expect(outcome(await apply([server('a')]))).toEqual({ a: 'configured' })
  })

  it('refuses more than 5,000 objects and more than 16 MiB', async () => {
    expect((await apply(Array.from({ length: 5001 }, () => ({})))).body).toMatchObject({ status: 413, reason: 'too_many_objects' })
    const big = await apply([server('a', { cwd: 'x'.repeat(16 << 20) })])
    expect([big.status, big.body.code]).toEqual([413, 'too_large'])
  })

  it('does the work of one Idempotency-Key once', async () => {
    const once = (objects: unknown[], key: string) => test.call('POST', `${base}/apply`, { objects }, { 'idempotency-key': key })
    const [first, second] = await Promise.all([once([server('a')], 'k-1'), once([server('a')], 'k-1')])
    expect(outcome(first)).toEqual({ a: 'created' })
    expect(second.body).toEqual(first.body)
    const other = await once([server('b')], 'k-1')
    expect([other.status, other.body.reason]).toEqual([422, 'idempotency_key_reused'])
    expect(outcome(await once([server('a')], 'k-2'))).toEqual({ a: 'unchanged' })
    // A failure is not an answer to keep.
    expect((await once([server('NO')], 'k-3')).status).toBe(400)
    expect(outcome(await once([server('c')], 'k-3'))).toEqual({ c: 'created' })
  })

  it('does every POST that starts work once per Idempotency-Key, each path for itself', async () => {
    const post = (path: string, body: unknown, key = 'k') => test.call('POST', `${base}${path}`, body, { 'idempotency-key': key })
    const made = await post('/servers', server('a'))
    const again = await post('/servers', server('a'))
    expect([made.status, again.status]).toEqual([201, 201])
    expect(again.body).toEqual(made.body)
    expect(again.headers).toMatchObject({ location: made.headers['location'], etag: made.headers['etag'] })
    for (let turn = 0; turn < 3; turn++) expect((await post('/servers/a/restart', {})).status).toBe(200)
    const counters = () => test.app.db.read.serverControl.findMany({ where: { serverUid: made.body.metadata.uid } })
    expect(await counters()).toMatchObject([{ restarts: 1 }])
    await post('/servers/a/restart', {}, 'another')
    expect(await counters()).toMatchObject([{ restarts: 2 }])
    const environments = [await post('/environments', { name: 'prod' }), await post('/environments', { name: 'prod' })]
    expect(environments.map(({ status }) => status)).toEqual([201, 201])
    expect((await post('/environments', { name: 'prod' }, 'another')).status).toBe(409)
    expect((await post('/servers', server('b'), 'two words')).body.reason).toBe('idempotency_key_malformed')
  })

  it('tells its subscribers what was committed, in the order of the numbers', async () => {
    const heard: Change[] = []
    const stop = test.app.changes.onChange((change) => void heard.push(change))
    await Promise.all([apply([server('a'), server('b')]), apply([server('c')]), test.call('POST', `${base}/servers`, server('d'))])
    stop()
    const own = heard.filter(({ scope, kind, type }) => scope === `default/${workspace}` && kind === 'Server' && type !== 'STATUS')
    expect(own.map(({ version }) => version)).toEqual([1, 2, 3, 4])
    expect(own.every(({ object, version }) => object?.metadata.resourceVersion === String(version))).toBe(true)
  })
})

describe('actions of a server', () => {
  it('start and stop set spec.state and nothing else', async () => {
    await test.call('POST', `${base}/servers`, server('a', {}, { labels: { keep: 'me' } }))
    const started = await test.call('POST', `${base}/servers/a/start`)
    expect([started.status, started.body.spec.state, started.body.metadata.generation]).toEqual([200, undefined, 1])
    const stopped = await test.call('POST', `${base}/servers/a/stop`)
    expect([stopped.body.spec.state, stopped.body.metadata.generation, stopped.body.metadata.labels]).toEqual([
      'stopped',
      2,
      { keep: 'me' },
    ])
    expect((await test.call('POST', `${base}/servers/a/start`)).body.spec.state).toBe('running')
    expect(await auditOf('server.stop')).toHaveLength(1)
  })

  it('restart raises a counter beside the spec, retry lifts the holds of that server, and both are told', async () => {
    const { body } = await test.call('POST', `${base}/servers`, server('a'))
    const { uid: serverUid } = body.metadata
    const hold = { gatewayId: 'g', subHash: 'h', server: 'a', reason: 'UNHEALTHY', message: '', since: 't' }
    await test.app.db.write((tx) =>
      tx.serverHold.createMany({
        data: [
          { ...hold, serverUid },
          { ...hold, serverUid: `other-${serverUid}` },
        ],
      }),
    )
    const heard: Change[] = []
    const stop = test.app.changes.onChange((change) => change.kind === 'Server' && change.detail && heard.push(change))
    expect((await test.call('POST', `${base}/servers/a/restart`)).body.metadata).toEqual(body.metadata)
    await test.call('POST', `${base}/servers/a/restart`, { retry: true, upgrade: true })
    stop()
    const control = await test.app.db.read.serverControl.findUnique({ where: { serverUid } })
    expect(control).toMatchObject({ restarts: 2, upgrades: 1 })
    expect(await test.app.db.read.serverHold.count({ where: { serverUid } })).toBe(0)
    expect(await test.app.db.read.serverHold.count({ where: { serverUid: `other-${serverUid}` } })).toBe(1)
    expect(heard.map(({ name, detail }) => [name, detail?.retry])).toEqual([
      ['a', false],
      ['a', true],
    ])
    expect((await test.call('POST', `${base}/servers/a/restart`, { retri: true })).status).toBe(400)
    expect((await test.call('POST', `${base}/servers/none/restart`)).status).toBe(404)
  })
})
