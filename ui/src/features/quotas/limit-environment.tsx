import { NativeSelect } from '@mantine/core'
import type { Quotas } from '@mcpg/proto/rest/quotas'
import { useState } from 'react'
import { PageStack } from '../../components/stack.tsx'
import { useNames } from '../../lib/tenancy.ts'
import { workspacePath, workspacesPath } from '../../lib/paths.ts'
import { QuotaForm, type Place } from './quota-form.tsx'
import styles from './quotas.module.css'

/** Chooses an environment, also one that has neither a limit nor a gateway yet, and limits it. */
export function LimitEnvironment({ org, start, quotas, onDone }: { org: string; start: Place; quotas: Quotas; onDone: () => void }) {
  const [place, setPlace] = useState(start)
  const workspaces = useNames(workspacesPath(org))
  const environments = useNames(`${workspacePath({ org, workspace: place.workspace })}/environments`)
  const { workspace, environment } = place
  const known = quotas.environments.find((one) => one.workspace === workspace && one.environment === environment)
  const quota = known ?? { limits: {}, used: { gateways: 0, cpuMillicores: 0, memoryBytes: 0 } }
  return (
    <PageStack>
      <div className={styles.fields}>
        <NativeSelect
          label="Workspace"
          data={withOwn(workspace, workspaces)}
          value={workspace}
          onChange={(event) => setPlace({ workspace: event.currentTarget.value, environment: 'default' })}
        />
        <NativeSelect
          label="Environment"
          data={withOwn(environment, environments)}
          value={environment}
          onChange={(event) => setPlace({ workspace, environment: event.currentTarget.value })}
        />
      </div>
      <QuotaForm key={`${workspace}/${environment}`} org={org} place={place} quota={quota} onDone={onDone} />
    </PageStack>
  )
}

const withOwn = (own: string, names: string[]): string[] => (names.includes(own) ? names : [own, ...names])
