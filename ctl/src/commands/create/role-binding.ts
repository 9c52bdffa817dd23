import { McpgError } from '@mcpg/proto/errors'
import { applyObjects } from '../../apply-objects.ts'
import { findObject, kindOf } from '../../api/objects.ts'
import type { Context } from '../../context.ts'
import type { MetadataOptions, NewObject } from '../../create/create-object.ts'
import type { Rule } from '../../create/role-rules.ts'
import type { ManifestObject } from '../../manifest/manifest.ts'
import { printResults } from '../../output/print-results.ts'

/** A binding with a role of its own name that holds its rules; both are made, or neither. */
export async function createWithRole(
  context: Context,
  binding: NewObject,
  rules: Rule[],
  dryRun: MetadataOptions['dryRun'],
): Promise<void> {
  const { name } = binding.metadata
  if (binding.spec['role'] !== undefined)
    throw new McpgError('invalid', 'usage', '--role and --role-binding do not go together: the one names a role, the other makes one.')
  const locate = () => ({ file: '(arguments)', line: 1, column: 1 })
  const objects: ManifestObject[] = [
    { kind: 'Role', metadata: { name }, spec: { rules }, locate },
    { ...binding, spec: { ...binding.spec, role: name }, locate },
  ]
  if (dryRun === 'client') {
    const { groupedYaml } = await import('../../manifest/print-form.ts')
    return context.print(groupedYaml(objects).trimEnd())
  }
  const api = await context.api()
  for (const { kind } of objects)
    if (await findObject(api, kindOf(kind), name))
      throw new McpgError('conflict', 'already_exists', `The ${kind} ${name} exists already.`, {
        hint: `mcpg-ctl describe ${kind.toLowerCase()} ${name}; bind an existing role with --role`,
      })
  await printResults(context, await applyObjects(api, objects, { dryRun: dryRun === 'server' }))
}
