import { Button } from '@mantine/core'
import { isolationTiers } from '@mcpg/proto/managed-gateways'
import type { Cluster } from '@mcpg/proto/rest/clusters'
import { IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { countWords, FilterBar, matches } from '../../components/filter-bar.tsx'
import { ObjectList } from '../../components/object-list.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { useClusters } from '../../lib/clusters.ts'
import { clusterPath } from '../../lib/pages.ts'
import { useMayThere } from '../../lib/rights.ts'
import { useHref, useUrlState } from '../../lib/scope.ts'
import { CpuBar, GatewaysBar, MemoryBar } from './capacity.tsx'
import styles from './clusters.module.css'
import { emptyDraft, registerCommand } from './draft.ts'
import { RegisterForm } from './register-form.tsx'
import { warningsOf } from './warnings.ts'

/** Where managed gateways may run. Those that were given up stay behind their chip. */
export function Clusters() {
  const { items, error } = useClusters()
  const href = useHref()
  const mayRegister = useMayThere({ operation: 'cluster-admin' })
  const [isRegistering, setRegistering] = useState(false)
  const register = mayRegister && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setRegistering(true)}>
      Register a cluster
    </Button>
  )
  const [text] = useUrlState('q')
  const [state] = useUrlState('state')
  const found = items?.filter(
    (one) =>
      (state ? one.state === state : one.state !== 'decommissioned') &&
      matches(text, one.name, one.region, one.isolationTier, ...Object.entries(one.labels).map((pair) => pair.join('='))),
  )
  return (
    <>
      <PageHead
        title="Clusters"
        actions={
          <>
            <ShowCli
              commands={[
                { what: 'List', command: 'mcpg-ctl cluster list', isScoped: true },
                { what: 'Health', command: 'mcpg-ctl cluster health', isScoped: true },
                ...(mayRegister ? [{ what: 'Register', command: registerCommand(emptyDraft), isScoped: true }] : []),
              ]}
            />
            {register}
          </>
        }
      >
        Where managed gateways run, and what is reserved of it.
      </PageHead>
      <ObjectList
        noun="cluster"
        items={items}
        found={found}
        error={error}
        filter={(all) => (
          <FilterBar label="Filter by name, region, tier or label" facet="state" counts={countWords(all.map((one) => one.state))} />
        )}
        nothing={
          <EmptyState title="No cluster yet" action={register}>
            The control plane places managed gateways on clusters that are registered.
          </EmptyState>
        }
      >
        {(rows, empty) => (
          <DataTable
            caption="Clusters"
            rows={rows}
            columns={columns}
            rowKey={(one) => one.id}
            rowHref={(one) => href(clusterPath(one.name))}
            empty={empty}
          />
        )}
      </ObjectList>
      {isRegistering && (
        <Dialog title="Register a cluster" onClose={() => setRegistering(false)}>
          <RegisterForm />
        </Dialog>
      )}
    </>
  )
}

const columns: Column<Cluster>[] = [
  { key: 'name', header: 'Name', sort: (one) => one.name, cell: (one) => one.name },
  {
    key: 'state',
    header: 'State',
    sort: (one) => one.state,
    cell: (one) => <StateWord word={one.state} />,
  },
  { key: 'region', header: 'Region', sort: (one) => one.region, cell: (one) => <span className={styles.word}>{one.region}</span> },
  {
    key: 'tier',
    header: 'Tier',
    sort: (one) => isolationTiers.indexOf(one.isolationTier),
    cell: (one) => one.isolationTier,
  },
  {
    key: 'gateways',
    header: 'Gateways',
    sort: (one) => one.gateways.reserved / one.gateways.max,
    cell: (one) => <GatewaysBar cluster={one} />,
  },
  { key: 'cpu', header: 'CPU', cell: (one) => <CpuBar cluster={one} /> },
  { key: 'memory', header: 'Memory', cell: (one) => <MemoryBar cluster={one} /> },
  { key: 'health', header: 'Health', cell: (one) => <Health cluster={one} /> },
]

function Health({ cluster }: { cluster: Cluster }) {
  const warnings = warningsOf(cluster)
  if (cluster.state === 'decommissioned') return <>–</>
  return (
    <div className={styles.health}>
      {warnings.length === 0 ? (
        <StateWord word="healthy" />
      ) : (
        <ul className={styles.warnings}>
          {warnings.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      <small>
        {cluster.lastProbeAt ? (
          <>
            probed <Since at={cluster.lastProbeAt} />
          </>
        ) : (
          'never probed'
        )}
      </small>
    </div>
  )
}
