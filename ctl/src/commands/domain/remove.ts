import { domainPath } from '../../api/paths.ts'
import { confirm } from '../../ask.ts'
import type { Context } from '../../context.ts'

export async function run(context: Context, [host = '']: string[], { yes }: { yes?: boolean }): Promise<number> {
  if (!yes && !(await confirm(context, `Give the domain ${host} up?`, '--yes'))) return 1
  const api = await context.api()
  await api.call('DELETE', domainPath(context.settings, host))
  context.print(`domain/${host} removed`)
  return 0
}
