import { confirm } from '../../ask.ts'
import type { Context } from '../../context.ts'
import { bareName, tokenPath } from '../../tokens/token-path.ts'

export async function run(context: Context, [word = '']: string[], { yes }: { yes?: boolean }): Promise<void> {
  const name = bareName(word)
  if (!yes && !(await confirm(context, `Stop the token ${name} for ever?`, '--yes'))) return context.say('nothing was revoked')
  const api = await context.api()
  await api.call('POST', `${tokenPath(context.settings, name)}/revoke`)
  context.print(`mcptoken/${name} revoked`)
}
