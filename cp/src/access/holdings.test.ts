import { describe, expect, it } from 'vitest'
import { readGrants } from '@mcpg/proto/grants'
import type { GroupSpec } from '@mcpg/proto/kinds/group'
import type { RoleBindingSpec } from '@mcpg/proto/kinds/role-binding'
import { cycleOf, groupsOfUser, holdingsOf, type OrgAccess } from './holdings.ts'

const group = (name: string) => ({ kind: 'Group', name }) as const
const person = (name: string) => ({ kind: 'User', name }) as const

function access(groups: Record<string, GroupSpec>, bindings: Record<string, RoleBindingSpec>): OrgAccess {
  const release = { rules: [{ verbs: ['run' as const], kinds: ['srv', 'nonsense'], names: ['files'] }, { operations: ['logs' as const] }] }
  return { roles: new Map([['release', release]]), groups: new Map(Object.entries(groups)), bindings: new Map(Object.entries(bindings)) }
}

const ways = (all: ReturnType<typeof holdingsOf>, holder: string) => all.get(holder)?.map(({ binding, through }) => [binding, ...through])

describe('what somebody holds', () => {
  it('comes by bindings that name them, and through groups and the groups of those', () => {
    const all = holdingsOf(
      'acme',
      access(
        {
          inner: { members: ['eve@x.io'], claims: ['dev'] },
          outer: { groups: ['inner'], members: ['ada@x.io'], serviceAccounts: ['bot'] },
        },
        {
          direct: { role: 'viewer', subjects: [person('eve@x.io')] },
          wide: { role: 'editor', subjects: [group('outer')], workspace: 'w' },
        },
      ),
    )
    expect(ways(all, 'user:eve@x.io')).toEqual([['direct'], ['wide', 'outer', 'inner']])
    expect(ways(all, 'user:ada@x.io')).toEqual([['wide', 'outer']])
    expect(ways(all, 'serviceaccount:bot')).toEqual([['wide', 'outer']])
    expect(ways(all, 'claim:dev')).toEqual([['wide', 'outer', 'inner']])
    expect(ways(all, 'group:inner')).toEqual([['wide', 'outer']])
    expect(all.get('user:nobody@x.io')).toBeUndefined()
  })

  it('is a matter of groups, which somebody is in by their name, by the issuer, and by what is inside of what', () => {
    const { groups } = access(
      { inner: { members: ['eve@x.io'], claims: ['dev'] }, outer: { groups: ['inner'] }, other: { groups: ['other'] } },
      {},
    )
    expect(groupsOfUser(groups, 'eve@x.io', [])).toEqual(['inner', 'outer'])
    expect([groupsOfUser(groups, 'ada@x.io', ['dev']), groupsOfUser(groups, 'ada@x.io', [])]).toEqual([['inner', 'outer'], []])
  })

  it('is what the role says, at the place of the binding; an unknown kind or role gives nothing', () => {
    const all = holdingsOf(
      'acme',
      access(
        {},
        { a: { role: 'release', subjects: [person('eve@x.io')], workspace: 'w' }, b: { role: 'gone', subjects: [person('bob@x.io')] } },
      ),
    )
    const place = { org: 'acme', workspace: 'w' }
    expect(all.get('user:eve@x.io')![0]!.grants).toEqual([
      { place, verbs: ['run'], on: 'servers', names: ['files'] },
      { place, operations: ['logs'] },
    ])
    expect(all.has('user:bob@x.io')).toBe(false)
  })

  it.each([
    ['admin', 'delete', 'rolebindings', true],
    ['editor', 'edit', 'servers', true],
    ['editor', 'edit', 'rolebindings', false],
    ['editor', 'view', 'users', false],
    ['viewer', 'view', 'secrets', true],
    ['viewer', 'run', 'servers', false],
    ['runner', 'run', 'projects', true],
    ['runner', 'view', 'secrets', false],
  ])('as %s: %s on %s is %s, in the organization and in no other', (role, verb, on, allowed) => {
    const all = holdingsOf('acme', access({}, { b: { role, subjects: [person('eve@x.io')] } }))
    const rights = readGrants(all.get('user:eve@x.io')![0]!.grants)
    expect(rights.can({ verb: verb as 'view', on }, { org: 'acme', workspace: 'w' })).toBe(allowed)
    expect(rights.can({ verb: verb as 'view', on }, { org: 'other', workspace: 'w' })).toBe(false)
  })

  it('ends where groups contain themselves, and the cycle is named', () => {
    const groups = { a: { groups: ['b'] }, b: { groups: ['c'] }, c: { groups: ['b'], members: ['eve@x.io'] } }
    const all = holdingsOf('acme', access(groups, { x: { role: 'viewer', subjects: [group('a')] } }))
    expect(ways(all, 'user:eve@x.io')).toEqual([['x', 'a', 'b', 'c']])
    expect(cycleOf(access(groups, {}).groups)).toEqual(['b', 'c', 'b'])
    expect(cycleOf(access({ a: { groups: ['b', 'c'] }, b: { groups: ['c'] }, c: {} }, {}).groups)).toBeNull()
  })
})
