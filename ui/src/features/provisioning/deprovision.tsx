import type { StartedOperation } from '@mcpg/proto/rest/provisioning'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { CodeBlock } from '../../components/code-block.tsx'
import { Confirmation } from '../../components/form.tsx'
import { deleteObject } from '../../lib/api.ts'
import { plural } from '../../lib/format.ts'
import type { GatewayView } from '../../lib/objects/gateway.ts'
import { operationsKey } from '../../lib/operations/use-operations.ts'
import { operationPage } from '../../lib/pages.ts'
import { gatewayRestPath } from '../../lib/paths.ts'
import { useHref, useScope } from '../../lib/scope.ts'
import { InProgress } from './in-progress.tsx'
import { deleteCommand } from './parameters.ts'

/** Asks once, and goes to the ladder: the page of the gateway ends with it. */
export function Deprovision({ gateway, cluster, onKeep }: { gateway: GatewayView; cluster: string | undefined; onKeep: () => void }) {
  const { org, workspace } = useScope()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const href = useHref()
  const { name, environment, instanceUid, activeSessions } = gateway
  const doing = useMutation({
    mutationFn: () => deleteObject<StartedOperation>(gatewayRestPath({ org, workspace }, environment, name)),
    onSuccess: async ({ operationId }) => {
      void queries.invalidateQueries({ queryKey: operationsKey(org) })
      await navigate(href(operationPage(operationId)))
    },
  })
  return (
    <Confirmation doing={doing} action="Deprovision" onKeep={onKeep} color="red" answer={<InProgress error={doing.error} gateway={name} />}>
      <p>
        Its agent ends its work and stops, its credential is void, and nothing of it is left{cluster ? ` on ${cluster}` : ''}. This cannot
        be taken back or cancelled.
        {activeSessions > 0 && ` ${plural(activeSessions, 'client session')} ${activeSessions === 1 ? 'ends' : 'end'}.`}
      </p>
      <CodeBlock text={deleteCommand({ org, workspace, environment }, instanceUid)} label="The same by command" />
    </Confirmation>
  )
}
