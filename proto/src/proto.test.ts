import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { durationMs } from './durations.ts'
import { codeOfGrpc, errorCodes, McpgError, type ErrorCode } from './errors.ts'
import { exposedName } from './exposed-name.ts'
import { ConfigServer } from './gateway-config.ts'
import { findKind, kinds } from './kinds.ts'
import { ServerSpec } from './kinds/server.ts'
import { Labels, Name, reservedNames } from './names.ts'
import { errorOfProblem, Problem, problemOf } from './problem.ts'
import { parseSelector, selects } from './selectors.ts'
import { ConfigFailureReason, ConfigState, InstanceState, ServerState } from './gen/mcpg/fleet/v1/types_pb.js'
import { configFailures, configStates, instanceStates, serverStates } from './status.ts'
import { configFailureWords, configStateWords, instanceStateWords, serverStateWords } from './status-wire.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describe('the error table', () => {
  it.each(Object.keys(errorCodes) as ErrorCode[])('carries %s over REST and back', (code) => {
    const error = new McpgError(code, 'some_reason', 'What and why.', {
      hint: 'mcpg-ctl doctor',
      violations: [{ pointer: '/a', detail: 'bad' }],
    })
    const problem = Problem.parse(JSON.parse(JSON.stringify(problemOf(error, { requestId: 'r1' }))))
    expect(problem).toMatchObject({ type: `urn:mcpg:${code}:some_reason`, status: errorCodes[code].http, requestId: 'r1' })
    expect(errorOfProblem(problem)).toMatchObject({
      code,
      reason: 'some_reason',
      message: 'What and why.',
      hint: 'mcpg-ctl doctor',
      violations: error.violations,
    })
  })

  it('finds a code for every gRPC status it uses', () => {
    for (const { grpc } of Object.values(errorCodes)) expect(errorCodes[codeOfGrpc(grpc)].grpc).toBe(grpc)
    expect(codeOfGrpc(99)).toBe('internal')
  })
})

describe('status words', () => {
  it.each([
    ['instance', InstanceState, instanceStateWords, instanceStates],
    ['server', ServerState, serverStateWords, serverStates],
    ['config', ConfigState, configStateWords, configStates],
    ['config failure', ConfigFailureReason, configFailureWords, configFailures],
  ] as const)('has the words of the wire for every %s state', (_what, wire, words, list) => {
    const numbers = Object.values(wire).filter((value): value is number => typeof value === 'number' && value !== 0)
    expect(numbers.map((number) => words.word(number)).sort()).toEqual([...list].sort())
    for (const word of list) expect(words.word(words.wire(word as never))).toBe(word)
  })
})

describe('names', () => {
  it.each(['a', 'edge-1', 'a'.repeat(63)])('accepts %s', (name) => expect(Name.safeParse(name).success).toBe(true))
  it.each(['', '-a', 'a-', 'A', 'a_b', 'a'.repeat(64)])('refuses "%s"', (name) => expect(Name.safeParse(name).success).toBe(false))

  it('reports every bad label at once', () => {
    const bad = Labels.safeParse({ '-x': 'a', ok: 'b', 'example.com/role': 'edge', y: 'no spaces' })
    expect(bad.error?.issues.map((issue) => issue.path[0])).toEqual(['-x', 'y'])
  })

  it('keeps words of paths from being names of kinds', () => {
    for (const kind of kinds) expect(reservedNames.has(kind.plural)).toBe(false)
  })
})

describe('selectors', () => {
  it.each([
    ['role=edge', true],
    ['role!=edge', false],
    ['role in (core, edge), zone', true],
    ['role notin (edge)', false],
    ['!missing', true],
    ['zone', true],
    ['missing=x', false],
    ['missing!=x', true],
  ])('%s', (text, expected) => expect(selects(parseSelector(text), { role: 'edge', zone: 'a' })).toBe(expected))

  it('names the bad term', () => expect(() => parseSelector('a=b,c d')).toThrow('"c d"'))
})

describe('exposedName', () => {
  it('is server__tool up to 64 characters', () => {
    expect(exposedName('everything', 'echo', sha256)).toBe('everything__echo')
    expect(exposedName('a', 'b'.repeat(61), sha256)).toHaveLength(64)
  })

  it('is short, stable and different for different long names', () => {
    const one = exposedName('a', `${'b'.repeat(80)}1`, sha256)
    expect(one).toHaveLength(64)
    expect(one).toMatch(/_[0-9a-f]{8}$/)
    expect(one).not.toBe(exposedName('a', `${'b'.repeat(80)}2`, sha256))
    expect(one).toBe(exposedName('a', `${'b'.repeat(80)}1`, sha256))
  })
})

describe('Server.spec', () => {
  it('refuses none and two of command, package, url', () => {
    expect(ServerSpec.safeParse({}).error?.issues[0]?.message).toContain('none is given')
    expect(ServerSpec.safeParse({ command: 'x', url: { url: 'http://a/mcp' } }).error?.issues[0]?.message).toContain(
      'command and url are given',
    )
  })

  it('is closed, at every depth', () => {
    expect(ServerSpec.safeParse({ command: 'x', replicas: 2 }).success).toBe(false)
    expect(ServerSpec.safeParse({ package: { runtime: 'node', name: 'x', registry: 'y' } }).success).toBe(false)
  })

  it('reports all violations at once', () => {
    const bad = ServerSpec.safeParse({ command: 'x', era: 'old', startTimeout: '5', env: [{ name: '1', value: 'a' }] })
    expect(bad.error?.issues.map((issue) => issue.path.join('.'))).toEqual(['env.0.name', 'era', 'startTimeout'])
  })

  it('refuses a variable given twice', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ]
    expect(ServerSpec.safeParse({ command: 'x', env }).error?.issues[0]).toMatchObject({ path: ['env', 1, 'name'] })
  })
})

it('fills the defaults of a compiled server in and refuses what it does not know', () => {
  expect(ConfigServer.parse({ name: 'a', command: ['x'] })).toMatchObject({
    era: 'auto',
    state: 'running',
    required: true,
    startTimeoutMs: 60_000,
  })
  expect(ConfigServer.safeParse({ name: 'a', command: ['x'], more: 1 }).success).toBe(false)
  expect(ConfigServer.safeParse({ name: 'a' }).success).toBe(false)
})

it('finds kinds by kind, plural and alias in any case', () => {
  for (const word of ['Server', 'SERVERS', 'srv']) expect(findKind(word)?.kind).toBe('Server')
  expect(findKind('pods')).toBeUndefined()
  const words = kinds.flatMap((kind) => [kind.plural, ...kind.aliases])
  expect(new Set(words).size).toBe(words.length)
})

it('reads durations', () => {
  expect(['5ms', '2s', '3m', '1h', '1d'].map(durationMs)).toEqual([5, 2000, 180_000, 3_600_000, 86_400_000])
})
