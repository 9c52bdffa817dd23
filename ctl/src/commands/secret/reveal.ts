import { secretKind } from '@mcpg/proto/kinds/secret'
import { RevealedSecret } from '@mcpg/proto/kinds/secret'
import { objectPath } from '../../api/paths.ts'
import { confirm } from '../../ask.ts'
import type { Context } from '../../context.ts'

export type RevealOptions = { key?: string; yes?: boolean }

/** With `--key` the bare value, so that a script can take it; else `key: value` as YAML. */
export async function run(context: Context, [word = '']: string[], { key, yes }: RevealOptions): Promise<void> {
  const { settings, print, say } = context
  const name = word.replace(/^secrets?\//, '')
  const what = key === undefined ? `every value of secret/${name}` : `key ${key} of secret/${name}`
  if (!yes && !(await confirm(context, `Show ${what}? The audit trail keeps that you did.`, '--yes'))) return say('nothing was shown')
  const api = await context.api()
  const { body } = await api.call('POST', `${objectPath(settings, secretKind, name)}/reveal`, {
    schema: RevealedSecret,
    body: key === undefined ? {} : { key },
  })
  if (settings.output === 'json') return print(JSON.stringify(body, null, 2))
  if (settings.output === 'ndjson') return body.values.forEach((value) => print(JSON.stringify(value)))
  if (settings.output === 'name') return print(`secret/${body.name}`)
  const { toYaml } = await import('../../manifest/print-form.ts')
  if (settings.output === 'yaml') return print(toYaml(body).trimEnd())
  const [only] = body.values
  if (key !== undefined && only) return print(only.value)
  print(toYaml(Object.fromEntries(body.values.map((one) => [one.key, one.value]))).trimEnd())
}
