import { describe, expect, it } from 'vitest'
import { uriRoutes } from './uri-routes.ts'

const lists = [
  {
    server: 'a',
    resources: [{ uri: 'test://one' }, { uri: 'test://both' }],
    templates: [{ uriTemplate: 'file:///{+path}' }, { uriTemplate: 'db://{table}' }],
  },
  {
    server: 'b',
    resources: [{ uri: 'test://both' }, { uri: 'db://users' }, { uri: 42 }],
    templates: [{ uriTemplate: 'file:///home/{name}/notes' }, { uriTemplate: 'db://{table}' }, { uriTemplate: 'find://x{?q,limit}' }],
  },
]
const routes = uriRoutes(lists)

describe('a resource URI goes', () => {
  it.each([
    ['to who lists it', 'test://one', 'a', 'test://one'],
    ['to the first who lists it', 'test://both', 'a', 'test://both'],
    ['where its alias says', 'mcpg+b:test://both', 'b', 'test://both'],
    ['to the exact URI before a template', 'db://users', 'b', 'db://users'],
    ['to the first of two equal templates', 'db://orders', 'a', 'db://orders'],
    ['to the template with the most literal text', 'file:///home/ann/notes', 'b', 'file:///home/ann/notes'],
    ['to a template that spans slashes', 'file:///etc/hosts', 'a', 'file:///etc/hosts'],
    ['to a template itself, as completions name it', 'db://{table}', 'a', 'db://{table}'],
    ['to a template with a query', 'find://x?q=1&limit=2', 'b', 'find://x?q=1&limit=2'],
    ['to a template without its query', 'find://x', 'b', 'find://x'],
  ])('%s: %s', (_name, uri, server, own) => {
    expect(routes.route(uri)).toEqual({ server, uri: own })
  })

  it.each(['db://a/b', 'find://xy', 'test://none', ''])('nowhere when nobody claims it: %j', (uri) => {
    expect(routes.route(uri)).toBeUndefined()
  })
})

it('shows a URI that another server has already as an alias, and tells of the collision', () => {
  expect(routes.exposed('a', 'test://both')).toBe('test://both')
  expect(routes.exposed('b', 'test://both')).toBe('mcpg+b:test://both')
  expect(routes.exposedTemplate('b', 'db://{table}')).toBe('mcpg+b:db://{table}')
  expect(routes.exposed('b', 'never://listed')).toBe('never://listed')
  expect(routes.collisions).toEqual([
    { uri: 'test://both', server: 'b', owner: 'a' },
    { uri: 'db://{table}', server: 'b', owner: 'a' },
  ])
})
