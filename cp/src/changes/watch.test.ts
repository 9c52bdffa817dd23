import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '@mcpg/core/clock'
import { createApp } from '../app.ts'
import { localCaller } from '../access/caller.ts'
import { readConfig } from '../config.ts'
import { temporaryFolder } from '../db/testing.ts'
import { testApp, type TestApp } from '../../test/app.ts'
import { changeHistory } from './history.ts'
import { watchService } from './watch.ts'

type Event = {
  type: string
  id?: string
  name?: string
  object?: { kind: string; metadata: { name: string; resourceVersion: string }; spec: unknown; status: object }
}

let serial = 0
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

let shared: TestApp | undefined
let workspace = 'default'
let base = ''
beforeEach(() => use('default'))
afterAll(() => shared?.close())

function use(name: string): void {
  workspace = name
  base = `/v1/orgs/default/workspaces/${name}`
}

async function boot(): Promise<TestApp> {
  const test = await testApp({ change: (config) => ({ ...config, timers: { ...config.timers, sseKeepAlive: 60 } }) })
  await test.app.http.start(() => {})
  return test
}

/** One control plane for the file, a workspace for every test. */
async function listening(): Promise<TestApp> {
  shared ??= await boot()
  use(`w-${++serial}`)
  await shared.call('POST', '/v1/orgs/default/workspaces', { name: workspace }, { host: new URL(shared.app.http.url()).host })
  return shared
}

const server = (name: string, spec: object = {}) => ({ kind: 'Server', metadata: { name }, spec: { command: ['x'], ...spec } })
const write = (url: string, method: string, path: string, body?: unknown) =>
  fetch(`${url}${base}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })

/** A watch as a list that grows; `until` waits for it to hold what is asked for. */
async function watch(url: string, query = '', headers: Record<string, string> = {}, scope = `default/${workspace}`) {
  const abort = new AbortController()
  const response = await fetch(`${url}/v1/watch?scope=${scope}${query}`, { headers, signal: abort.signal })
  const events: Event[] = []
  let ended = false
  const reading = (async () => {
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const blocks = text.split('\n\n')
      text = blocks.pop()!
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
        const { object } = JSON.parse(field('data')!) as Event
        events.push({ type: field('event')!, id: field('id'), name: object?.metadata.name, object })
      }
    }
  })()
    .catch(() => {})
    .finally(() => (ended = true))
  const close = async () => {
    abort.abort()
    await reading
  }
  closers.push(close)
  return { response, events, close, hasEnded: () => ended, until: (holds: (events: Event[]) => unknown) => until(() => holds(events)) }
}

async function until(holds: () => unknown): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('the condition did not come true within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
const told = (events: Event[]) => events.filter(({ type }) => type !== 'BOOKMARK').map(({ type, name }) => `${type} ${name}`)

describe('watch', () => {
  it('begins with everything there is and a bookmark, then tells what happens', async () => {
    const { app } = await listening()
    const url = app.http.url()
    await write(url, 'POST', '/servers', server('old'))
    const stream = await watch(url, '&kinds=servers')
    expect(stream.response.headers.get('content-type')).toContain('text/event-stream')
    await stream.until((events) => events.some(({ type }) => type === 'BOOKMARK'))
    expect(told(stream.events)).toEqual(['ADDED old'])
    expect(stream.events[0]!.id).toBeUndefined()
    await write(url, 'POST', '/servers', server('new-one'))
    await write(url, 'PATCH', '/servers/old', { spec: { cwd: '/x' } })
    await write(url, 'DELETE', '/servers/new-one')
    await stream.until((events) => told(events).length === 4)
    expect(told(stream.events)).toEqual(['ADDED old', 'ADDED new-one', 'MODIFIED old', 'DELETED new-one'])
    const modified = stream.events.find(({ type }) => type === 'MODIFIED')!.object!
    expect(modified.spec).toEqual({ command: ['x'], cwd: '/x' })
    // Whoever shows the object replaces it by this one, so it carries the status too.
    expect(modified.status).toHaveProperty('conditions')
  })

  it('resumes after any event without losing or repeating one, by since and by Last-Event-ID', async () => {
    const { app } = await listening()
    const url = app.http.url()
    const first = await watch(url, '&kinds=Server')
    for (const name of ['a', 'b', 'c', 'd']) await write(url, 'POST', '/servers', server(name))
    await first.until((events) => told(events).length === 4)
    const afterB = first.events.find(({ name }) => name === 'b')!.id!
    await first.close()
    await write(url, 'DELETE', '/servers/a')
    for (const resumed of [
      await watch(url, `&kinds=Server&since=${afterB}`),
      await watch(url, '&kinds=Server&since=ignored', { 'last-event-id': afterB }),
    ]) {
      await resumed.until((events) => told(events).length === 3)
      await resumed.until((events) => events.some(({ type }) => type === 'BOOKMARK'))
      expect(told(resumed.events)).toEqual(['ADDED c', 'ADDED d', 'DELETED a'])
    }
  })

  it('coalesces status to four a second and sends the newest', async () => {
    const { app } = await listening()
    const url = app.http.url()
    await write(url, 'POST', '/servers', server('a'))
    const stream = await watch(url, '&kinds=Server')
    await stream.until((events) => events.some(({ type }) => type === 'BOOKMARK'))
    const started = performance.now()
    while (performance.now() - started < 600) {
      app.changes.status(`default/${workspace}`, 'Server', 'a')
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await stream.until((events) => events.filter(({ type }) => type === 'STATUS').length >= 2)
    const statuses = stream.events.filter(({ type }) => type === 'STATUS').length
    expect(statuses).toBeGreaterThanOrEqual(2)
    expect(statuses).toBeLessThanOrEqual(4)
  })

  it('keeps a silent stream alive with bookmarks from which it can resume', async () => {
    const { app } = await listening()
    const stream = await watch(app.http.url(), '&kinds=Server')
    await stream.until((events) => events.length >= 3)
    expect(stream.events.every(({ type, id }) => type === 'BOOKMARK' && id !== undefined)).toBe(true)
    const again = await watch(app.http.url(), `&kinds=Server&since=${stream.events.at(-1)!.id}`)
    expect(again.response.status).toBe(200)
  })

  it('tells a workspace what happens in its projects, a project only of its own, and an organization of its kinds', async () => {
    const { app } = await listening()
    const url = app.http.url()
    const prompt = (project: string) => ({ kind: 'Prompt', metadata: { name: 'same', project }, spec: { content: 'x' } })
    for (const name of ['one', 'two']) await write(url, 'POST', '/projects', { kind: 'Project', metadata: { name }, spec: {} })
    await write(url, 'POST', '/projects/one/prompts', prompt('one'))
    const wide = await watch(url, '&kinds=Prompt')
    const narrow = await watch(url, '', {}, `default/${workspace}/proj/two`)
    const org = await watch(url, '&kinds=ServiceAccount', {}, 'default')
    for (const stream of [wide, narrow, org]) await stream.until((events) => events.some(({ type }) => type === 'BOOKMARK'))
    await write(url, 'POST', '/projects/two/prompts', prompt('two'))
    await write(url, 'DELETE', '/projects/one/prompts/same')
    const account = { kind: 'ServiceAccount', metadata: { name: `bot-${workspace}` }, spec: {} }
    await shared!.call('POST', '/v1/orgs/default/serviceaccounts', account, { host: new URL(url).host })
    await wide.until((events) => events.some(({ type }) => type === 'DELETED'))
    await narrow.until((events) => told(events).includes('ADDED same'))
    await org.until((events) => told(events).includes(`ADDED bot-${workspace}`))
    // The status of prompts follows in its own time.
    const written = (events: Event[]) => told(events.filter(({ type }) => type !== 'STATUS'))
    expect(written(wide.events)).toEqual(['ADDED same', 'ADDED same', 'DELETED same'])
    expect(written(narrow.events)).toEqual(['ADDED same'])
    // What it misses in between is found again in the numbers of its workspace.
    const { id } = wide.events.find(({ type }) => type === 'BOOKMARK')!
    const again = await watch(url, `&kinds=Prompt&since=${id}`)
    await again.until((events) => events.some(({ type }) => type === 'DELETED'))
    expect(written(again.events)).toEqual(['ADDED same', 'DELETED same'])
  })

  it('ends with the listener instead of holding up its stop', async () => {
    const test = await boot()
    closers.push(() => test.close())
    const stream = await watch(test.app.http.url())
    await stream.until((events) => events.some(({ type }) => type === 'BOOKMARK'))
    await test.app.http.stop()
    await until(() => stream.hasEnded())
  })

  it.each([
    ['a cursor of somebody else', '&since=Zm9v', 400, 'cursor_unusable'],
    ['a kind of the organization', '&kinds=ServiceAccount', 400, 'kind_elsewhere'],
    ['an unknown kind', '&kinds=Serverr', 400, 'kind_unknown'],
    ['a cursor from the future', `&since=${Buffer.from('00000000.5.99').toString('base64url')}&kinds=Server`, 410, 'watch_expired'],
    ['virtual kinds after a restart', `&since=${Buffer.from('00000000.5.0').toString('base64url')}`, 410, 'watch_expired'],
  ])('refuses %s before the stream begins', async (_, query, status, reason) => {
    const { app } = await listening()
    const response = await fetch(`${app.http.url()}/v1/watch?scope=default/${workspace}${query}`)
    expect([response.status, ((await response.json()) as { reason: string }).reason]).toEqual([status, reason])
  })

  it('resumes stored kinds after a restart of the control plane, and says when it cannot any more', async () => {
    const folder = temporaryFolder()
    closers.push(async () => folder.remove())
    const config = readConfig(
      { 'state-dir': folder.path, 'bind-http': '127.0.0.1:0', 'bind-grpc': '127.0.0.1:0', 'log-level': 'silent' },
      {},
    )
    const start = async () => {
      const app = await createApp(config)
      await app.http.start(() => {})
      let stopped = false
      const stop = async () => {
        if (stopped) return
        stopped = true
        for (const part of app.parts.toReversed()) await part.stop()
      }
      closers.push(stop)
      return { app, url: app.http.url(), stop }
    }
    const before = await start()
    await write(before.url, 'POST', '/servers', server('a'))
    const stream = await watch(before.url, '&kinds=Server')
    await write(before.url, 'POST', '/servers', server('b'))
    await stream.until((events) => told(events).includes('ADDED b'))
    const { id } = stream.events.find(({ name }) => name === 'b')!
    await stream.close()
    await write(before.url, 'PATCH', '/servers/a', { spec: { cwd: '/x' } })
    await write(before.url, 'DELETE', '/servers/b')
    await before.stop()

    const after = await start()
    const resumed = await watch(after.url, `&kinds=Server&since=${id}`)
    await resumed.until((events) => events.some(({ type }) => type === 'BOOKMARK'))
    // What the status became meanwhile nobody wrote down, so it is told anew.
    expect(told(resumed.events)).toEqual(['MODIFIED a', 'DELETED b', 'STATUS a'])
    await after.app.db.write((tx) => tx.change.deleteMany({ where: { scope: 'default/default', seq: { lte: 3 } } }))
    const expired = await fetch(`${after.url}/v1/watch?scope=default/default&kinds=Server&since=${id}`)
    expect(expired.status).toBe(410)
  })

  it('ends the stream of a reader that does not read, without growing', async () => {
    const { app } = await listening()
    const caller = localCaller({ source: '', requestId: '' })
    const scope = { org: 'default', workspace }
    const stopping = new AbortController()
    const service = watchService({
      changes: app.changes,
      history: changeHistory({ db: app.db, clock: systemClock }),
      resources: app.resources,
      maxWaiting: 2_000,
    })
    const kinds = app.resources.known().filter(({ kind }) => kind === 'Server')
    const events = await service.open(caller, { scope, kinds, since: undefined }, stopping.signal, 60_000)
    expect((await events.next()).value).toMatchObject({ type: 'BOOKMARK' })
    await app.resources.apply(caller, scope, { objects: Array.from({ length: 2500 }, (_, index) => server(`s-${index}`)) })
    expect((await events.next()).done).toBe(true)
  })

  it('tells a caller only of objects that caller may see', async () => {
    const { app } = await listening()
    const service = watchService({
      changes: app.changes,
      history: changeHistory({ db: app.db, clock: systemClock }),
      resources: app.resources,
    })
    const kinds = app.resources.known().filter(({ kind }) => kind === 'Server')
    const everyone = localCaller({ source: '', requestId: '' })
    const some = { ...everyone, visible: () => ['mine'] }
    const scope = { org: 'default', workspace }
    await app.resources.apply(everyone, scope, { objects: [server('mine'), server('yours')] })
    const stopping = new AbortController()
    const events = await service.open(some, { scope, kinds, since: undefined }, stopping.signal, 60_000)
    await app.resources.apply(everyone, scope, { objects: [server('yours', { cwd: '/1' }), server('mine', { cwd: '/1' })] })
    const seen: string[] = []
    for (let index = 0; index < 3; index++) {
      const { value } = (await events.next()) as { value: { type: string; object?: { metadata: { name: string } } } }
      seen.push(`${value.type} ${value.object?.metadata.name ?? ''}`.trim())
    }
    expect(seen).toEqual(['ADDED mine', 'BOOKMARK', 'MODIFIED mine'])
    stopping.abort()
    expect((await events.next()).done).toBe(true)
  })
})

describe('the listener of a watch', () => {
  it('applies the rules of every other request', async () => {
    const test = await listening()
    const { host } = new URL(test.app.http.url())
    const answer = await test.call('GET', '/v1/watch?scope=default/default', undefined, { host, 'sec-fetch-site': 'cross-site' })
    expect(answer.status).toBe(403)
  })
})
