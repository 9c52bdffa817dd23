import { McpgError } from '@mcpg/proto/errors'
import type { OperationEvent } from '@mcpg/proto/rest/operations'
import type { Api } from './api/client.ts'
import { followOperation, getOperation } from './api/operations.ts'
import type { Context } from './context.ts'
import { Interrupted } from './failure.ts'
import { span } from './output/age.ts'
import { operationLadder } from './output/operation-ladder.ts'

/** The remote work ended failed. */
const failedExit = 7

/** Rethrows; a request that was sent may have begun its work, also where Ctrl-C came before its answer. */
export function tellWhereBegun(org: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof Interrupted ? new Interrupted(`the work may have begun: mcpg-ctl provision history --org ${org}`) : error
  }
}

/**
 * Shows an operation up to its end; the answer is the exit code. Ctrl-C and `timeoutMs` end the watching and never the work, and say how to
 * go on.
 */
export async function showOperation(context: Context, api: Api, id: string, { timeoutMs }: { timeoutMs: number }): Promise<number> {
  const { settings, say, stopping, print } = context
  const resume = `mcpg-ctl provision watch ${id}`
  const late = AbortSignal.timeout(timeoutMs)
  const rungs = operationLadder(context)
  let last: OperationEvent | null = null
  for await (const event of followOperation(api, id, { signal: AbortSignal.any([stopping, late]), say })) {
    rungs.tell(event)
    last = event
  }
  if (stopping.aborted) throw new Interrupted(`the work goes on; watch it again with: ${resume}`)
  if (late.aborted)
    throw new McpgError('timeout', 'gave_up_waiting', `Gave up after ${span(timeoutMs / 1000)}; the work goes on.`, { hint: resume })
  const operation = await getOperation(api, id)
  if (settings.output === 'json' || settings.output === 'yaml') {
    const result = { ...operation, ...(last?.gateway && { endpoints: last.gateway.endpoints }) }
    print(settings.output === 'json' ? JSON.stringify(result, null, 2) : await yamlOf(result))
  }
  if (settings.output === 'name') print(`gateway/${operation.gateway.name}`)
  return operation.state === 'succeeded' ? 0 : failedExit
}

async function yamlOf(value: object): Promise<string> {
  return (await import('./manifest/print-form.ts')).toYaml(value).trimEnd()
}
