import { serverKind } from '@mcpg/proto/kinds/server'
import { templateKind, templateSource } from '@mcpg/proto/kinds/template'
import { UpgradeAnswer, type UpgradeRequest } from '@mcpg/proto/rest/upgrade'
import { getObject } from '../../api/objects.ts'
import { objectPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'
import { fieldLine } from '../../output/field-line.ts'
import { readParameters } from '../../template-parameters.ts'

export type UpgradeOptions = { to?: string; param: string[]; dryRun?: boolean }

/** Exit code 1 where a dry run finds conflicts. */
export async function run(context: Context, [word = '']: string[], { to, param, dryRun }: UpgradeOptions): Promise<number> {
  const name = word.replace(/^servers?\//, '')
  const { settings } = context
  const api = await context.api()
  const request: UpgradeRequest = { ...(to !== undefined && { to }), ...(dryRun && { dryRun }) }
  if (param.length > 0) {
    const { metadata } = await getObject(api, serverKind, name)
    const [template = ''] = (metadata.annotations[templateSource] ?? '').split(':')
    request.parameters = template === '' ? {} : readParameters(param, await getObject(api, templateKind, template), to)
  }
  const path = `${objectPath(settings, serverKind, name)}/upgrade`
  const answer = UpgradeAnswer.parse((await api.call('POST', path, { body: request })).body)
  await show(context, name, answer)
  return answer.conflicts.length > 0 ? 1 : 0
}

async function show({ print, settings }: Context, name: string, answer: UpgradeAnswer): Promise<void> {
  const { dryRun, from, to, diffs, conflicts } = answer
  if (settings.output === 'json') return print(JSON.stringify(answer, null, 2))
  if (settings.output === 'ndjson') return print(JSON.stringify(answer))
  if (settings.output === 'yaml') return print((await import('../../manifest/print-form.ts')).toYaml(answer).trimEnd())
  if (settings.output === 'name') return print(`server/${name}`)
  print(`server/${name} ${dryRun ? 'would go' : 'went'} from ${from} to ${to}`)
  for (const diff of diffs) print(`    ${fieldLine(diff)}`)
  for (const { pointer, detail } of conflicts) print(`    conflict at ${pointer}: ${detail}`)
}
