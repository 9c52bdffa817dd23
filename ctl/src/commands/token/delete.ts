import { confirm } from '../../ask.ts'
import type { Context } from '../../context.ts'
import { bareName, tokenPath } from '../../tokens/token-path.ts'

export async function run(context: Context, [word = '']: string[], { yes }: { yes?: boolean }): Promise<void> {
  const name = bareName(word)
  if (!yes && !(await confirm(context, `Stop the token ${name} for ever and forget it?`, '--yes')))
    return context.say('nothing was deleted')
  const api = await context.api()
  await api.call('DELETE', tokenPath(context.settings, name))
  context.print(`mcptoken/${name} deleted`)
}
