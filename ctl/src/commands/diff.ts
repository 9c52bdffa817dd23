import { McpgError } from '@mcpg/proto/errors'
import { secretKind } from '@mcpg/proto/kinds/secret'
import { applyObjects } from '../apply-objects.ts'
import { findObject, kindOf } from '../api/objects.ts'
import type { Context } from '../context.ts'
import type { ManifestObject } from '../manifest/manifest.ts'
import { groupedYaml } from '../manifest/print-form.ts'
import { readManifests } from '../manifest/read-files.ts'
import { maskedSecret } from '../masked-secret.ts'
import { unifiedDiff } from '../output/unified-diff.ts'

export type DiffOptions = { file: string[]; expand: boolean; from?: string; to?: string }

/** Manifests with what is stored, or two configs of a gateway; exit code 1 when something differs. */
export async function run(context: Context, [word]: string[], options: DiffOptions): Promise<number> {
  if (word !== undefined && options.file.length > 0)
    throw new McpgError('invalid', 'usage', 'A diff is about manifests (-f) or about the configs of a gateway, not both.')
  if (word !== undefined) return await (await import('../diff-configs.ts')).diffConfigs(context, word, options)
  const objects = await readManifests(context, options)
  const api = await context.api()
  let differs = false
  for (const object of objects) {
    const kind = kindOf(object.kind)
    const { name, project = api.settings.project } = object.metadata
    const live = await findObject(api, kind, name, { ...api.settings, project })
    const target = `${object.kind.toLowerCase()}/${name}`
    const masked = object.kind === secretKind.kind ? maskedSecret(object, (await planOf(object))!) : object
    // What -p says stands in what is stored.
    const shown = kind.scope === 'project' ? { ...masked, metadata: { ...masked.metadata, project } } : masked
    const lines = unifiedDiff(live ? groupedYaml([live]) : '', groupedYaml([shown]), {
      before: `${target} (stored)`,
      after: `${target} (manifest)`,
    })
    differs ||= lines.length > 0
    lines.forEach((line) => context.print(line))
  }
  return differs ? 1 : 0

  /** Only the control plane can tell whether a value is another one. */
  async function planOf(object: ManifestObject) {
    return (await applyObjects(api, [object], { dryRun: true })).results[0]
  }
}
