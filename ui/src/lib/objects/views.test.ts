import type { Resource } from '@mcpg/proto/kinds/kind'
import { describe, expect, it } from 'vitest'
import { enrollmentView } from './enrollment.ts'
import { byTime, eventView } from './event.ts'
import { gatewayView } from './gateway.ts'
import { instanceView } from './instance.ts'
import { secretRefsOf } from './secret-refs.ts'
import { overallState, serverView } from './server.ts'
import { parametersOf, toolView } from './tool.ts'

const views = { gatewayView, serverView, instanceView, toolView, enrollmentView, eventView }

/** What a peer of another version may send: no status, nulls, and values of other types. */
const strange = [
  undefined,
  null,
  {},
  { config: null, gateways: null, conditions: 'none', servers: 3, redemptions: [null], lastLogLines: [1], state: 7 },
]

const metadata = { name: 'a', uid: 'u' } as Resource['metadata']
const server = (spec: object, status: object = {}) => serverView({ kind: 'Server', metadata, spec: { ...spec }, status: { ...status } })

describe('views of objects', () => {
  it.each(Object.entries(views))('%s reads objects with missing and strange fields', (_name, view) => {
    for (const spec of strange)
      for (const status of strange) expect(view({ kind: '', metadata, spec, status } as Resource)).toMatchObject({})
  })

  it('call what is not said unknown', () => {
    const gateway = gatewayView({ kind: 'Gateway', metadata, spec: {}, status: {} })
    expect([gateway.connection, gateway.config.state, gateway.health]).toEqual(['unknown', 'none', 'unknown'])
    expect(instanceView({ kind: 'Instance', metadata, spec: {}, status: {} }).state).toBe('unknown')
  })

  it('name the source of a server', () => {
    expect(server({ package: { runtime: 'node', name: 'x', version: '1' } }).source).toEqual({
      kind: 'package',
      text: 'x@1',
      runtime: 'node',
    })
    expect(server({ command: ['node', 'a.js'] }).source.text).toBe('node a.js')
    expect(server({ command: 'node a.js' }).source.text).toBe('node a.js')
    expect(server({ url: { url: 'https://x/mcp' } }).source).toEqual({ kind: 'url', text: 'https://x/mcp', runtime: '' })
    expect(server({}).source.kind).toBe('unknown')
  })

  it('show a server by its worst gateway', () => {
    const on = (...states: string[]) => server({}, { placed: states.length, gateways: states.map((state) => ({ state })) })
    expect(overallState(on('ready', 'failed', 'starting'))).toBe('failed')
    expect(overallState(on('ready', 'ready'))).toBe('ready')
    expect(overallState(on('unknown', 'ready'))).toBe('ready')
    expect(overallState(on('unknown'))).toBe('unknown')
    expect(overallState(on('word of a newer version'))).toBe('word of a newer version')
    expect(overallState(on())).toBe('unplaced')
    expect(overallState(server({ state: 'stopped' }, { gateways: [{ state: 'failed' }] }))).toBe('stopped')
  })

  it('name the secrets that a server uses, and where', () => {
    const valueFrom = (name: string, key: string) => ({ valueFrom: { secretRef: { name, key } } })
    const spec = {
      env: [{ name: 'TOKEN', ...valueFrom('github', 'token') }, { name: 'PLAIN', value: 'x' }, null],
      url: { url: 'https://x', headers: [{ name: 'Authorization', ...valueFrom('api', 'key') }] },
    }
    expect(secretRefsOf(spec)).toEqual([
      { usedAs: 'variable TOKEN', secret: 'github', key: 'token' },
      { usedAs: 'header Authorization', secret: 'api', key: 'key' },
    ])
    expect(secretRefsOf({ env: 'none', url: null })).toEqual([])
  })

  it('put events in the order of their last time, newest first', () => {
    const event = (name: string, lastAt: string) =>
      eventView({ kind: 'Event', metadata: { ...metadata, name }, spec: { type: 'Warning' }, status: { lastAt } })
    const sorted = byTime([event('b', '2026-11-28T14:00:00Z'), event('c', '2026-11-28T14:00:01Z'), event('a', '2026-11-28T14:00:00Z')])
    expect(sorted.map((one) => one.name)).toEqual(['c', 'a', 'b'])
  })

  it('put the parameters of a tool in words', () => {
    const schema = {
      type: 'object',
      required: ['mode'],
      properties: {
        mode: { enum: ['a', 'b'], description: 'How' },
        ids: { type: 'array', items: { type: 'integer' } },
        x: {},
        y: { type: ['string', 'null'] },
      },
    }
    expect(parametersOf(schema).map(({ name, type, required }) => `${name}${required ? '!' : ''}: ${type}`)).toEqual([
      'mode!: "a" | "b"',
      'ids: integer[]',
      'x: any',
      'y: string | null',
    ])
    expect(parametersOf({ properties: null })).toEqual([])
  })
})
