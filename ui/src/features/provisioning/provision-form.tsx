import { Checkbox, NativeSelect, Radio, TextInput } from '@mantine/core'
import { isolationTiers } from '@mcpg/proto/managed-gateways'
import { gatewaySizes, type GatewaySize } from '@mcpg/proto/managed-gateways'
import type { GatewayParameters, StartedOperation } from '@mcpg/proto/rest/provisioning'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { CodeBlock } from '../../components/code-block.tsx'
import { Form } from '../../components/form.tsx'
import { Note } from '../../components/note.tsx'
import { postJson, violationOf } from '../../lib/api.ts'
import { useClusters } from '../../lib/clusters.ts'
import { useObjects } from '../../lib/live/use-objects.ts'
import { gatewayView } from '../../lib/objects/gateway.ts'
import { operationsKey } from '../../lib/operations/use-operations.ts'
import { operationPage } from '../../lib/pages.ts'
import { environmentPath, workspacePath, type Workspace } from '../../lib/paths.ts'
import { useHref } from '../../lib/scope.ts'
import { useNames } from '../../lib/tenancy.ts'
import { HostnameField } from './hostname-field.tsx'
import { InProgress } from './in-progress.tsx'
import { createCommand, sizeText } from './parameters.ts'
import { candidates } from './placement.ts'
import styles from './provision-form.module.css'

export type Start = { name: string; environment: string; parameters?: Partial<GatewayParameters> }

/** As the fields hold it. */
type Draft = {
  name: string
  environment: string
  size: GatewaySize
  replicas: string
  /** Empty: a fixed number. */
  maxReplicas: string
  imageTag: string
  region: string
  isolationTier: string
  allowHigherTier: boolean
  clusterSelector: string
  strategy: 'binpack' | 'spread'
  customHostname: string
}

const sizes: Record<GatewaySize, string> = { s: 'Small', m: 'Medium', l: 'Large' }

export function ProvisionForm({ scope, start, isChange }: { scope: Workspace; start: Start; isChange: boolean }) {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const href = useHref()
  const [draft, setDraft] = useState(() => draftOf(start))
  const set = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const parameters = parametersOf(draft)
  const doing = useMutation({
    mutationFn: () =>
      postJson<StartedOperation>(`${environmentPath(scope, draft.environment)}/gateways`, { name: draft.name.trim(), ...parameters }),
    onSuccess: async ({ operationId }) => {
      void queries.invalidateQueries({ queryKey: operationsKey(scope.org) })
      void queries.invalidateQueries({ queryKey: ['deployment'] })
      await navigate(href(operationPage(operationId)))
    },
  })
  const wrong = (field: string) => violationOf(doing.error, field)
  return (
    <Form
      doing={doing}
      action={isChange ? 'Change it' : 'Provision'}
      answer={<InProgress error={doing.error} gateway={draft.name.trim()} />}
    >
      <div className={styles.fields}>
        <TextInput
          label="Name"
          description="a-z, 0-9 and -"
          placeholder="edge-1"
          required
          disabled={isChange}
          value={draft.name}
          error={wrong('/name')}
          onChange={(event) => set({ name: event.currentTarget.value })}
        />
        <EnvironmentField scope={scope} draft={draft} isChange={isChange} onChange={(environment) => set({ environment })} />
      </div>
      {!isChange && <Namesake draft={draft} />}
      <Radio.Group label="Size of each replica" value={draft.size} onChange={(size) => set({ size: size as GatewaySize })}>
        <div className={styles.sizes}>
          {(Object.keys(gatewaySizes) as GatewaySize[]).map((size) => (
            <Radio.Card key={size} value={size} className={styles.size!} aria-label={`${sizes[size]}: ${sizeText(size)}`}>
              <Radio.Indicator />
              <span>
                <b>{sizes[size]}</b>
                <small>{sizeText(size)}</small>
              </span>
            </Radio.Card>
          ))}
        </div>
      </Radio.Group>
      <div className={styles.fields}>
        <TextInput
          label="Replicas"
          description="Each is a gateway of its own"
          type="number"
          min={1}
          max={100}
          required
          value={draft.replicas}
          error={wrong('/replicas')}
          onChange={(event) => set({ replicas: event.currentTarget.value })}
        />
        <TextInput
          label="Replicas by load, at most"
          description="Empty: a fixed number"
          type="number"
          min={2}
          max={100}
          value={draft.maxReplicas}
          error={wrong('/maxReplicas')}
          onChange={(event) => set({ maxReplicas: event.currentTarget.value })}
        />
        <TextInput
          label="Image tag"
          description="Version of the agent"
          value={draft.imageTag}
          error={wrong('/imageTag')}
          onChange={(event) => set({ imageTag: event.currentTarget.value })}
        />
      </div>
      {isChange ? (
        <p className={styles.aside}>
          It stays on its cluster{draft.region && `, of the region ${draft.region}`}, and keeps its tier. To have it elsewhere, drain the
          cluster, or delete it and make it anew.
        </p>
      ) : (
        <Place draft={draft} set={set} wrong={wrong} />
      )}
      <HostnameField
        org={scope.org}
        gateway={draft.name.trim()}
        value={draft.customHostname}
        before={start.parameters?.customHostname}
        error={wrong('/customHostname')}
        onChange={(customHostname) => set({ customHostname })}
      />
      <details className={styles.more}>
        <summary>Show CLI</summary>
        <CodeBlock text={createCommand({ ...scope, environment: draft.environment }, draft.name.trim(), parameters)} label="Command" />
      </details>
    </Form>
  )
}

/** The same name again is no second gateway. */
function Namesake({ draft: { name, environment } }: { draft: Draft }) {
  const { items = [] } = useObjects('Gateway', gatewayView)
  const known = items.find((one) => one.name === name.trim() && one.environment === environment && one.origin === 'managed')
  if (!known) return null
  return (
    <Note tone="amber" title={`There is ${known.name} already, and the control plane runs it`}>
      <p>It is brought to these values in place, and stays on its cluster.</p>
    </Note>
  )
}

function EnvironmentField({
  scope,
  draft: { environment },
  isChange,
  onChange,
}: {
  scope: Workspace
  draft: Draft
  isChange: boolean
  onChange: (environment: string) => void
}) {
  const names = useNames(`${workspacePath(scope)}/environments`)
  return (
    <NativeSelect
      label="Environment"
      description={`Of ${scope.org} / ${scope.workspace}`}
      disabled={isChange}
      data={names.includes(environment) ? names : [environment, ...names]}
      value={environment}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}

/** Where it may run, from the clusters that the control plane knows. */
function Place({ draft, set, wrong }: { draft: Draft; set: (part: Partial<Draft>) => void; wrong: (field: string) => string | undefined }) {
  const { items = [] } = useClusters()
  const usable = items.filter(({ state }) => state !== 'decommissioned')
  const regions = [...new Set(usable.map(({ region }) => region))].sort()
  const tiers = isolationTiers.map((tier) => {
    const count = usable.filter((one) => one.isolationTier === tier).length
    return { value: tier, label: count === 0 ? `${tier} (no cluster)` : tier }
  })
  return (
    <>
      <div className={styles.fields}>
        <NativeSelect
          label="Region"
          data={[{ value: '', label: 'Any' }, ...(draft.region && !regions.includes(draft.region) ? [draft.region] : []), ...regions]}
          value={draft.region}
          error={wrong('/region')}
          onChange={(event) => set({ region: event.currentTarget.value })}
        />
        <NativeSelect
          label="Isolation tier"
          data={tiers}
          value={draft.isolationTier}
          error={wrong('/isolationTier')}
          onChange={(event) => set({ isolationTier: event.currentTarget.value })}
        />
      </div>
      {items.length > 0 && <Candidates text={candidates(draft, items)} />}
      <details className={styles.more}>
        <summary>More about where</summary>
        <div className={styles.fields}>
          <TextInput
            label="Cluster selector"
            description="Labels of the cluster"
            placeholder="disk=ssd"
            value={draft.clusterSelector}
            error={wrong('/clusterSelector')}
            onChange={(event) => set({ clusterSelector: event.currentTarget.value })}
          />
          <NativeSelect
            label="Strategy"
            description="Among the clusters that fit"
            data={[
              { value: 'binpack', label: 'Fill one up' },
              { value: 'spread', label: 'Spread over them' },
            ]}
            value={draft.strategy}
            onChange={(event) => set({ strategy: event.currentTarget.value === 'spread' ? 'spread' : 'binpack' })}
          />
          <Checkbox
            label="A stricter tier will do, too"
            checked={draft.allowHigherTier}
            onChange={(event) => set({ allowHigherTier: event.currentTarget.checked })}
          />
        </div>
      </details>
    </>
  )
}

const Candidates = ({ text: { text, isNone } }: { text: { text: string; isNone: boolean } }) => (
  <p className={styles.aside} data-none={isNone || undefined} role="status">
    {text}
  </p>
)

function draftOf({ name, environment, parameters = {} }: Start): Draft {
  const { size = 's', replicas = 1, maxReplicas = '', imageTag = 'latest', strategy = 'binpack', allowHigherTier = false } = parameters
  const { region = '', isolationTier = 'shared', clusterSelector = '', customHostname = '' } = parameters
  return {
    name,
    environment,
    size,
    replicas: String(replicas),
    maxReplicas: String(maxReplicas),
    imageTag,
    region,
    isolationTier,
    allowHigherTier,
    clusterSelector,
    strategy,
    customHostname,
  }
}

/** What is a default of the control plane is left out. */
function parametersOf(draft: Draft): Partial<GatewayParameters> {
  const { size, replicas, maxReplicas, imageTag, region, isolationTier, allowHigherTier, clusterSelector, strategy, customHostname } = draft
  return {
    size,
    replicas: Number(replicas),
    ...(maxReplicas !== '' && { maxReplicas: Number(maxReplicas) }),
    imageTag: imageTag.trim(),
    ...(region && { region }),
    ...(isolationTier !== 'shared' && { isolationTier: isolationTier as NonNullable<GatewayParameters['isolationTier']> }),
    ...(allowHigherTier && { allowHigherTier }),
    ...(clusterSelector.trim() && { clusterSelector: clusterSelector.trim() }),
    ...(strategy === 'spread' && { strategy }),
    ...(customHostname.trim() && { customHostname: customHostname.trim() }),
  }
}
