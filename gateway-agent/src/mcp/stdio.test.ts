import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { McpConnection } from './connection.ts'
import { connectStdio, type StdioOptions } from './stdio.ts'

const children: ChildProcess[] = []

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

function start(command: string[], options: Partial<StdioOptions> = {}): Promise<McpConnection> & { child: ChildProcess } {
  const child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'ignore'] })
  children.push(child)
  const clientInfo = { name: 'test', version: '1' }
  const connecting = connectStdio({ stdin: child.stdin, stdout: child.stdout, era: 'auto', timeoutMs: 15_000, clientInfo, ...options })
  return Object.assign(connecting, { child })
}

/** A fixture of the stories by its name. */
function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../e2e/fixtures/servers/${name}.ts`, import.meta.url))
}

/** A server in one line: `answer(message)` returns what to write, or nothing. */
function script(answer: string): string[] {
  return [
    '-e',
    `const answer = ${answer}
     let rest = ''
     process.stdin.on('end', () => process.exit()).setEncoding('utf8').on('data', (chunk) => {
       const lines = (rest + chunk).split('\\n'); rest = lines.pop()
       for (const line of lines) { const out = answer(JSON.parse(line)); if (out) process.stdout.write((typeof out === 'string' ? out : JSON.stringify(out)) + '\\n') }
     })`,
  ]
}
const initialized = `m.method === 'initialize' ? { jsonrpc: '2.0', id: m.id, result: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'one-line', version: '1' } } }`

const textOf = (outcome: unknown) => (outcome as { result: { content: { text: string }[] } }).result.content[0]!.text

describe('finding the era', () => {
  it.each([
    ['echo', 'legacy', '2025-11-25'],
    ['modern-only', 'modern', '2026-07-28'],
  ])('of %s: %s', async (name, era, protocolVersion) => {
    const connection = await start([fixture(name)])
    expect(connection).toMatchObject({ era, protocolVersion })
    expect(textOf(await connection.request({ method: 'tools/call', params: { name: 'echo', arguments: { text: 'hi' } } }))).toBe('hi')
  })

  it('falls back to initialize when a legacy server says nothing to the probe', async () => {
    const silent = script(`(m) => ${initialized} : undefined`)
    expect(await start(silent, { timeoutMs: 600 })).toMatchObject({ era: 'legacy', protocolVersion: '2025-06-18' })
  })

  it('takes the late answer of a modern server that knows no initialize', async () => {
    const late = script(`(m) => {
      if (m.method === 'server/discover') setTimeout(() => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id: m.id, result: { supportedVersions: ['2026-07-28'], capabilities: {} } }) + '\\n'), 500)
      if (m.method === 'initialize') setTimeout(() => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id: m.id, error: { code: -32022, message: 'no' } }) + '\\n'), 600)
    }`)
    expect(await start(late, { timeoutMs: 1_200 })).toMatchObject({ era: 'modern' })
  })

  it('says so when the server did not survive the probe, which it does with era legacy', async () => {
    const fragile = script(`(m) => m.method === 'server/discover' ? process.exit(3) : ${initialized} : undefined`)
    await expect(start(fragile)).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'died_on_discover',
      hint: expect.stringContaining('era: legacy'),
    })
    expect(await start(fragile, { era: 'legacy' })).toMatchObject({ era: 'legacy' })
  })

  it('refuses a server of the wrong era, and a version nobody speaks', async () => {
    await expect(start([fixture('modern-only')], { era: 'legacy' })).rejects.toMatchObject({ reason: 'handshake_refused' })
    await expect(start([fixture('echo')], { era: 'modern' })).rejects.toMatchObject({ reason: 'handshake_refused' })
    const future = script(
      `(m) => m.id === undefined ? undefined : m.method === 'initialize' ? { jsonrpc: '2.0', id: m.id, result: { protocolVersion: '2199-01-01' } } : { jsonrpc: '2.0', id: m.id, error: { code: -32601, message: 'no' } }`,
    )
    await expect(start(future)).rejects.toMatchObject({ reason: 'protocol_version' })
  })

  it('gives up on a server that answers nothing, and on one that ends', async () => {
    await expect(start([fixture('hangs-in-initialize')], { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'timeout',
      reason: 'handshake_timeout',
    })
    await expect(start(['-e', 'process.exit(1)'], { era: 'legacy' })).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'connection_ended',
    })
  })
})

describe('a server that misbehaves', () => {
  it('may print what is no JSON-RPC: the lines are told, the answers found', async () => {
    const junk: string[] = []
    const connection = await start([fixture('prints-non-json')], { onJunk: (line) => junk.push(line) })
    expect(textOf(await connection.request({ method: 'tools/call', params: { name: 'echo', arguments: { text: 'hi' } } }))).toBe('hi')
    expect(junk).toContain('[info] handling initialize')
  })

  it('may answer twice: the first answer counts', async () => {
    const connection = await start([fixture('answers-twice')])
    const texts = await Promise.all(
      ['a', 'b', 'c'].map(async (text) =>
        textOf(await connection.request({ method: 'tools/call', params: { name: 'echo', arguments: { text } } })),
      ),
    )
    expect(texts).toEqual(['a', 'b', 'c'])
    expect(connection.inFlight()).toBe(0)
  })

  it('is cut off when a line is too long, and every call in flight is told', async () => {
    const connection = await start([fixture('floods')], { maxLineBytes: 100_000 })
    const call = connection.request({ method: 'tools/call', params: { name: 'flood', arguments: { kind: 'line', bytes: 200_000 } } })
    await expect(call).rejects.toMatchObject({ code: 'unavailable' })
    expect(await connection.closed).toMatchObject({ reason: 'LineTooLong' })
    await expect(connection.request({ method: 'tools/list' })).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('may flood with lines and is still heard', async () => {
    const connection = await start([fixture('floods')])
    connection.request({ method: 'tools/call', params: { name: 'flood', arguments: { kind: 'endless' } } }).catch(() => {})
    expect(textOf(await connection.request({ method: 'tools/call', params: { name: 'echo', arguments: { text: 'through' } } }))).toBe(
      'through',
    )
  })

  it('is refused when it asks its client for something', async () => {
    const asking = script(`(m) => {
      if (m.method === 'tools/call') { global.call = m.id; return { jsonrpc: '2.0', id: 'q1', method: 'sampling/createMessage', params: {} } }
      if (m.id === 'q1') return { jsonrpc: '2.0', id: global.call, result: { content: [{ type: 'text', text: JSON.stringify(m.error) }] } }
      return ${initialized} : undefined
    }`)
    const connection = await start(asking, { era: 'legacy' })
    expect(textOf(await connection.request({ method: 'tools/call', params: { name: 'x' } }))).toContain('-32601')
  })

  it('ends: calls in flight and later ones are told, closed resolves', async () => {
    const starting = start([fixture('hangs-on-call')])
    const connection = await starting
    const call = connection.request({ method: 'tools/call', params: { name: 'hang' } })
    starting.child.kill('SIGKILL')
    await expect(call).rejects.toMatchObject({ code: 'unavailable', reason: 'connection_ended' })
    expect(await connection.closed).toMatchObject({ reason: 'StreamEnded' })
  })
})

describe('a call', () => {
  it('is given up after its timeout, and the others go on', async () => {
    const connection = await start([fixture('hangs-on-call')])
    const hanging = connection.request({ method: 'tools/call', params: { name: 'hang' }, timeoutMs: 200 })
    await expect(hanging).rejects.toMatchObject({ code: 'timeout', reason: 'call_timeout' })
    expect(textOf(await connection.request({ method: 'tools/call', params: { name: 'echo', arguments: { text: 'on' } } }))).toBe('on')
  })

  it('lives as long as it reports progress, which comes back under the token of the caller', async () => {
    const connection = await start([fixture('echo')])
    const seen: unknown[] = []
    const outcome = await connection.request({
      method: 'tools/call',
      params: { name: 'progress', arguments: { steps: 600 }, _meta: { progressToken: 'mine' } },
      timeoutMs: 250,
      onNotification: (_method, params) => seen.push(params['progressToken']),
    })
    expect(outcome).toHaveProperty('result')
    expect(seen).toEqual(Array(600).fill('mine'))
  })

  it('is cancelled by its handle: the caller is told, the server stops', async () => {
    const connection = await start([fixture('echo')])
    const call = { method: 'tools/call', params: { name: 'sleep', arguments: { ms: 20_000 } } } as Parameters<McpConnection['request']>[0]
    const answer = connection.request(call)
    call.cancel?.('enough')
    await expect(answer).rejects.toMatchObject({ reason: 'call_cancelled' })
    expect(connection.inFlight()).toBe(0)
  })
})

it('remembers the list of tools that whoever proved the server has read', async () => {
  const connection = await start([fixture('slow-list')])
  expect(connection.listedTools?.()).toBeUndefined()
  await connection.request({ method: 'tools/list' })
  expect(connection.listedTools?.()).toMatchObject({ tools: expect.arrayContaining([expect.objectContaining({ name: 'echo' })]) })
})
