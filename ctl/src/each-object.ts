import { McpgError } from '@mcpg/proto/errors'
import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import { shown } from './api/targets.ts'
import { ApiError } from './failure.ts'

export type One = { kind: KindDeclaration; resource: Pick<Resource, 'metadata'> }
type Failed = { one: One; error: McpgError }

/**
 * Does something to each object; what is refused keeps nobody from the others. `again`: what failed is tried once more as long as something
 * else came through, as for deletions that wait for each other. Throws what is left, with the code of the first.
 */
export async function eachObject(all: One[], verb: string, act: (one: One) => Promise<void>, { again = false } = {}): Promise<void> {
  let open = all
  for (;;) {
    const failed: Failed[] = []
    for (const one of open) {
      try {
        await act(one)
      } catch (error) {
        // Whoever cannot be reached, or does not know us, will not do better for the next one.
        if (!(error instanceof McpgError) || error.code === 'unavailable' || error.code === 'unauthenticated') throw error
        failed.push({ one, error })
      }
    }
    if (failed.length === 0) return
    if (!again || failed.length === open.length) throw summary(failed, all.length, verb)
    open = failed.map(({ one }) => one)
  }
}

function summary(failed: Failed[], count: number, verb: string): McpgError {
  const { error } = failed[0]!
  if (count === 1) return error
  const { code, reason, status, hint } = error
  const violations = failed.flatMap(({ one, error: own }) => [
    { pointer: shown(one.kind, one.resource.metadata.name), detail: own.message },
    // Some messages say it all by themselves.
    ...own.violations
      .filter(({ detail }) => !own.message.includes(detail))
      .map(({ pointer, detail }) => ({ pointer: `  ${pointer}`, detail })),
  ])
  const message = `${failed.length} of ${count} objects ${failed.length === 1 ? 'was' : 'were'} not ${verb}.`
  const all = new McpgError(code, reason, message, { status, violations, ...(hint !== undefined && { hint }) })
  return error instanceof ApiError ? new ApiError(all, error.requestId) : all
}
