import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { GatewayConfig } from '@mcpg/proto/gateway-config'
import { ServerSpec } from '@mcpg/proto/kinds/server'
import { sha256Hex } from './canonical.ts'
import type { SnapshotLlm, SnapshotProxyModel } from './model-entry.ts'
import type { SnapshotProject } from './project-entry.ts'
import {
  compile,
  entryOf,
  liftedHolds,
  maxDocumentBytes,
  type Hold,
  type Snapshot,
  type SnapshotGateway,
  type SnapshotServer,
} from './compile.ts'

const server = (name: string, spec: ServerSpec = { command: [name] }, rest: Partial<SnapshotServer> = {}): SnapshotServer => ({
  uid: `uid-${name}`,
  name,
  generation: 1,
  spec,
  restarts: 0,
  upgrades: 0,
  secrets: new Map(),
  ...rest,
})
const gateway = (id: string, rest: Partial<SnapshotGateway> = {}): SnapshotGateway => ({
  id,
  environment: 'default',
  labels: {},
  lkgHash: null,
  highestGeneration: 0,
  holds: new Map(),
  lastRan: new Map(),
  ...rest,
})
const snapshot = (servers: SnapshotServer[], gateways: SnapshotGateway[]): Snapshot => ({
  org: 'default',
  workspace: 'default',
  servers,
  unreadable: [],
  projects: [],
  llms: [],
  proxyModels: [],
  gateways,
})

async function documentFor(servers: SnapshotServer[], one: SnapshotGateway) {
  const [compiled] = await compile(snapshot(servers, [one]))
  if (!compiled || !('document' in compiled)) throw new Error('no document')
  return { ...compiled, text: Buffer.from(compiled.document.bytes).toString(), names: compiled.document.entries.map((entry) => entry.name) }
}

type Golden = {
  org: string
  workspace: string
  environment: string
  servers: { name: string; spec: unknown; restarts?: number; upgrades?: number }[]
  projects?: SnapshotProject[]
  llms?: SnapshotLlm[]
  proxyModels?: SnapshotProxyModel[]
}

describe('the compiled bytes', () => {
  const folder = new URL('golden/', import.meta.url)
  it.each(readdirSync(folder).filter((name) => name.endsWith('.json')))('of %s never change', async (name) => {
    const {
      environment,
      servers,
      projects = [],
      llms = [],
      proxyModels = [],
      ...scope
    } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Golden
    const inputs = servers.map((one) =>
      server(one.name, ServerSpec.parse(one.spec), { restarts: one.restarts ?? 0, upgrades: one.upgrades ?? 0 }),
    )
    const [compiled] = await compile({
      ...scope,
      servers: inputs,
      unreadable: [],
      projects,
      llms,
      proxyModels,
      gateways: [gateway('gw', { environment })],
    })
    if (!compiled || !('document' in compiled)) throw new Error('no document')
    const text = Buffer.from(compiled.document.bytes).toString()
    expect(compiled.document.hash).toBe(sha256Hex(compiled.document.bytes))
    expect(
      GatewayConfig.parse(JSON.parse(text)).servers.every((entry) => compiled.document.entries.some((known) => known.name === entry.name)),
    ).toBe(true)
    await expect(text).toMatchFileSnapshot(`golden/${name.replace('.json', '.compiled')}`)
  })

  it('leave every default out, however it is written', () => {
    const bare = entryOf(server('a', { command: ['a'] }))
    const full = entryOf(
      server('a', {
        command: ['a'],
        env: [],
        inheritEnv: [],
        era: 'auto',
        state: 'running',
        required: true,
        startTimeout: '1m',
        sessions: 'identity',
        maxSessions: 16,
        forward: ['sampling', 'elicitation'],
        callTimeout: '60s',
        stopGrace: '5000ms',
      }),
    )
    expect(full.json).toBe('{"command":["a"],"name":"a"}')
    expect(full.subHash).toBe(bare.subHash)
  })

  it.each<[string, ServerSpec]>([
    ['command', { command: ['b'] }],
    ['package', { package: { runtime: 'node', name: 'b' } }],
    ['url', { url: { url: 'http://127.0.0.1:1/' } }],
    ['env', { command: ['a'], env: [{ name: 'A', value: '1' }] }],
    ['inheritEnv', { command: ['a'], inheritEnv: ['A'] }],
    ['cwd', { command: ['a'], cwd: '/' }],
    ['era', { command: ['a'], era: 'legacy' }],
    ['state', { command: ['a'], state: 'stopped' }],
    ['required', { command: ['a'], required: false }],
    ['startTimeout', { command: ['a'], startTimeout: '61s' }],
    ['callTimeout', { command: ['a'], callTimeout: '61s' }],
    ['stopGrace', { command: ['a'], stopGrace: '6s' }],
    ['sessions', { command: ['a'], sessions: 'session' }],
    ['maxSessions', { command: ['a'], maxSessions: 1 }],
    ['forward', { command: ['a'], forward: ['roots'] }],
  ])('are others when %s is another', (_field, spec) => {
    expect(entryOf(server('a', spec)).subHash).not.toBe(entryOf(server('a', { command: ['a'] })).subHash)
  })

  it('do not depend on the order of the servers', async () => {
    const one = await documentFor([server('b'), server('a')], gateway('gw'))
    const other = await documentFor([server('a'), server('b')], gateway('gw'))
    expect(one.text).toBe(other.text)
    expect(one.names).toEqual(['a', 'b'])
  })

  it('name no gateway, so that equal gateways share one document', async () => {
    const compiled = await compile(
      snapshot([server('a')], [gateway('gw_1'), gateway('gw_2', { labels: { role: 'edge' } }), gateway('gw_3', { environment: 'other' })]),
    )
    const documents = compiled.map((one) => ('document' in one ? one.document : null))
    expect(documents[0]).toBe(documents[1])
    expect(documents[2]).not.toBe(documents[0])
    expect(Buffer.from(documents[0]!.bytes).toString()).not.toContain('gw_')
  })

  it('are an error over 1 MiB, which names the biggest parts', async () => {
    const big = server('big', { command: ['a', 'x'.repeat(maxDocumentBytes)] })
    const [compiled] = await compile(snapshot([server('small'), big], [gateway('gw')]))
    expect(compiled).toMatchObject({
      error: expect.stringMatching(
        /The config has \d+ bytes, at most 1048576 are allowed\. Its biggest parts: server big \(\d+ bytes\), server small/,
      ),
    })
  })
})

describe('a project', () => {
  const project = (servers: string[], spec: SnapshotProject['spec'] = {}): SnapshotProject => ({
    name: 'web',
    spec: { servers, ...spec },
    prompts: [],
  })
  const bytesOf = async (servers: SnapshotServer[], projects: SnapshotProject[]) => {
    const [compiled] = await compile({ ...snapshot(servers, [gateway('gw')]), projects })
    if (!compiled || !('document' in compiled)) throw new Error('no document')
    return { text: Buffer.from(compiled.document.bytes).toString(), entries: compiled.document.entries }
  }

  it('stands in the documents that have one of its servers, and changes no entry of a server', async () => {
    const alone = await bytesOf([server('a')], [])
    const elsewhere = await bytesOf([server('a')], [project(['b'])])
    const here = await bytesOf([server('a')], [project(['b', 'a'])])
    expect(elsewhere.text).toBe(alone.text)
    expect(here.text).toContain('"projects":[{"name":"web","servers":[{"name":"a"},{"name":"b"}]}]')
    expect(here.entries).toEqual(alone.entries)
  })

  it('leaves its defaults out, however they are written', async () => {
    const bare = await bytesOf([server('a')], [project(['a'])])
    const full = project(['a'], { gated: false, proxyModel: 'default', tools: { deny: [] }, instructions: '', serverOverrides: { a: {} } })
    expect((await bytesOf([server('a')], [full])).text).toBe(bare.text)
  })

  it('brings the pipeline and the models that it names, by itself or through its pipeline, and no others', async () => {
    const models = {
      llms: ['own', 'of-pipeline', 'unused'].map((name): SnapshotLlm => ({ name, spec: { type: 'ollama', model: name } })),
      proxyModels: ['pipe', 'gate', 'other'].map((name): SnapshotProxyModel => ({
        name,
        spec: { stages: [{ type: 'paginate' }], llm: 'of-pipeline' },
      })),
    }
    const documentOf = async (spec: SnapshotProject['spec'], servers = ['a']) => {
      const [compiled] = await compile({ ...snapshot([server('a')], [gateway('gw')]), ...models, projects: [project(servers, spec)] })
      return JSON.parse(Buffer.from(compiled && 'document' in compiled ? compiled.document.bytes : '').toString()) as Partial<GatewayConfig>
    }
    const both = await documentOf({ proxyModel: 'pipe', llm: { name: 'own' } })
    expect(both.llms?.map(({ name }) => name)).toEqual(['of-pipeline', 'own'])
    expect(both.proxyModels).toEqual([{ name: 'pipe', llm: 'of-pipeline', stages: [{ type: 'paginate' }] }])
    for (const nothing of [await documentOf({ proxyModel: 'gate' }), await documentOf({ proxyModel: 'pipe' }, ['elsewhere'])])
      expect([nothing.llms, nothing.proxyModels]).toEqual([undefined, undefined])
  })

  it('is named among the biggest parts of a document that is too large', async () => {
    const big = { ...project(['a']), prompts: [{ name: 'p', content: 'x'.repeat(maxDocumentBytes) }] }
    const [compiled] = await compile({ ...snapshot([server('a')], [gateway('gw')]), projects: [big] })
    expect(compiled).toMatchObject({ error: expect.stringMatching(/Its biggest parts: project web \(\d+ bytes\), server a/) })
  })
})

describe('a server that cannot be read', () => {
  it('stays as each gateway has it, in its place, and out where none has it; its holds stay too', async () => {
    const old = entryOf(server('b', { command: ['old'] }))
    const unreadable = { uid: 'uid-b', name: 'b', error: 'x', kept: new Map([['gw_1', old]]) }
    const holds = new Map([['uid-b', [{ subHash: 'ff', entry: undefined }]]])
    const taken = { ...snapshot([server('c'), server('a')], [gateway('gw_1', { holds }), gateway('gw_2')]), unreadable: [unreadable] }
    const documents = (await compile(taken)).map((one) => ('document' in one ? one.document.entries : []))
    expect(documents.map((entries) => entries.map((entry) => entry.name))).toEqual([
      ['a', 'b', 'c'],
      ['a', 'c'],
    ])
    expect(documents[0]![1]).toEqual(old)
    expect(liftedHolds(taken)).toEqual([])
    expect(liftedHolds({ ...taken, unreadable: [] })).toEqual([{ gatewayId: 'gw_1', serverUid: 'uid-b' }])
  })
})

describe('placement', () => {
  it('goes by environment and by every label', async () => {
    const placed = async (placement: ServerSpec['placement'], one: Partial<SnapshotGateway>) =>
      (await documentFor([server('a', { command: ['a'], placement })], gateway('gw', one))).names.length === 1
    expect(await placed(undefined, {})).toBe(true)
    expect(await placed({ environments: ['us', 'eu'] }, { environment: 'eu' })).toBe(true)
    expect(await placed({ environments: ['us'] }, { environment: 'eu' })).toBe(false)
    expect(await placed({ gatewaySelector: { role: 'edge', zone: '1' } }, { labels: { role: 'edge', zone: '1', more: 'x' } })).toBe(true)
    expect(await placed({ gatewaySelector: { role: 'edge', zone: '1' } }, { labels: { role: 'edge' } })).toBe(false)
  })
})

describe('a refused revision', () => {
  const bad = server('a', { command: ['bad'] })
  const good = entryOf(server('a', { command: ['good'] }))
  const hold = (one: SnapshotServer): Hold => ({ subHash: entryOf(one).subHash, entry: entryOf(one).json })
  const held = (holds: Hold[], proven = true) =>
    gateway('gw', {
      holds: new Map([['uid-a', holds]]),
      lastRan: proven ? new Map([['uid-a', { subHash: good.subHash, entry: good.json }]]) : new Map(),
    })

  it('is replaced by the one that last ran there, and the rest flows', async () => {
    const { names, text, heldBack } = await documentFor([bad, server('b')], held([hold(bad)]))
    expect(names).toEqual(['a', 'b'])
    expect(text).toContain('"good"')
    expect(heldBack).toEqual([{ uid: 'uid-a', server: 'a', subHash: hold(bad).subHash, running: good.subHash }])
  })

  it('is left out where nothing ran before, or that was refused too', async () => {
    expect((await documentFor([bad, server('b')], held([hold(bad)], false))).names).toEqual(['b'])
    const both = held([hold(bad), { subHash: good.subHash, entry: good.json }])
    expect(await documentFor([bad, server('b')], both)).toMatchObject({ names: ['b'], heldBack: [{ running: undefined }] })
  })

  it('stays refused after a mere restart, and is tried again when it changes', async () => {
    const restarted = { ...bad, restarts: 4 }
    expect((await documentFor([restarted], held([hold(bad)]))).text).toContain('"good"')
    expect(liftedHolds(snapshot([restarted], [held([hold(bad)])]))).toEqual([])
    const changed = server('a', { command: ['better'] })
    expect((await documentFor([changed], held([hold(bad)]))).text).toContain('"better"')
    expect(liftedHolds(snapshot([changed], [held([hold(bad)])]))).toEqual([{ gatewayId: 'gw', serverUid: 'uid-a' }])
  })

  it('keeps the refusal of an older revision while it is refused itself', () => {
    expect(liftedHolds(snapshot([bad], [held([hold(bad), { subHash: good.subHash, entry: good.json }])]))).toEqual([])
  })

  it('is forgotten with its server', () => {
    expect(liftedHolds(snapshot([], [held([hold(bad)])]))).toEqual([{ gatewayId: 'gw', serverUid: 'uid-a' }])
  })
})
