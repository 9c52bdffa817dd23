import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { afterEach, describe, expect, it } from 'vitest'
import { LogChunkSchema, LogLineSchema, LogSource, type LogRequest } from '@mcpg/proto/gen/delivery'
import type { GatewayCapability } from '@mcpg/proto/gen/types'
import { logLineCost, logWindowBytes } from '@mcpg/proto/log-credit'
import type { LogEntry } from '@mcpg/proto/rest/logs'
import type { FakeAgent } from '../../test/fake-agent.ts'
import { environment, testFleet, until, workspace, type TestFleet } from '../../test/fleet.ts'

let fleet: TestFleet
const closers: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

const start = Date.UTC(2026, 0, 1)

async function open({ gateways = ['edge-1'], capabilities }: { gateways?: string[]; capabilities?: GatewayCapability[] } = {}) {
  fleet = await testFleet({ timers: 'sseKeepAlive=20' })
  closers.push(() => fleet.close())
  await fleet.app().http.start(() => {})
  await fleet.apply({ name: 'echo', command: ['x'] })
  const agents: FakeAgent[] = []
  for (const name of gateways) {
    const { agent } = await fleet.join(name, capabilities ? { knobs: { capabilities } } : {})
    agents.push(agent)
  }
  await until(async () => (await instances()).length === gateways.length)
  return agents
}

async function instances(): Promise<string[]> {
  const { body } = await fleet.call('GET', `${workspace}/instances`)
  return (body.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)
}

/** The requests that reached an agent, in order. */
const requests = (agent: FakeAgent): LogRequest[] => agent.frames.flatMap((frame) => (frame.case === 'logRequest' ? [frame.value] : []))
const windows = (agent: FakeAgent) => agent.frames.flatMap((frame) => (frame.case === 'logWindow' ? [frame.value] : []))
const cancels = (agent: FakeAgent) => agent.frames.flatMap((frame) => (frame.case === 'logCancel' ? [frame.value.streamId] : []))

async function asked(agent: FakeAgent, number = 0): Promise<LogRequest> {
  return await until(async () => requests(agent)[number])
}

/** Lines at so many milliseconds after the start. */
function chunk(streamId: string, lines: [ms: number, text: string][], more: { last?: boolean; dropped?: bigint; error?: string } = {}) {
  return {
    case: 'logChunk' as const,
    value: create(LogChunkSchema, {
      streamId,
      lines: lines.map(([ms, text]) =>
        create(LogLineSchema, { time: timestampFromMs(start + ms), text, source: LogSource.STDERR, instanceId: 'echo-1' }),
      ),
      ...more,
    }),
  }
}

/** A log as a list that grows. */
async function read(path: string) {
  const abort = new AbortController()
  const url = fleet.app().http.url()
  const response = await fetch(`${url}${path}`, { signal: abort.signal })
  const entries: LogEntry[] = []
  let raw = ''
  const reading = (async () => {
    let rest = ''
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      raw += part
      const lines = `${rest}${part}`.split('\n')
      rest = lines.pop()!
      for (const line of lines) if (/^(data: )?\{/.test(line)) entries.push(JSON.parse(line.replace(/^data: /, '')) as LogEntry)
    }
  })()
  reading.catch(() => {})
  const close = async () => {
    abort.abort()
    await reading.catch(() => {})
  }
  closers.push(close)
  return { response, entries, close, end: () => reading, raw: () => raw, texts: () => textsOf(entries) }
}

const textsOf = (entries: LogEntry[]) =>
  entries.map((entry) => {
    if (entry.type === 'log') return entry.text
    if (entry.type === 'dropped') return `(${entry.lines} dropped)`
    if (entry.type === 'end') return '(end)'
    return entry.type === 'gateway' ? `(${entry.gateway} ${entry.state})` : `(${entry.gateway}: ${entry.message})`
  })

const serverLogs = `${workspace}/servers/echo/logs`

describe('the log of a server', () => {
  it('that never became ready says why, with what is left of it at the gateway, or what that told while it is away', async () => {
    const [agent] = await open()
    agent!.knobs.failing = new Set(['broken'])
    await fleet.apply({ name: 'broken', command: ['broken'] })
    await until(async () => (await fleet.gateway('edge-1')).status.config.heldBack.length === 1)
    const path = `${workspace}/servers/broken/logs`
    const log = await read(path)
    agent!.send(chunk((await asked(agent!)).streamId, [[0, 'no such file']], { last: true }))
    await log.end()
    expect(log.texts()).toEqual(['no such file', 'broken is held back here: exit code 3'])
    agent!.disconnect()
    await until(async () => agent!.end())
    await until(async () => (await fleet.gateway('edge-1')).status.connection !== 'online')
    const away = await read(path)
    await away.end()
    expect(away.texts()).toEqual(expect.arrayContaining(['boom', 'broken is held back here: exit code 3']))
  })

  it('that no gateway has run is not there, and the next command says why', async () => {
    await open()
    await fleet.apply({ name: 'later', command: ['x'], placement: { environments: ['nowhere'] } } as never)
    const { status, body } = await fleet.call('GET', `${workspace}/servers/later/logs`)
    expect([status, body.reason]).toEqual([409, 'server_runs_nowhere'])
    expect(body.hint).toContain('mcpg-ctl describe server/later')
  })

  it('is read from its gateway as lines of JSON, with what is missing', async () => {
    const [agent] = await open()
    const log = await read(`${serverLogs}?tail=7`)
    expect(log.response.headers.get('content-type')).toBe('application/x-ndjson')
    const { streamId, ...request } = await asked(agent!)
    expect(request).toMatchObject({
      server: 'echo',
      instanceId: '',
      tailLines: 7,
      follow: false,
      previous: false,
      windowBytes: logWindowBytes,
    })
    agent!.send(chunk(streamId, [[0, 'one']]))
    agent!.send(chunk(streamId, [[1, 'two']], { dropped: 12_345n, last: true }))
    await log.end()
    expect(log.entries).toEqual([
      { type: 'log', time: '2026-01-01T00:00:00.000Z', source: 'stderr', text: 'one', gateway: 'edge-1', instance: 'echo-1' },
      { type: 'dropped', lines: 12_345, gateway: 'edge-1' },
      { type: 'log', time: '2026-01-01T00:00:00.001Z', source: 'stderr', text: 'two', gateway: 'edge-1', instance: 'echo-1' },
    ])
  })

  it('is merged over gateways by time, each line saying whose it is; one that is away is named', async () => {
    const [one, two, three] = await open({ gateways: ['edge-1', 'edge-2', 'edge-3'] })
    three!.disconnect()
    await until(async () => three!.end())
    const log = await read(serverLogs)
    const [first, second] = [await asked(one!), await asked(two!)]
    two!.send(
      chunk(
        second.streamId,
        [
          [5, 'b'],
          [20, 'd'],
        ],
        { last: true },
      ),
    )
    one!.send(chunk(first.streamId, [[1, 'a']]))
    one!.send(
      chunk(
        first.streamId,
        [
          [10, 'c'],
          [30, 'e'],
        ],
        { last: true },
      ),
    )
    await log.end()
    expect(log.texts()).toEqual(['(edge-3: not connected; its log is on its machine)', 'a', 'b', 'c', 'd', 'e'])
    expect(log.entries.slice(1).map((entry) => 'gateway' in entry && entry.gateway)).toEqual([
      'edge-1',
      'edge-2',
      'edge-1',
      'edge-2',
      'edge-1',
    ])
  })

  it('passes on since, previous and one instance by number or id', async () => {
    const [agent] = await open()
    const [id] = await instances()
    const queries = [`${serverLogs}?instance=0&previous=true&tail=all`, `${workspace}/instances/${id}/logs?since=2026-01-01T00:00:00Z`]
    for (const [index, path] of queries.entries()) {
      const log = await read(path)
      const request = await asked(agent!, index)
      expect(request).toMatchObject({ server: 'echo', instanceId: id })
      if (index === 0) expect(request).toMatchObject({ previous: true, tailLines: 0xffff_ffff })
      else expect(request.since).toMatchObject(timestampFromMs(start))
      agent!.send(chunk(request.streamId, [], { last: true, error: 'there is no log of it' }))
      await log.end()
      expect(log.texts()).toEqual(['(edge-1: there is no log of it)'])
    }
  })

  it.each([
    ['an unknown server', `${workspace}/servers/nope/logs`, 404, 'server_unknown'],
    ['an unknown instance', `${workspace}/instances/nope/logs`, 404, 'instance_unknown'],
    ['a number that no instance has', `${serverLogs}?instance=7`, 404, 'instance_unknown'],
    ['an unknown gateway', `${environment}/gateways/nope/logs`, 404, 'gateway_unknown'],
    ['a tail that is none', `${serverLogs}?tail=-1`, 400, 'invalid_request'],
    ['a life that is over and followed', `${serverLogs}?previous=true&follow=true`, 400, 'previous_ended'],
  ])('refuses %s', async (_, path, status, reason) => {
    await open()
    const answer = await fleet.call('GET', path)
    expect([answer.status, answer.body.reason]).toEqual([status, reason])
  })

  it('is refused with what to do while its gateway is away, or too old', async () => {
    const [agent] = await open({ capabilities: [] })
    const old = await fleet.call('GET', serverLogs)
    expect([old.status, old.body.reason]).toEqual([409, 'logs_unsupported'])
    agent!.disconnect()
    await until(async () => agent!.end())
    for (const path of [serverLogs, `${environment}/gateways/edge-1/logs`]) {
      const { status, body } = await fleet.call('GET', path)
      expect([status, body.reason, body.hint]).toEqual([
        503,
        'gateway_not_connected',
        expect.stringContaining('mcpg-ctl describe gateway/edge-1'),
      ])
    }
  })
})

describe('a log that is followed', () => {
  it('is a stream of events, kept alive, and cancelled at the gateway when its reader leaves', async () => {
    const [agent] = await open()
    const log = await read(`${environment}/gateways/edge-1/logs?follow=true`)
    expect(log.response.headers.get('content-type')).toContain('text/event-stream')
    const { streamId, server } = await asked(agent!)
    expect(server).toBe('')
    agent!.send(chunk(streamId, [[0, 'one']]))
    await until(async () => /^event: log\ndata: \{.*\n\n[^]*: keep-alive\n\n/.test(log.raw()))
    expect(cancels(agent!)).toEqual([])
    await log.close()
    await until(async () => cancels(agent!).includes(streamId))
  })

  it('says when its gateway goes and comes, goes on from the last line, and repeats none', async () => {
    const [agent] = await open()
    const log = await read(`${serverLogs}?follow=true&tail=3`)
    const first = await asked(agent!)
    agent!.send(
      chunk(first.streamId, [
        [0, 'one'],
        [5, 'two'],
      ]),
    )
    await until(async () => log.texts().length === 2)
    agent!.disconnect()
    await until(async () => log.texts().at(-1) === '(edge-1 offline)')
    agent!.connect()
    const again = await asked(agent!, 1)
    expect(again).toMatchObject({ follow: true, tailLines: 0xffff_ffff, since: timestampFromMs(start + 5) })
    agent!.send(
      chunk(again.streamId, [
        [5, 'two'],
        [5, 'two and a half'],
        [6, 'three'],
      ]),
    )
    await until(async () => log.texts().includes('three'))
    expect(log.texts()).toEqual(['one', 'two', '(edge-1 offline)', '(edge-1 online)', 'two and a half', 'three'])
  })

  it('waits for gateways of its server that are away, and ends with the listener', async () => {
    const [one, two] = await open({ gateways: ['edge-1', 'edge-2'] })
    two!.disconnect()
    await until(async () => two!.end())
    const log = await read(`${serverLogs}?follow=true`)
    await asked(one!)
    two!.connect()
    const late = await asked(two!)
    two!.send(chunk(late.streamId, [[0, 'of the late one']]))
    await until(async () => log.texts().includes('of the late one'))
    expect(log.texts()).toEqual(['(edge-2 offline)', '(edge-2 online)', 'of the late one'])
    await fleet.app().http.stop()
    await log.end()
  })

  it('grants its gateway what its reader takes, and no more', async () => {
    const [agent] = await open()
    const text = 'x'.repeat(10_000)
    const frames = Math.floor(logWindowBytes / logLineCost(text))
    const log = await read(`${serverLogs}?follow=true`)
    const { streamId } = await asked(agent!)
    for (let frame = 0; frame < frames; frame++) agent!.send(chunk(streamId, [[frame, text]]))
    await until(async () => log.texts().length === frames)
    const granted = () => windows(agent!).reduce((sum, { addBytes }) => sum + addBytes, 0)
    await until(async () => granted() > (frames * logLineCost(text)) / 2)
    expect(granted()).toBeLessThanOrEqual(frames * logLineCost(text))
  })

  it('is ended when its gateway sends more than it was granted', async () => {
    const [agent] = await open()
    const log = await read(`${serverLogs}?follow=true`)
    const { streamId } = await asked(agent!)
    // In one turn, before anything could be granted anew.
    for (let frame = 0; frame < 40; frame++) agent!.send(chunk(streamId, [[frame, 'x'.repeat(15_000)]]))
    await log.end()
    expect(log.texts().slice(-2)).toEqual(['(edge-1: the gateway sent more than it was asked for)', '(end)'])
    expect(cancels(agent!)).toEqual([streamId])
  })
})

describe('the log of the control plane', () => {
  it('is read and followed, redacted, and that of the process before it with previous', async () => {
    await open({ gateways: [] })
    const { log } = fleet.app()
    log.level = 'info'
    log.warn({ token: `mcpg_enr_${'a'.repeat(50)}` }, 'before')
    const live = await read('/v1/control/logs?follow=true&tail=1')
    await until(async () => live.texts().length === 1)
    log.error(new Error('after'))
    await until(async () => live.texts().length === 2)
    expect(live.texts()[0]).toBe('WARN before {"token":"mcpg_[redacted]"}')
    expect(live.entries[1]).toMatchObject({ type: 'log', source: 'control-plane', text: expect.stringContaining('ERROR after') as string })
    await live.close()
    await fleet.restart()
    const { body } = await fleet.call('GET', '/v1/control/logs?previous=true&tail=1')
    expect(textsOf([body as LogEntry])).toEqual([live.texts()[1]])
  })
})
