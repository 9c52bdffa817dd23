import { confirm } from '../../ask.ts'
import { environmentPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'

export async function run(context: Context, [word = '']: string[], { yes }: { yes?: boolean }): Promise<void> {
  const name = word.replace(/^enrollments?\//, '')
  if (!yes && !(await confirm(context, `Void the enrollment ${name}?`, '--yes'))) return context.say('nothing was revoked')
  const api = await context.api()
  await api.call('POST', `${environmentPath(context.settings)}/enrollments/${encodeURIComponent(name)}/revoke`)
  context.print(`enrollment/${name} revoked`)
}
