import type { Resource } from '@mcpg/proto/kinds/kind'
import { recordOf, textOf } from './reported.ts'

/** A token as it is answered: everything but its text. `project` is empty for one of a person; `expiresAt` and `lastUsedAt` may be. */
export type TokenView = {
  id: string
  name: string
  project: string
  state: string
  createdBy: string
  createdAt: string
  expiresAt: string
  lastUsedAt: string
}

export function tokenView({ metadata, spec, status }: Resource): TokenView {
  const { state, createdBy, lastUsedAt } = recordOf(status)
  return {
    id: metadata.uid,
    name: metadata.name,
    project: metadata.project ?? '',
    state: textOf(state),
    createdBy: textOf(createdBy),
    createdAt: textOf(metadata.createdAt),
    expiresAt: textOf(recordOf(spec)['expiresAt']),
    lastUsedAt: textOf(lastUsedAt),
  }
}
