import { Button } from '@mantine/core'
import type { Cluster } from '@mcpg/proto/rest/clusters'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Dialog } from '../../components/dialog.tsx'
import { Confirmation } from '../../components/form.tsx'
import { postJson } from '../../lib/api.ts'
import { adminPath, clustersKey, isMoving } from '../../lib/clusters.ts'
import { ChangeForm } from './change-form.tsx'
import { Decommission } from './decommission.tsx'
import { DrainDialog } from './drain-dialog.tsx'

type Action = 'change' | 'cordon' | 'uncordon' | 'drain' | 'decommission'

/** For whoever may look after clusters. */
export function ClusterActions({ cluster }: { cluster: Cluster }) {
  const [open, setOpen] = useState<Action | undefined>()
  const close = () => setOpen(undefined)
  const { name, state } = cluster
  return (
    <>
      {actionsOf(cluster).map(([action, label]) => (
        <Button key={action} variant="default" onClick={() => setOpen(action)}>
          {label}…
        </Button>
      ))}
      {open && (
        <Dialog title={titleOf(open, cluster)} onClose={close}>
          {open === 'change' && <ChangeForm cluster={cluster} onDone={close} />}
          {open === 'cordon' && (
            <Turn cluster={cluster} verb={open} action="Cordon" onDone={close}>
              Nothing new is placed on {name} from then on. What runs there goes on, and can be changed and deleted.
            </Turn>
          )}
          {open === 'uncordon' && (
            <Turn cluster={cluster} verb={open} action={isMoving(cluster) ? 'Cancel the drain' : 'Uncordon'} onDone={close}>
              Gateways are placed on {name} again.
              {state === 'draining' &&
                ' Those that have moved stay where they are, and a move that is under way is taken back as far as it can be.'}
            </Turn>
          )}
          {open === 'drain' && <DrainDialog cluster={cluster} onDone={close} />}
          {open === 'decommission' && <Decommission cluster={cluster} onDone={close} />}
        </Dialog>
      )}
    </>
  )
}

/** What the state of a cluster lets one do with it. */
function actionsOf(cluster: Cluster): [Action, string][] {
  const { state } = cluster
  return [
    ['change', state === 'registering' ? 'Give it credentials' : 'Change'],
    ...(state === 'ready' ? ([['cordon', 'Cordon']] satisfies [Action, string][]) : []),
    ...(state === 'cordoned' ? ([['uncordon', 'Uncordon']] satisfies [Action, string][]) : []),
    ...(state === 'draining' ? ([['uncordon', isMoving(cluster) ? 'Cancel the drain' : 'Uncordon']] satisfies [Action, string][]) : []),
    ...(state === 'registering' || state === 'draining' ? [] : ([['drain', 'Drain']] satisfies [Action, string][])),
    ['decommission', 'Decommission'],
  ]
}

function titleOf(action: Action, cluster: Cluster): string {
  const { name } = cluster
  if (action === 'uncordon' && isMoving(cluster)) return `Cancel the drain of ${name}`
  return `${action.charAt(0).toUpperCase()}${action.slice(1)} ${name}`
}

function Turn({
  cluster: { id },
  verb,
  action,
  onDone,
  children,
}: {
  cluster: Cluster
  verb: 'cordon' | 'uncordon'
  action: string
  onDone: () => void
  children: React.ReactNode
}) {
  const queries = useQueryClient()
  const doing = useMutation({
    mutationFn: () => postJson(`${adminPath(id)}/${verb}`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: clustersKey })
      onDone()
    },
  })
  return (
    <Confirmation doing={doing} action={action} onKeep={onDone} keep="Leave it">
      <p>{children}</p>
    </Confirmation>
  )
}
