import { StartedOperation } from '@mcpg/proto/rest/provisioning'
import { environmentPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'
import { durationOption } from '../../duration-option.ts'
import { showOperation, tellWhereBegun } from '../../follow-operation.ts'
import { provisionScope } from '../../provision-scope.ts'

export type DeleteOptions = { env?: string; instanceUid?: string; name?: string; timeout: string; detach?: boolean }

/** A gateway that enrolled by itself has no steps: it is revoked and deleted at once. */
export async function run(context: Context, _args: string[], options: DeleteOptions): Promise<number> {
  const { env, instanceUid = options.name, timeout, detach } = options
  const scope = provisionScope(context, { env, needed: { 'instance-uid': instanceUid } })
  const timeoutMs = durationOption('--timeout', timeout)
  const api = await context.api()
  const path = `${environmentPath(scope)}/gateways/${encodeURIComponent(instanceUid ?? '')}`
  const { body } = await api.call('DELETE', path, { schema: StartedOperation.optional() }).catch(tellWhereBegun(scope.org))
  if (!body) {
    context.print(`gateway/${instanceUid} deleted`)
    context.say('it had enrolled by itself: it was revoked and deleted at once, and its agent ends')
    return 0
  }
  if (!detach) return await showOperation(context, api, body.operationId, { timeoutMs })
  context.print(context.settings.output === 'json' ? JSON.stringify(body) : body.operationId)
  context.say(`watch it with: mcpg-ctl provision watch ${body.operationId}`)
  return 0
}
