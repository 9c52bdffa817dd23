import { TextInput } from '@mantine/core'
import { movesAtOnce } from '@mcpg/proto/managed-gateways'
import type { Cluster, DrainCluster } from '@mcpg/proto/rest/clusters'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { CodeBlock } from '../../components/code-block.tsx'
import { Confirmation } from '../../components/form.tsx'
import { Loaded } from '../../components/loaded.tsx'
import { Note } from '../../components/note.tsx'
import { postJson, violationOf } from '../../lib/api.ts'
import { adminPath, clustersKey, useClusterGateways, useClusters } from '../../lib/clusters.ts'
import { plural, shellWord } from '../../lib/format.ts'
import styles from './drain-dialog.module.css'
import { pathOf } from './drain-progress.ts'

const mostNamed = 12

/** Says who would move, how many at once and whereto, and asks. Of a cluster that is drained already it sets another deadline. */
export function DrainDialog({ cluster, onDone }: { cluster: Cluster; onDone: () => void }) {
  const [deadline, setDeadline] = useState('1h')
  const { data, error } = useClusterGateways(cluster)
  const queries = useQueryClient()
  const { id, name } = cluster
  const doing = useMutation({
    mutationFn: () =>
      postJson<Cluster>(`${adminPath(id)}/drain`, { ...(deadline.trim() && { deadline: deadline.trim() }) } satisfies DrainCluster),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: clustersKey })
      onDone()
    },
  })
  const flag = deadline.trim() ? ` --deadline ${shellWord(deadline.trim())}` : ''
  return (
    <Confirmation doing={doing} action="Drain" onKeep={onDone} keep="Leave it">
      <Loaded data={data?.items} error={error}>
        {(items) =>
          items.length === 0 ? (
            <p>No gateway is on {name}. Nothing new is placed on it from then on.</p>
          ) : (
            <>
              <p>
                {plural(items.length, 'gateway moves', 'gateways move')} to another cluster, at most {movesAtOnce(items.length)} at once.
                Each is made anew there with its name, labels and config, and stops here once the new one is ready. Nothing new is placed on{' '}
                {name} meanwhile.
              </p>
              <ul className={styles.names} aria-label="Gateways that move">
                {items.slice(0, mostNamed).map((one) => (
                  <li key={one.instanceUid}>{pathOf(one)}</li>
                ))}
                {items.length > mostNamed && <li>and {items.length - mostNamed} more</li>}
              </ul>
            </>
          )
        }
      </Loaded>
      {data && data.items.length > 0 && <Whereto cluster={cluster} />}
      <TextInput
        label="Deadline"
        description="Such as 30m or 2h; nothing more is moved after it. Empty: until nothing is left"
        value={deadline}
        error={violationOf(doing.error, '/deadline')}
        onChange={(event) => setDeadline(event.currentTarget.value)}
      />
      <CodeBlock text={`mcpg-ctl cluster drain ${name}${flag}`} label="The same by command" />
    </Confirmation>
  )
}

function Whereto({ cluster }: { cluster: Cluster }) {
  const { items } = useClusters()
  const others = items?.filter((one) => one.id !== cluster.id && one.state === 'ready') ?? []
  if (items && others.length === 0)
    return (
      <Note tone="amber" title="No other cluster is ready">
        <p>They stay and serve until there is one with room for them, or the deadline has passed.</p>
      </Note>
    )
  return <p className={styles.aside}>Ready to take them, as far as there is room: {others.map(({ name }) => name).join(', ')}.</p>
}
