import { PurgedAudit } from '@mcpg/proto/rest/audit'
import { auditPath, timeOf, type AuditPlace } from '../../api/audit.ts'
import { confirm } from '../../ask.ts'
import type { Context } from '../../context.ts'

export type PurgeOptions = AuditPlace & { before: string; yes?: boolean }

/** Removes entries for good. */
export async function run(context: Context, _args: string[], { before, yes, ...place }: PurgeOptions): Promise<void> {
  const { settings, print, say } = context
  const time = timeOf('--before', before)
  const what = place.platform ? 'of the platform' : `of the organization ${settings.org}`
  if (!yes && !(await confirm(context, `Remove every audit entry ${what} from before ${time}?`, '--yes'))) return say('nothing was removed')
  const api = await context.api()
  const { body } = await api.call('POST', `${auditPath(settings, place)}/purge`, {
    body: { before: time },
    schema: PurgedAudit,
    timeoutMs: 600_000,
  })
  if (settings.output === 'json') return print(JSON.stringify(body, null, 2))
  if (settings.output === 'ndjson') return print(JSON.stringify(body))
  if (settings.output === 'yaml') return print((await import('../../manifest/print-form.ts')).toYaml(body).trimEnd())
  print(settings.output === 'name' ? 'audit' : `removed ${body.removed} entries`)
}
