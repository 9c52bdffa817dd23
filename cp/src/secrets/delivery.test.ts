import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'
import { fetchSecrets } from '../../test/fetch-secrets.ts'
import { secretChores } from './retention.ts'

let fleet: TestFleet
beforeEach(async () => {
  fleet = await testFleet()
})
afterEach(() => fleet.close())

const putSecret = async (name: string, data: Record<string, unknown>) =>
  await fleet.call('POST', `${workspace}/apply`, { objects: [{ kind: 'Secret', metadata: { name }, spec: { data } }] })
const using = (name: string, key: string, more: object = {}) => ({
  name,
  command: ['run'],
  env: [{ name: 'TOKEN', valueFrom: { secretRef: { name: 'db', key } } }],
  ...more,
})
const appliedGeneration = (name: string, generation: number) =>
  until(async () => ((await fleet.gateway(name)).status.config.applied?.generation ?? 0) >= generation)
const documentOf = (name: string, generation: number) =>
  fleet.call('GET', `${workspace}/environments/default/gateways/${name}/configs/${generation}`)
const audit = async (action: string) =>
  (await fleet.db().read.audit.findMany({ where: { action }, orderBy: { at: 'asc' } })).map(({ actor, name, detail }) => ({
    actor,
    name,
    ...(JSON.parse(detail ?? '{}') as object),
  }))

describe('delivery', () => {
  it('names a version in the config and hands exactly that value out, sealed to the gateway that asks', async () => {
    await putSecret('db', { token: 'planted-one', spare: 'planted-spare' })
    await fleet.apply(using('a', 'token'))
    const gateway = await fleet.join('edge')
    await appliedGeneration('edge', 1)
    const { document } = (await documentOf('edge', 1)).body
    expect(document.servers[0].env).toEqual({ TOKEN: { secretRef: { name: 'db', key: 'token', version: 1 } } })
    const url = fleet.app().fleet.grpcUrl()
    expect(await fetchSecrets(url, gateway, ['db/token/1'])).toEqual(['planted-one'])
    // Whether it exists or not.
    expect(await fetchSecrets(url, gateway, ['db/spare/1', 'db/token/2', 'none/x/1', 'db/token/1'])).toEqual([
      'FORBIDDEN',
      'FORBIDDEN',
      'FORBIDDEN',
      'planted-one',
    ])
    expect(await audit('secret.fetch_refused')).toMatchObject([
      { actor: gateway.gatewayId, name: 'edge', count: 3, secrets: ['db/spare/1', 'db/token/2', 'none/x/1'] },
    ])
    expect(await audit('secret.fetch')).toMatchObject([
      { actor: gateway.gatewayId, name: 'edge', count: 1, secrets: ['db/token/1'] },
      { count: 1 },
    ])
  })

  it('brings the models of a project without their keys, which no gateway uses and none may fetch', async () => {
    await putSecret('models', { small: 'planted-model-key' })
    await fleet.apply({ name: 'a', command: ['run'] })
    const model = (name: string) => ({ kind: 'Llm', metadata: { name: 'small' }, spec: { type: 'ollama', model: name, apiKeyRef } })
    const apiKeyRef = { name: 'models', key: 'small' }
    const apply = (...objects: object[]) => fleet.call('POST', `${workspace}/apply`, { objects })
    await apply(
      model('m-1'),
      { kind: 'ProxyModel', metadata: { name: 'pipe' }, spec: { stages: [{ type: 'paginate' }], llm: 'small' } },
      { kind: 'Project', metadata: { name: 'web' }, spec: { servers: ['a'], proxyModel: 'pipe', gated: true } },
    )
    const gateway = await fleet.join('edge')
    await appliedGeneration('edge', 1)
    const { document } = (await documentOf('edge', 1)).body
    expect(document).toMatchObject({
      projects: [{ name: 'web', pipeline: 'pipe', gated: true }],
      proxyModels: [{ name: 'pipe', llm: 'small', stages: [{ type: 'paginate' }] }],
      llms: [{ name: 'small', type: 'ollama', model: 'm-1', apiKeyRef }],
    })
    expect(await fetchSecrets(fleet.app().fleet.grpcUrl(), gateway, ['models/small/1'])).toEqual(['FORBIDDEN'])
    await putSecret('models', { small: 'planted-other-key' })
    await apply(model('m-2'))
    await appliedGeneration('edge', 2)
    expect((await documentOf('edge', 2)).body.document.llms[0].model).toBe('m-2')
    const diff = await fleet.call('GET', `${workspace}/environments/default/gateways/edge/configs/2?diff=1`)
    expect(diff.body.diff).toMatchObject({
      servers: [],
      others: [{ kind: 'Llm', name: 'small', result: 'changed', fields: [{ path: '/model', before: 'm-1', after: 'm-2' }] }],
    })
    expect(gateway.agent.offers.map((offer) => JSON.parse(Buffer.from(offer.configBytes).toString()).llms[0].model)).toEqual(['m-1', 'm-2'])
  })

  it('recompiles on a rotation exactly what uses the key, and still hands out what the gateway runs', async () => {
    await putSecret('db', { token: 'planted-one', other: 'planted-other' })
    await fleet.apply(
      using('a', 'token', { placement: { gatewaySelector: { role: 'a' } } }),
      using('b', 'other', { placement: { gatewaySelector: { role: 'b' } } }),
    )
    const a = await fleet.join('gw-a', { labels: { role: 'a' }, knobs: { onlyStage: false } })
    await fleet.join('gw-b', { labels: { role: 'b' } })
    await appliedGeneration('gw-a', 1)
    await appliedGeneration('gw-b', 1)
    a.agent.knobs.onlyStage = true
    await putSecret('db', { token: 'planted-two', other: { keep: true } })
    await until(async () => (await fleet.gateway('gw-a')).status.config.desired?.generation === 2)
    expect((await fleet.gateway('gw-b')).status.config.desired.generation).toBe(1)
    // What runs, and what is on its way.
    expect(await fetchSecrets(fleet.app().fleet.grpcUrl(), a, ['db/token/1', 'db/token/2'], 2)).toEqual(['planted-one', 'planted-two'])
  })

  it('takes no word of a gateway for what it was never given', async () => {
    await putSecret('db', { token: 'planted-one' })
    await fleet.apply(using('a', 'token', { placement: { gatewaySelector: { role: 'a' } } }))
    await fleet.join('gw-a', { labels: { role: 'a' } })
    await appliedGeneration('gw-a', 1)
    const thief = await fleet.join('gw-b')
    const { hash } = (await documentOf('gw-a', 1)).body
    thief.agent.memory.lkg = { hash, generation: 1, servers: new Map() }
    thief.agent.heartbeat()
    await until(async () => (await fleet.gateway('gw-b')).status.config.lkg?.hash === hash)
    expect(await fetchSecrets(fleet.app().fleet.grpcUrl(), thief, ['db/token/1'], 1)).toEqual(['FORBIDDEN'])
  })

  it('answers nobody whose credential is void', async () => {
    const gateway = await fleet.join('edge')
    const url = fleet.app().fleet.grpcUrl()
    await expect(fetchSecrets(url, { ...gateway, bearer: 'mcpg_gwb_nobody' }, ['db/token/1'])).rejects.toMatchObject({ code: 16 })
    await fleet.call('POST', `${workspace}/gateways/edge/revoke`)
    await expect(fetchSecrets(url, gateway, ['db/token/1'])).rejects.toMatchObject({ code: 16 })
    const many = Array.from({ length: 33 }, () => 'db/token/1')
    const other = await fleet.join('other')
    await expect(fetchSecrets(url, other, many)).rejects.toMatchObject({ code: 3 })
  })

  it('forgets old values once no config that is kept names them', async () => {
    await putSecret('db', { token: 'planted-one', unused: 'planted-unused' })
    await fleet.apply(using('a', 'token'))
    await fleet.join('edge')
    await appliedGeneration('edge', 1)
    await putSecret('db', { token: 'planted-two', unused: 'planted-again' })
    await appliedGeneration('edge', 2)
    const later = { now: () => Date.now() + 60_000, monotonic: () => 0, after: () => () => {} }
    await secretChores({ db: fleet.db(), clock: later })[0]!.run(new AbortController().signal)
    const left = await fleet.db().read.secretValue.findMany({ orderBy: [{ key: 'asc' }, { version: 'asc' }] })
    expect(left.map(({ key, version }) => `${key}/${version}`)).toEqual(['token/1', 'token/2', 'unused/2'])
  })
})
