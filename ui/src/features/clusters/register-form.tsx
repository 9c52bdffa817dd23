import { NativeSelect, TextInput } from '@mantine/core'
import { isolationTiers } from '@mcpg/proto/managed-gateways'
import type { ClusterDriver, IsolationTier, RegisteredCluster } from '@mcpg/proto/rest/clusters'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { CodeBlock } from '../../components/code-block.tsx'
import { Form } from '../../components/form.tsx'
import { Note } from '../../components/note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { postJson, violationOf } from '../../lib/api.ts'
import { clustersKey, useClusters } from '../../lib/clusters.ts'
import { clusterPath } from '../../lib/pages.ts'
import { useHref } from '../../lib/scope.ts'
import { AccessFields } from './access-fields.tsx'
import { AmountFields } from './amount-fields.tsx'
import styles from './cluster-form.module.css'
import { emptyDraft, registerBody, registerCommand, type ClusterDraft } from './draft.ts'

/** Registers a cluster; it is looked at with what was given before the answer comes. */
export function RegisterForm() {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const href = useHref()
  const [draft, setDraft] = useState<ClusterDraft>(emptyDraft)
  const set = (part: Partial<ClusterDraft>) => setDraft((before) => ({ ...before, ...part }))
  const doing = useMutation({
    mutationFn: () => postJson<RegisteredCluster>('/v1/admin/clusters', registerBody(draft)),
    onSuccess: async ({ name, hint }) => {
      await queries.invalidateQueries({ queryKey: clustersKey })
      if (!hint) await navigate(href(clusterPath(name)))
    },
    // With credentials in it.
    gcTime: 0,
  })
  const { items = [] } = useClusters()
  const regions = [...new Set(items.map(({ region }) => region))].sort()
  const wrong = (field: string) => violationOf(doing.error, field)
  if (doing.data?.hint) return <Registered cluster={doing.data} />
  return (
    <Form doing={doing} action="Register">
      <div className={styles.fields}>
        <TextInput
          label="Name"
          description="a-z, 0-9 and -"
          placeholder="berlin-1"
          required
          value={draft.name}
          error={wrong('/name')}
          onChange={(event) => set({ name: event.currentTarget.value })}
        />
        <TextInput
          label="Region"
          description="Where it is"
          placeholder="eu-central"
          list="regions-known"
          required
          value={draft.region}
          error={wrong('/region')}
          onChange={(event) => set({ region: event.currentTarget.value })}
        />
        <datalist id="regions-known">
          {regions.map((region) => (
            <option key={region} value={region} />
          ))}
        </datalist>
        <NativeSelect
          label="Isolation tier"
          description="How gateways are kept apart"
          data={[...isolationTiers]}
          value={draft.isolationTier}
          error={wrong('/isolationTier')}
          onChange={(event) => set({ isolationTier: event.currentTarget.value as IsolationTier })}
        />
        <NativeSelect
          label="Driver"
          description="What runs them"
          data={[
            { value: 'kubernetes', label: 'Kubernetes' },
            { value: 'local', label: 'Local: processes of this machine' },
          ]}
          value={draft.driver}
          error={wrong('/driver')}
          onChange={(event) => set({ driver: event.currentTarget.value as ClusterDriver })}
        />
      </div>
      <AmountFields draft={draft} onChange={set} wrong={wrong} />
      {draft.driver === 'kubernetes' && (
        <AccessFields
          access={draft.access}
          onChange={(access) => set({ access })}
          wrong={wrong}
          later="Neither now: nothing is placed on it"
        />
      )}
      <details className={styles.more}>
        <summary>Show CLI</summary>
        <CodeBlock text={registerCommand(draft)} label="Command" />
      </details>
    </Form>
  )
}

/** It is there, and something is left to do or to know. */
function Registered({ cluster: { name, state, hint } }: { cluster: RegisteredCluster }) {
  const href = useHref()
  return (
    <PageStack>
      <Note tone={state === 'ready' ? 'green' : 'blue'} title={`${name} is registered${state === 'ready' ? ' and ready' : ''}`}>
        <p>{hint}</p>
      </Note>
      <div>
        <Link to={href(clusterPath(name))}>Open {name}</Link>
      </div>
    </PageStack>
  )
}
