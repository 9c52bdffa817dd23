import { AuditVerification, type GatewayChainVerification } from '@mcpg/proto/rest/audit'
import { auditPath, type AuditPlace } from '../../api/audit.ts'
import type { Context } from '../../context.ts'
import { pairs } from '../../output/table.ts'

/** Longer than the hundred thousands of rows of a year take. */
const timeoutMs = 600_000

/** Exit 1 when a row is missing or not what was written. */
export async function run(context: Context, _args: string[], place: AuditPlace): Promise<number | void> {
  const { settings } = context
  const api = await context.api()
  const { body } = await api.call('GET', `${auditPath(settings, place)}/verify`, { schema: AuditVerification, timeoutMs })
  await printIn(context, body)
  return body.ok ? undefined : 1
}

async function printIn({ settings: { output }, print }: Context, answer: AuditVerification): Promise<void> {
  if (output === 'json') return print(JSON.stringify(answer, null, 2))
  if (output === 'ndjson') return print(JSON.stringify(answer))
  if (output === 'yaml') return print((await import('../../manifest/print-form.ts')).toYaml(answer).trimEnd())
  if (output === 'name') return print(answer.ok ? 'intact' : 'broken')
  pairs(linesOf(answer)).forEach((line) => print(line))
}

function linesOf({ ok, verifiedThrough, rows, problem, unsealed, purged, gateways }: AuditVerification): [string, string][] {
  return [
    ['chain', ok ? 'intact' : 'broken'],
    ['verified', `${rows} rows, up to row ${verifiedThrough}`],
    ...(problem ? [['problem', `${problem.detail}${problem.id === undefined ? '' : ` (${problem.id})`}`] satisfies [string, string]] : []),
    ['not sealed yet', unsealed.oldestAt === null ? '0 rows' : `${unsealed.count} rows, the oldest of ${unsealed.oldestAt}`],
    ...(purged
      ? [
          ['removed', `${purged.removed} rows, up to row ${purged.through}, older than ${purged.before}, by ${purged.by}`] satisfies [
            string,
            string,
          ],
        ]
      : []),
    ...gateways.map((one) => [`gateway ${one.gateway}`, wordsOf(one)] satisfies [string, string]),
  ]
}

function wordsOf({ ok, rows, verifiedThrough, dropped, removed, breaks, problem }: GatewayChainVerification): string {
  const words = [`${ok ? 'intact' : 'broken'}: ${rows} rows, up to row ${verifiedThrough}`]
  if (problem) words.push(`${problem.detail}${problem.id === undefined ? '' : ` (${problem.id})`}`)
  if (dropped > 0) words.push(`${dropped} dropped at its full queue`)
  if (removed > 0) words.push(`${removed} removed`)
  if (breaks > 0) words.push(`its state dir was replaced ${breaks} times`)
  return words.join('; ')
}
