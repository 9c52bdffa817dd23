import type { Resource } from '@mcpg/proto/kinds/kind'
import type { WatchType } from '@mcpg/proto/rest/watch'
import { describe, expect, it } from 'vitest'
import { watchTables } from './watch-tables.ts'

const server = (name: string, ready = 0, uid = `uid-${name}`): Resource => ({
  kind: 'Server',
  metadata: { name, uid, labels: {}, annotations: {}, generation: 1, resourceVersion: '1', createdAt: '', updatedAt: '' },
  spec: {},
  status: { ready },
})

function filled(...names: string[]) {
  const tables = watchTables()
  tables.beginSnapshot()
  for (const name of names) tables.apply({ type: 'ADDED', object: server(name) })
  tables.apply({ type: 'BOOKMARK' })
  tables.takeChanges()
  return tables
}

const namesOf = (tables: ReturnType<typeof watchTables>) =>
  tables
    .takeChanges()
    .find(([kind]) => kind === 'Server')?.[1]
    .map((one) => one.metadata.name)

describe('tables of a watch', () => {
  it('show nothing of a snapshot before its bookmark', () => {
    const tables = watchTables()
    tables.beginSnapshot()
    tables.apply({ type: 'ADDED', object: server('b') })
    expect(tables.takeChanges()).toEqual([])
    expect(tables.isComplete()).toBe(false)
    tables.apply({ type: 'ADDED', object: server('a') })
    tables.apply({ type: 'BOOKMARK' })
    expect(namesOf(tables)).toEqual(['a', 'b'])
    expect(tables.isComplete()).toBe(true)
  })

  it('forget what was deleted while nobody listened', () => {
    const tables = filled('a', 'b')
    tables.beginSnapshot()
    tables.apply({ type: 'ADDED', object: server('b') })
    expect(namesOf(tables)).toBeUndefined()
    tables.apply({ type: 'BOOKMARK' })
    expect(namesOf(tables)).toEqual(['b'])
  })

  it.each<[WatchType]>([['MODIFIED'], ['STATUS'], ['ADDED']])('take the newest object of %s', (type) => {
    const tables = filled('a')
    tables.apply({ type, object: server('a', 3) })
    expect(tables.takeChanges()[0]?.[1][0]?.status).toEqual({ ready: 3 })
  })

  it('keep an object made anew under the same name when the old one is deleted late', () => {
    const tables = filled('a')
    tables.apply({ type: 'ADDED', object: server('a', 1, 'uid-second') })
    tables.apply({ type: 'DELETED', object: server('a') })
    expect(tables.takeChanges()[0]?.[1].map((one) => one.metadata.uid)).toEqual(['uid-second'])
  })

  it('report a kind only when it changed', () => {
    const tables = filled('a')
    tables.apply({ type: 'BOOKMARK' })
    tables.apply({ type: 'BOOKMARK', object: server('b') })
    tables.apply({ type: 'ADDED', object: { ...server('x'), kind: 'Template' } })
    expect(tables.takeChanges()).toEqual([])
    tables.apply({ type: 'DELETED', object: server('a') })
    expect(tables.takeChanges().map(([kind]) => kind)).toEqual(['Server'])
  })

  it('take a whole list read over REST', () => {
    const tables = filled('a', 'b')
    tables.replace('Server', [server('c')])
    expect(namesOf(tables)).toEqual(['c'])
  })
})
