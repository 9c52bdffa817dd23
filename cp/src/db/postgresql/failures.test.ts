import { describe, expect, it } from 'vitest'
import { databaseFailure } from '../failures.ts'
import { startFailure } from './failures.ts'

const byAdapter = (cause: object) => ({ code: 'P2010', meta: { driverAdapterError: { message: 'x', cause } } })

describe('a failure of PostgreSQL', () => {
  it.each([
    [byAdapter({ originalCode: '53100', kind: 'postgres' }), 'disk_full', 30],
    [{ code: '53300', message: 'sorry, too many clients already' }, 'database_busy', 5],
    [byAdapter({ kind: 'TransactionWriteConflict', originalCode: '40001' }), 'database_busy', 1],
    [{ code: '57014', message: 'canceling statement due to statement timeout' }, 'database_busy', 1],
    [byAdapter({ kind: 'AuthenticationFailed', user: 'u' }), 'database_refused_login', 30],
    [byAdapter({ originalCode: '42501' }), 'database_rights_missing', 30],
    [{ code: '25006', message: 'cannot execute INSERT in a read-only transaction' }, 'database_read_only', 5],
    [{ code: '57P01', message: 'terminating connection due to administrator command' }, 'storage_unavailable', 5],
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'storage_unavailable', 5],
    [new AggregateError([Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })]), 'storage_unavailable', 5],
    [new Error('Connection terminated unexpectedly'), 'storage_unavailable', 5],
    [new Error('timeout expired'), 'storage_unavailable', 5],
  ])('%j is %s and worth another try', (error, reason, retryAfterSeconds) => {
    expect(databaseFailure(error)).toMatchObject({ code: 'unavailable', reason, retryAfterSeconds, hint: expect.any(String) })
  })

  it('at the start, after which nothing looks for it any more, asks for another start', () => {
    const failure = databaseFailure(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))!
    expect(failure.hint).toMatch(/found again by itself/)
    expect(startFailure(failure, '127.0.0.1:5432').hint).toBe(
      'Start it, or look at host and port of --database-url; then start mcpg again.',
    )
  })

  it.each([
    [byAdapter({ kind: 'UniqueConstraintViolation', originalCode: '23505' })],
    [{ code: '42P01', message: 'relation "x" does not exist' }],
    [Object.assign(new Error('no such file'), { code: 'ENOENT' })],
    [new Error('57014 things went wrong on port 53300')],
  ])('%j is none', (error) => {
    expect(databaseFailure(error)).toBeNull()
  })
})
