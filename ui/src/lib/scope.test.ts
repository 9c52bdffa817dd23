import { describe, expect, it } from 'vitest'
import { readScope, writeScope } from './scope.ts'

describe('scope in the URL', () => {
  it.each([
    ['', { org: 'default', workspace: 'default', environment: undefined }, ''],
    ['ws=acme/web&env=us', { org: 'acme', workspace: 'web', environment: 'us' }, 'ws=acme%2Fweb&env=us'],
    ['ws=../etc&env=A B', { org: 'default', workspace: 'default', environment: undefined }, ''],
    ['env=us&q=x', { org: 'default', workspace: 'default', environment: 'us' }, 'env=us'],
  ])('reads "%s" and writes it back without what is not scope', (text, scope, written) => {
    expect(readScope(new URLSearchParams(text))).toEqual(scope)
    expect(writeScope(scope).toString()).toBe(written)
  })
})
