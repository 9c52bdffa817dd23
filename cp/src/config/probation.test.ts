import { describe, expect, it } from 'vitest'
import { probationFor } from './probation.ts'

describe('probation', () => {
  const entry = (name: string, subHash: string, stopped = false) =>
    [name, { name, subHash, uid: undefined, stopped, required: true }] as const
  const lkg = new Map([entry('a', '1'), entry('b', '1')])
  it.each([
    ['a first config', 'none', new Map([entry('a', '1')]), 0],
    ['an LKG that is not known here', 'unknown', new Map([entry('a', '1')]), 30_000],
    ['nothing new', lkg, lkg, 0],
    ['a server less', lkg, new Map([entry('a', '1')]), 0],
    ['a server stopped', lkg, new Map([entry('a', '1'), entry('b', '2', true)]), 0],
    ['a changed server', lkg, new Map([entry('a', '2'), entry('b', '1')]), 30_000],
    ['a new server', lkg, new Map([...lkg, entry('c', '1')]), 30_000],
  ] as const)('of %s', (_what, before, next, expected) => {
    expect(probationFor(before, next, 30_000)).toBe(expected)
  })
})
