import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { api } from '../harness/api.ts'
import { shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { ctl, fastTimers, type Gateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { askableClient, askCrosswise, textIn, type Kind } from '../scenarios/crossed.ts'
import { fixture, serverUrl, startFleet } from '../scenarios/fleet.ts'

const kinds: Kind[] = ['v1', 'legacy', 'auto', 'modern']
const { resolve } = createRequire(import.meta.url)
const published = (name: string) => join(resolve(`@modelcontextprotocol/server-${name}/package.json`), '../dist/index.js')
const inspector = join(resolve('@modelcontextprotocol/inspector/package.json'), '../clients/launcher/build/index.js')

let gateway: Gateway
let controlPlane: { http: string; stateDir: string }
let allowed: string
let other: string

beforeAll(async () => {
  await shareWithFile(async () => {
    const folder = temporaryFolder()
    allowed = join(folder, 'allowed')
    other = join(folder, 'other')
    for (const one of [allowed, other]) mkdirSync(one)
    writeFileSync(join(other, 'private.txt'), 'not for servers')
    const files = (name: string, more: object = {}) => ({
      name,
      spec: { command: [process.execPath, published('filesystem'), allowed], ...more },
    })
    const servers = [
      { name: 'everything', spec: { command: [process.execPath, published('everything')] } },
      files('files'),
      files('roaming', { forward: ['roots'] }),
      fixture('asks', 'asks', ['--declare']),
    ]
    ;({ gateway, controlPlane } = await startFleet(servers, { MCPG_TIMERS: fastTimers }))
  })
}, 120_000)

describe.each(kinds)('a client of the kind %s', (kind) => {
  it('is sampled and elicited by a published server, through the endpoint of all servers', async () => {
    const asked: string[] = []
    const client = await askableClient(gateway.endpoint, kind, `story-${kind}`, (question) => {
      asked.push(question)
      return 'forty-two'
    })
    await until('the tools that only askable clients see', async () => {
      const { tools } = await client.listTools()
      return tools.some(({ name }) => name === 'everything__trigger-sampling-request')
    })
    const sampled = await client.callTool({
      name: 'everything__trigger-sampling-request',
      arguments: { prompt: 'how many?', maxTokens: 10 },
    })
    expect(JSON.stringify(sampled.content)).toContain('forty-two')
    await client.callTool({ name: 'everything__trigger-elicitation-request', arguments: {} })
    expect(asked).toHaveLength(2)
  })
})

describe('clients that are asked at once', () => {
  it('are asked only what is theirs, and every answer reaches its own call', async () => {
    const rounds = 12
    const tallies = await askCrosswise({ url: serverUrl(gateway, 'asks'), kinds: [...kinds, 'modern'], rounds })
    for (const tally of tallies) expect(tally).toMatchObject({ answered: rounds, askedOfAnother: 0, wrongAnswer: 0 })
  })

  it('have processes of their own, which are listed as such and are no replicas', async () => {
    const client = await askableClient(serverUrl(gateway, 'asks'), 'legacy', 'listed', () => 'x')
    await client.callTool({ name: 'facts', arguments: {} })
    const { status } = await api(controlPlane.http).get('servers', 'asks')
    expect(status).toMatchObject({ ready: 1, desired: 1 })
    const list = async () => (await ctl(['get', 'instances', '-o', 'wide', '--cp-url', controlPlane.http], controlPlane)).stdout
    await until('its process is listed', async () => /asks-\S+ .* session/.test(await list()))
    await client.close()
  })
})

describe('the inspector', () => {
  it.each(['legacy', 'modern'])('lists and calls tools as a client of the %s era', async (era) => {
    const run = async (...args: string[]) => {
      const all = [inspector, '--cli', gateway.endpoint, '--transport', 'http', '--protocol-era', era, ...args]
      return (await promisify(execFile)(process.execPath, all, { timeout: 60_000 })).stdout
    }
    expect(await run('--method', 'tools/list')).toContain('everything__echo')
    expect(await run('--method', 'tools/call', '--tool-name', 'everything__echo', '--tool-arg', 'message=hello')).toContain('Echo: hello')
  })
})

describe('the roots of a client', () => {
  it.each([
    ['files', 'widen nothing where the definition of the server does not say that it may have them', () => allowed],
    ['roaming', 'are what a server works in that may have them', () => other],
  ])('%s: %s', async (server, _title, folder) => {
    const client = await askableClient(serverUrl(gateway, server), 'v1', 'with-roots', () => 'x', [`file://${other}`])
    const list = async () => textIn(((await client.callTool({ name: 'list_allowed_directories', arguments: {} })).content as unknown[])[0])
    await until(`it works in ${folder()}`, async () => (await list()).includes(folder()))
    expect((await list()).includes(other)).toBe(folder() === other)
    await client.close()
  })

  it('are asked for in vain by a server that wants them outside of any call', async () => {
    const client = await askableClient(serverUrl(gateway, 'asks'), 'modern', 'outside', () => 'x', ['file:///x'])
    const facts = async () => textIn(((await client.callTool({ name: 'facts', arguments: {} })).content as unknown[])[0])
    await until('it has been refused', async () => (await facts()).includes('"rootsAnswer":"This client has not declared'))
  })
})
