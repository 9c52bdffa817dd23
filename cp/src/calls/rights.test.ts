import { describe, expect, it } from 'vitest'
import { everything, type Grant } from '@mcpg/proto/grants'
import { callRights, mayCall, type CallPath } from './rights.ts'

const scope = { org: 'default', workspace: 'default' }
const gateway: CallPath = { scope }
const files: CallPath = { scope, server: 'files' }
const web: CallPath = { scope, project: 'web' }
const run = (on: string, more: { names?: string[]; place?: object } = {}): Grant => ({
  place: { ...scope, ...more.place },
  verbs: ['run'],
  on,
  ...(more.names && { names: more.names }),
})

describe('what somebody may call', () => {
  it.each<[string, Grant[], CallPath, unknown]>([
    ['everything', [...everything], gateway, 'all'],
    ['all servers', [run('servers')], gateway, 'all'],
    ['one server, at everything', [run('servers', { names: ['files'] })], gateway, { grants: [{ on: 'servers', names: ['files'] }] }],
    ['one server, at it', [run('servers', { names: ['files'] })], files, 'all'],
    ['another server', [run('servers', { names: ['other'] })], files, 'none'],
    ['one tool', [run('tools', { names: ['files__read'] })], files, { grants: [{ on: 'tools', names: ['files__read'] }] }],
    ['a tool of another server', [run('tools', { names: ['other__read'] })], files, 'none'],
    ['a project, at it', [run('projects', { names: ['web'] })], web, 'all'],
    ['a project, elsewhere', [run('projects', { names: ['web'] })], gateway, 'none'],
    ['another project', [run('projects', { names: ['other'] })], web, 'none'],
    ['servers through a project', [run('servers', { place: { project: 'web' } })], web, 'all'],
    ['servers of another workspace', [run('servers', { place: { workspace: 'beside' } })], gateway, 'none'],
    ['the view of servers', [{ place: scope, verbs: ['view', 'edit'], on: 'servers' }], gateway, 'none'],
  ])('with %s', (_, grants, path, expected) => {
    expect(callRights({ grants }, path)('default')).toEqual(expected)
    expect(mayCall({ grants }, path)).toBe(expected !== 'none')
  })

  it('is decided environment by environment', () => {
    const caller = { grants: [run('servers', { place: { environment: 'edge' } })] }
    const rightsAt = callRights(caller, gateway)
    expect([rightsAt('edge'), rightsAt('default'), mayCall(caller, gateway)]).toEqual(['all', 'none', true])
  })
})
