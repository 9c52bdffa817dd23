import { describe, expect, it } from 'vitest'
import { beyond, covers, readGrants, within, type Grant } from './grants.ts'

const inOrg = { org: 'a' }
const inWorkspace = { org: 'a', workspace: 'w' }
const inEnvironment = { org: 'a', workspace: 'w', environment: 'e' }
const inProject = { org: 'a', workspace: 'w', project: 'p' }
const grant = (verb: string, on = 'servers', place: object = inWorkspace, names?: string[]) =>
  ({ place, verbs: [verb], on, ...(names && { names }) }) as Grant
const can = (grants: Grant[], verb: string, on: string, place: object, name?: string) =>
  readGrants(grants).can({ verb: verb as never, on }, place, name)

describe('a grant', () => {
  it.each([
    ['edit', 'view create edit delete expose'],
    ['expose', 'view expose'],
    ['view', 'view'],
    ['create', 'create'],
    ['delete', 'delete'],
    ['run', 'run'],
  ])('of %s allows %s and nothing else', (verb, allowed) => {
    const held = ['view', 'create', 'edit', 'delete', 'run', 'expose'].filter((one) => can([grant(verb)], one, 'servers', inWorkspace))
    expect(held.join(' ')).toBe(allowed)
  })

  it('holds at its place and below, and nowhere beside or above', () => {
    const rights = [grant('view', '*', inWorkspace)]
    for (const place of [inWorkspace, inEnvironment, inProject]) expect(can(rights, 'view', 'gateways', place)).toBe(true)
    for (const place of [{}, inOrg, { org: 'a', workspace: 'x' }, { org: 'b', workspace: 'w' }])
      expect(can(rights, 'view', 'gateways', place)).toBe(false)
    expect(can([grant('view', '*', {})], 'view', 'gateways', { org: 'b', workspace: 'w' })).toBe(true)
  })

  it('by name is for those names, and somebody with one may ask for the list', () => {
    const rights = readGrants([grant('edit', 'servers', inWorkspace, ['files'])])
    const access = { verb: 'edit', on: 'servers' } as const
    expect([rights.can(access, inWorkspace, 'files'), rights.can(access, inWorkspace, 'other'), rights.can(access, inWorkspace)]).toEqual([
      true,
      false,
      true,
    ])
    expect(rights.visible('view', 'servers', inWorkspace)).toEqual(['files'])
    expect(rights.visible('view', 'secrets', inWorkspace)).toEqual([])
  })

  it('without names wins over one with names', () => {
    expect(
      readGrants([grant('view', 'servers', inWorkspace, ['a']), grant('view', '*', inOrg)]).visible('view', 'servers', inWorkspace),
    ).toBe('all')
  })

  it('of an operation gives no verb, and of a verb no operation', () => {
    const logs: Grant = { place: inOrg, operations: ['logs'] }
    const all: Grant = { place: {}, operations: ['*'] }
    const able = (grants: Grant[], operation: string, place: object) => readGrants(grants).can({ operation }, place)
    expect([able([logs], 'logs', inWorkspace), able([logs], 'logs', {}), able([logs], 'control', inOrg)]).toEqual([true, false, false])
    expect([able([all], 'control', {}), able([grant('edit', '*', {})], 'control', {})]).toEqual([true, false])
    expect(can([all], 'view', 'servers', inWorkspace)).toBe(false)
  })

  it('makes no gateway of anybody', () => {
    const rights = readGrants([grant('edit', '*', {}), { place: {}, operations: ['*'] }])
    expect([rights.can('gateway', {}), rights.can('signed-in', {})]).toEqual([false, true])
  })

  it('below a place lets its holder ask there for what is filtered object by object', () => {
    const rights = readGrants([grant('view', 'gateways', inEnvironment)])
    expect(rights.reaches('view', 'gateways', inWorkspace)).toBe(true)
    expect(rights.reaches('view', 'servers', inWorkspace)).toBe(false)
    expect(rights.can({ verb: 'view', on: 'gateways' }, inWorkspace)).toBe(false)
    expect(rights.visible('view', 'gateways', inWorkspace)).toEqual([])
  })
})

describe('a place as an object', () => {
  it('is found by whoever has any right in it, and by nobody else', () => {
    const rights = readGrants([grant('run', 'servers', inEnvironment)])
    expect(rights.visible('view', 'orgs', {})).toEqual(['a'])
    expect(rights.visible('view', 'workspaces', inOrg)).toEqual(['w'])
    expect(rights.visible('view', 'environments', inWorkspace)).toEqual(['e'])
    expect(rights.visible('view', 'workspaces', { org: 'b' })).toEqual([])
    expect(rights.can({ verb: 'view', on: 'orgs' }, { org: 'a' }, 'a')).toBe(true)
    expect(rights.can({ verb: 'view', on: 'orgs' }, { org: 'b' }, 'b')).toBe(false)
    expect(readGrants([]).visible('view', 'orgs', {})).toEqual([])
  })

  it('is found by whoever has a right on what lies in all of them', () => {
    const rights = readGrants([grant('run', 'servers', inOrg)])
    expect([rights.visible('view', 'workspaces', inOrg), rights.visible('view', 'environments', inWorkspace)]).toEqual(['all', 'all'])
    expect(rights.visible('view', 'orgs', {})).toEqual(['a'])
    expect([rights.can({ verb: 'view', on: 'workspaces' }, inOrg, 'w'), rights.reaches('view', 'workspaces', inOrg)]).toEqual([true, true])
    expect(rights.can({ verb: 'delete', on: 'workspaces' }, inOrg, 'w')).toBe(false)
    for (const on of ['users', 'audit', 'orgs', 'workspaces'])
      expect(readGrants([grant('create', on, inOrg)]).visible('view', 'workspaces', inOrg)).toEqual([])
    expect(readGrants([{ place: inOrg, operations: ['*'] }]).visible('view', 'workspaces', inOrg)).toEqual([])
  })

  it('is governed by rights at it, but not created by them', () => {
    expect(can([grant('edit', '*', inProject)], 'edit', 'projects', inWorkspace, 'p')).toBe(true)
    expect(can([grant('edit', '*', inProject)], 'edit', 'projects', inWorkspace, 'q')).toBe(false)
    expect(can([grant('edit', 'servers', inProject)], 'view', 'projects', inWorkspace, 'p')).toBe(false)
    expect(can([grant('edit', '*', inWorkspace)], 'delete', 'workspaces', inWorkspace, 'w')).toBe(true)
    expect(can([grant('edit', '*', inWorkspace)], 'create', 'workspaces', inOrg)).toBe(false)
    expect(can([grant('edit', '*', inEnvironment)], 'delete', 'workspaces', inWorkspace, 'w')).toBe(false)
  })
})

describe('beyond', () => {
  it('is empty for what is held, by more than one grant too', () => {
    const held = [grant('view'), grant('create'), grant('delete'), grant('run', '*', {})]
    expect(beyond([grant('view'), grant('run', 'secrets', inProject)], held)).toEqual([])
    expect(beyond([], [])).toEqual([])
  })

  it('tells the verbs, names, places and operations that are missing', () => {
    const held: Grant[] = [grant('view', 'servers', inWorkspace, ['a']), { place: inOrg, operations: ['logs'] }]
    expect(beyond([grant('view', 'servers', inWorkspace, ['a', 'b'])], held)).toEqual([grant('view', 'servers', inWorkspace, ['b'])])
    expect(beyond([grant('view')], held)).toEqual([grant('view')])
    expect(beyond([grant('view', 'servers', inOrg, ['a'])], held)).toEqual([grant('view', 'servers', inOrg, ['a'])])
    expect(beyond([{ place: inWorkspace, operations: ['logs', 'backup'] }], held)).toEqual([{ place: inWorkspace, operations: ['backup'] }])
    expect(beyond([{ place: {}, operations: ['logs'] }], held)).toHaveLength(1)
    expect(beyond([{ place: inOrg, operations: ['*'] }], held)).toHaveLength(1)
  })

  it('takes an edit for no more than its parts, and every kind for more than one', () => {
    expect(beyond([grant('edit')], [grant('view'), grant('create'), grant('delete')])).toEqual([grant('edit')])
    expect(beyond([grant('view', '*')], [grant('view')])).toEqual([grant('view', '*')])
    expect(beyond([grant('expose')], [grant('edit', '*', inOrg)])).toEqual([])
  })
})

it('within is what both sets allow', () => {
  expect(within([grant('edit', '*', inOrg)], [grant('view', 'servers', inWorkspace, ['a']), grant('run')])).toEqual([
    grant('view', 'servers', inWorkspace, ['a']),
  ])
  expect(within([grant('edit')], [grant('edit', '*', {})])).toEqual([grant('edit')])
  expect(within([grant('view')], [grant('view', 'servers', { org: 'b' })])).toEqual([])
  expect(within([{ place: {}, operations: ['*'] }], [{ place: inOrg, operations: ['logs'] }])).toEqual([
    { place: inOrg, operations: ['logs'] },
  ])
})

it('covers what is below', () => {
  expect([covers({}, inProject), covers(inOrg, inProject), covers(inEnvironment, inProject), covers(inProject, inWorkspace)]).toEqual([
    true,
    true,
    false,
    false,
  ])
})
