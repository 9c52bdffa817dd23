import type { Grant } from '@mcpg/proto/grants'
import { callerFor, type Caller } from '../src/access/caller.ts'

/** A person who holds these grants and nothing else. */
export function holderOf(...grants: Grant[]): Caller {
  const person = { kind: 'user', accountId: 'a', email: 'x@example.com', groups: [], platformAdmin: false } as const
  return callerFor(person, grants, { source: '127.0.0.1', requestId: 'r' })
}
