import { changedValue, type SecretSpec } from '@mcpg/proto/kinds/secret'
import type { ApplyResult } from '@mcpg/proto/rest/apply'
import type { ManifestObject } from './manifest/manifest.ts'

/** A secret of a manifest as it may be shown: `keep` where nothing would change, `(changed)` where something would. */
export function maskedSecret(object: ManifestObject, { result, diffs }: Pick<ApplyResult, 'result' | 'diffs'>): ManifestObject {
  const changed = new Set(diffs.map(({ path }) => path))
  const { data } = object.spec as SecretSpec
  const shown = Object.keys(data).map((key) => [
    key,
    result === 'created' || changed.has(`/spec/data/${key}`) ? changedValue : { keep: true },
  ])
  return { ...object, spec: { data: Object.fromEntries(shown) } }
}
