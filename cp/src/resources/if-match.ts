import { McpgError } from '@mcpg/proto/errors'
import type { StoredRow } from './store.ts'

/** `If-Match` in its forms: a version, quoted, weak, a list of them, or `*`. */
export function refuseStale({ name, resourceVersion }: Pick<StoredRow, 'name' | 'resourceVersion'>, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return
  const versions = ifMatch.split(',').map((tag) => tag.trim().replace(/^(W\/)?"(.*)"$/, '$2'))
  if (versions.includes(String(resourceVersion))) return
  throw new McpgError(
    'conflict',
    'version_stale',
    `${name} was changed meanwhile: it is at version ${resourceVersion}, the request expects ${versions.join(' or ')}.`,
    {
      status: 412,
      hint: 'Read it again, repeat the change on what it says now, and send that.',
    },
  )
}
