import { OperationList, type Operation } from '@mcpg/proto/rest/operations'
import { orgPath } from '../../api/paths.ts'
import { followOperation } from '../../api/operations.ts'
import type { Api } from '../../api/client.ts'
import type { Context } from '../../context.ts'
import { relative, span } from '../../output/age.ts'
import { oneLine, table } from '../../output/table.ts'
import { provisionOrg } from '../../provision-scope.ts'

/** Newest first; with `verbose` each with its events. */
export async function run(context: Context, _args: string[], { verbose, limit }: { verbose?: boolean; limit: number }): Promise<void> {
  const { settings, print, say } = context
  const org = provisionOrg(context)
  const api = await context.api()
  const operations: Operation[] = []
  let cursor: string | undefined
  do {
    const query = { limit: Math.min(500, limit - operations.length), cursor }
    const { body } = await api.call('GET', `${orgPath({ ...settings, org })}/operations`, { query, schema: OperationList })
    operations.push(...body.items)
    cursor = body.nextCursor
  } while (cursor && operations.length < limit)
  if (settings.output === 'json') return print(JSON.stringify({ items: operations }, null, 2))
  if (settings.output === 'yaml') return print((await import('../../manifest/print-form.ts')).toYaml({ operations }).trimEnd())
  if (settings.output === 'ndjson') return operations.forEach((one) => print(JSON.stringify(one)))
  if (operations.length === 0) return say('nothing was provisioned here')
  if (!verbose) return table(header, operations.map(cells)).forEach((line) => print(line))
  for (const [index, operation] of operations.entries()) {
    if (index > 0) print('')
    table(header, [cells(operation)]).forEach((line) => print(line))
    await printEvents(context, api, operation)
  }
}

/** Of one that goes on, what was told so far. */
async function printEvents({ print, say, stopping }: Context, api: Api, { id, finishedAt, phase, step }: Operation): Promise<void> {
  for await (const event of followOperation(api, id, { signal: stopping, say })) {
    print(
      `  ${event.at}  ${event.phase.padEnd(10)}  ${event.step.padEnd(15)}  ${event.status.padEnd(8)}  ${oneLine(event.message)}`.trimEnd(),
    )
    if (finishedAt === undefined && event.phase === phase && event.step === step) return
  }
}

const header = ['operation', 'what', 'gateway', 'cluster', 'state', 'step', 'began', 'took', 'by']

function cells({
  id,
  kind,
  environment,
  workspace,
  gateway,
  cluster,
  state,
  step,
  error,
  createdAt,
  finishedAt,
  startedBy,
}: Operation): string[] {
  const took = finishedAt === undefined ? '' : span(Math.round((Date.parse(finishedAt) - Date.parse(createdAt)) / 1000))
  const where = `${workspace}/${environment}/${gateway.name}`
  return [id, kind, where, cluster ?? '-', state, error ? `${step} (${error.reason})` : step, relative(createdAt), took, startedBy]
}
