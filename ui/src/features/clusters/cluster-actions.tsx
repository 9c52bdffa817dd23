import { Button } from '@mantine/core'
import type { Cluster } from '@mcpg/proto/rest/clusters'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Dialog } from '../../components/dialog.tsx'
import { Confirmation } from '../../components/form.tsx'
import { postJson } from '../../lib/api.ts'
import { clustersKey } from '../../lib/clusters.ts'
import { Decommission } from './decommission.tsx'

/** For whoever may look after clusters. */
export function ClusterActions({ cluster }: { cluster: Cluster }) {
  const [open, setOpen] = useState<'cordon' | 'uncordon' | 'decommission' | undefined>()
  const close = () => setOpen(undefined)
  const { name, state } = cluster
  return (
    <>
      {state === 'ready' && (
        <Button variant="default" onClick={() => setOpen('cordon')}>
          Cordon…
        </Button>
      )}
      {state === 'cordoned' && (
        <Button variant="default" onClick={() => setOpen('uncordon')}>
          Uncordon…
        </Button>
      )}
      <Button variant="default" onClick={() => setOpen('decommission')}>
        Decommission…
      </Button>
      {(open === 'cordon' || open === 'uncordon') && (
        <Dialog title={open === 'cordon' ? `Cordon ${name}` : `Uncordon ${name}`} onClose={close}>
          <Cordon cluster={cluster} verb={open} onDone={close} />
        </Dialog>
      )}
      {open === 'decommission' && (
        <Dialog title={`Decommission ${name}`} onClose={close}>
          <Decommission cluster={cluster} onDone={close} />
        </Dialog>
      )}
    </>
  )
}

function Cordon({ cluster: { id, name }, verb, onDone }: { cluster: Cluster; verb: 'cordon' | 'uncordon'; onDone: () => void }) {
  const queries = useQueryClient()
  const doing = useMutation({
    mutationFn: () => postJson(`/v1/admin/clusters/${encodeURIComponent(id)}/${verb}`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: clustersKey })
      onDone()
    },
  })
  return (
    <Confirmation doing={doing} action={verb === 'cordon' ? 'Cordon' : 'Uncordon'} onKeep={onDone} keep="Leave it">
      <p>
        {verb === 'cordon'
          ? `Nothing new is placed on ${name} from then on. What runs there goes on, and can be changed and deleted.`
          : `Gateways are placed on ${name} again.`}
      </p>
    </Confirmation>
  )
}
