import { describe, expect, it } from 'vitest'
import { differences } from './differ.ts'
import { mergePatch } from './merge-patch.ts'

describe('differences', () => {
  it.each<[unknown, unknown, unknown]>([
    [{ a: 1 }, { a: 1 }, []],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, []],
    [{ a: 1 }, { a: '1' }, [{ path: '/a', before: 1, after: '1' }]],
    [{}, { a: null }, [{ path: '/a', after: null }]],
    [{ a: null }, {}, [{ path: '/a', before: null }]],
    [{ 'a/b~c': 1 }, {}, [{ path: '/a~1b~0c', before: 1 }]],
    [
      { l: [1, 2] },
      { l: [1, 3, 4] },
      [
        { path: '/l/1', before: 2, after: 3 },
        { path: '/l/2', after: 4 },
      ],
    ],
    [{ c: ['a'] }, { c: 'a' }, [{ path: '/c', before: ['a'], after: 'a' }]],
    [{ o: { x: 1 } }, { o: {} }, [{ path: '/o/x', before: 1 }]],
    [{}, { toString: 1 }, [{ path: '/toString', after: 1 }]],
  ])('between %j and %j', (before, after, expected) => {
    expect(differences(before, after)).toEqual(expected)
  })
})

describe('mergePatch', () => {
  // The examples of RFC 7396, appendix A.
  it.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected)
  })
})
