import { randomUUID } from 'node:crypto'
import { StartedOperation } from '@mcpg/proto/rest/provisioning'
import { environmentPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'
import { durationOption } from '../../duration-option.ts'
import { showOperation, tellWhereBegun } from '../../follow-operation.ts'
import { inFlags } from '../../in-flags.ts'
import { provisionScope } from '../../provision-scope.ts'

export type CreateOptions = {
  env?: string
  name: string
  imageTag: string
  replicas: number
  maxReplicas?: number
  size: string
  region?: string
  isolationTier?: string
  allowHigherTier?: boolean
  clusterSelector?: string
  customHostname?: string
  strategy: string
  timeout: string
  detach?: boolean
}

/** Makes a managed gateway, or brings the one of this name to these values. */
export async function run(context: Context, _args: string[], { env, timeout, detach, ...body }: CreateOptions): Promise<number> {
  const scope = provisionScope(context, { env })
  const timeoutMs = durationOption('--timeout', timeout)
  const api = await context.api()
  const { body: started } = await api
    .call('POST', `${environmentPath(scope)}/gateways`, {
      body,
      // A repeated request must not begin the work twice.
      headers: { 'idempotency-key': randomUUID() },
      schema: StartedOperation,
    })
    .catch(tellWhereBegun(scope.org))
    .catch(inFlags(body))
  if (!detach) return await showOperation(context, api, started.operationId, { timeoutMs })
  context.print(context.settings.output === 'json' ? JSON.stringify(started) : started.operationId)
  context.say(`watch it with: mcpg-ctl provision watch ${started.operationId}`)
  return 0
}
