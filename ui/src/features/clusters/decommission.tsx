import { Button, Radio, TextInput } from '@mantine/core'
import type { Cluster, DecommissionCluster } from '@mcpg/proto/rest/clusters'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { CodeBlock } from '../../components/code-block.tsx'
import { Confirmation } from '../../components/form.tsx'
import { Note } from '../../components/note.tsx'
import { ApiError, postJson } from '../../lib/api.ts'
import { clustersKey } from '../../lib/clusters.ts'
import { plural } from '../../lib/format.ts'
import styles from './decommission.module.css'

/** Gives up an empty cluster after one question. One that is not empty is refused, which names its gateways; force is asked for anew. */
export function Decommission({ cluster, onDone }: { cluster: Cluster; onDone: () => void }) {
  const [isForced, setForced] = useState(false)
  const { name, gateways } = cluster
  const doing = useDecommission(cluster, { force: false, keepRunning: false }, onDone)
  if (isForced) return <Force cluster={cluster} onDone={onDone} />
  const isRefused = doing.error instanceof ApiError && doing.error.reason === 'cluster_not_empty'
  return (
    <Confirmation
      doing={doing}
      action="Decommission"
      onKeep={onDone}
      keep="Keep it"
      color="red"
      answer={isRefused && <ForceOffer onForce={() => setForced(true)} />}
    >
      <p>
        {name} is given up for ever: nothing is placed on it again, and its name stays with it. Only an empty cluster is; on this one{' '}
        {gateways.reserved === 0
          ? 'nothing is reserved'
          : `${plural(gateways.reserved, 'gateway')} ${gateways.reserved === 1 ? 'has its' : 'have their'} place`}
        .
      </p>
    </Confirmation>
  )
}

const ForceOffer = ({ onForce }: { onForce: () => void }) => (
  <Note
    tone="amber"
    title="Deprovision them first"
    action={
      <Button variant="default" size="xs" onClick={onForce}>
        Force…
      </Button>
    }
  >
    <p>Each has a button for it on its page. By force the cluster is given up although they are there.</p>
  </Note>
)

/** The second question, with what becomes of the gateways; the name is typed, so that nobody does it by habit. */
function Force({ cluster, onDone }: { cluster: Cluster; onDone: () => void }) {
  const [typed, setTyped] = useState('')
  const [keepRunning, setKeepRunning] = useState(false)
  const doing = useDecommission(cluster, { force: true, keepRunning }, onDone)
  const { name } = cluster
  return (
    <Confirmation doing={doing} action="Decommission by force" onKeep={onDone} keep="Keep it" color="red" isBlocked={typed.trim() !== name}>
      <p>By force {name} is given up at once and for ever, also when it cannot be reached. Nothing brings it back.</p>
      <Radio.Group
        label={`What becomes of the gateways on ${name}`}
        value={keepRunning ? 'keep' : 'remove'}
        onChange={(value) => setKeepRunning(value === 'keep')}
      >
        <div className={styles.choices}>
          <Radio
            value="remove"
            label="Revoke and remove them"
            description="Their credentials are void at once, what is under way is cancelled, and what can be reached of them is removed."
          />
          <Radio
            value="keep"
            label="Leave them running"
            description="The cluster is only forgotten. They go on serving, and nothing here starts, changes or removes them any more."
          />
        </div>
      </Radio.Group>
      <TextInput label={`Type ${name} to go on`} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
      <CodeBlock
        text={`mcpg-ctl cluster decommission --id ${name} --force${keepRunning ? ' --keep-running' : ''}`}
        label="The same by command"
      />
    </Confirmation>
  )
}

function useDecommission({ id }: Cluster, body: DecommissionCluster, onDone: () => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => postJson(`/v1/admin/clusters/${encodeURIComponent(id)}/decommission`, body),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: clustersKey })
      onDone()
    },
  })
}
