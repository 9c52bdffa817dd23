import { McpgError } from '@mcpg/proto/errors'
import { eventKind, type EventSpec } from '@mcpg/proto/kinds/event'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Settings } from '../settings.ts'
import type { Api } from './client.ts'
import { listObjects, splitTarget } from './objects.ts'

/** Events that concern one object (`kind/name`), oldest first: of a server also those of its instances, of a gateway all it told. */
export async function eventsFor(api: Api, target: string, scope: Settings = api.settings): Promise<Resource[]> {
  const { kind, name } = splitTarget(target)
  const word = kind.kind.toLowerCase()
  const isLabel = kind.kind === 'Server' || kind.kind === 'Gateway'
  const found = await listObjects(api, eventKind, { selector: isLabel ? `${word}=${name}` : `kind=${word}` }, scope)
  return isLabel ? found : found.filter(({ spec }) => (spec as EventSpec).object.name === name)
}

/** `--for` is a question about events alone. */
export function refuseForOf(kinds: { kind: string }[]): void {
  if (kinds.length === 1 && kinds[0]?.kind === eventKind.kind) return
  throw new McpgError('invalid', 'usage', '--for narrows a list of events.', { hint: 'mcpg-ctl get events --for server/<name>' })
}
