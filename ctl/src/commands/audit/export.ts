import { auditPath, filterOf, type AuditFilterOptions, type AuditPlace } from '../../api/audit.ts'
import { linesOf } from '../../api/logs.ts'
import type { Context } from '../../context.ts'
import { Interrupted } from '../../failure.ts'

/** One entry a line in every form but `name`: what is exported is read by programs. */
export async function run(context: Context, _args: string[], options: AuditPlace & AuditFilterOptions): Promise<void> {
  const { settings, print, stopping } = context
  const query = filterOf(options)
  const api = await context.api()
  const response = await api.open(`${auditPath(settings, options)}/export`, {
    query,
    headers: { accept: 'application/x-ndjson' },
    signal: stopping,
  })
  for await (const line of linesOf(response)) print(settings.output === 'name' ? `audit/${idOf(line)}` : line)
  if (stopping.aborted) throw new Interrupted('the export was cut')
}

const idOf = (line: string): string => (JSON.parse(line) as { id: string }).id
