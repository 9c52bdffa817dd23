import type { Cluster, RegisteredCluster } from '@mcpg/proto/rest/clusters'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { CodeBlock } from '../../components/code-block.tsx'
import { Form } from '../../components/form.tsx'
import { patchJson, violationOf } from '../../lib/api.ts'
import { adminPath, clustersKey } from '../../lib/clusters.ts'
import { AccessFields } from './access-fields.tsx'
import { AmountFields } from './amount-fields.tsx'
import styles from './cluster-form.module.css'
import { amountsDraft, changeBody, noAccess, setCommand } from './draft.ts'

/** What may be changed of a cluster; gateways were placed by the rest of it. */
export function ChangeForm({ cluster, onDone }: { cluster: Cluster; onDone: () => void }) {
  const queries = useQueryClient()
  const [before] = useState(() => amountsDraft(cluster))
  const needsAccess = cluster.state === 'registering'
  const [draft, setDraft] = useState(() => ({ ...before, access: needsAccess ? { ...noAccess, way: 'kubeconfig' as const } : noAccess }))
  const body = changeBody(before, draft)
  const doing = useMutation({
    mutationFn: () => patchJson<RegisteredCluster>(adminPath(cluster.id), body),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: clustersKey })
      onDone()
    },
    // With credentials in it.
    gcTime: 0,
  })
  const wrong = (field: string) => violationOf(doing.error, field)
  const command = setCommand(cluster.name, body)
  return (
    <Form doing={doing} action="Change it">
      <AmountFields draft={draft} onChange={(part) => setDraft((one) => ({ ...one, ...part }))} wrong={wrong} />
      {cluster.driver === 'kubernetes' && (
        <AccessFields
          access={draft.access}
          onChange={(access) => setDraft((one) => ({ ...one, access }))}
          wrong={wrong}
          isChange={!needsAccess}
          later={needsAccess ? 'Not now' : 'As before'}
        />
      )}
      <p className={styles.aside}>Region, tier and driver stay: gateways were placed by them.</p>
      {command && (
        <details className={styles.more}>
          <summary>Show CLI</summary>
          <CodeBlock text={command} label="Command" />
        </details>
      )}
    </Form>
  )
}
