import type { Resource } from '@mcpg/proto/kinds/kind'
import { stringify } from 'yaml'

/**
 * The grouped form of a manifest: name, labels and annotations beside the fields of the spec. Without `resourceVersion`, which
 * would make a later apply a conflict.
 */
export function manifestOf({ metadata, spec }: Resource, plural: string): string {
  const filled = (record: Record<string, string> | undefined) => record && Object.keys(record).length > 0
  const entry = {
    name: metadata.name,
    ...(filled(metadata.labels) ? { labels: metadata.labels } : {}),
    ...(filled(metadata.annotations) ? { annotations: metadata.annotations } : {}),
    ...spec,
  }
  return stringify({ [plural]: [entry] }, { lineWidth: 0 })
}
