import { isolationTiers } from '@mcpg/proto/managed-gateways'
import type { Cluster } from '@mcpg/proto/rest/clusters'
import { Card } from '../../components/card.tsx'
import { CodeBlock } from '../../components/code-block.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { countWords, FilterBar, matches } from '../../components/filter-bar.tsx'
import { Loading } from '../../components/loading.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { PageStack } from '../../components/stack.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { useClusters } from '../../lib/clusters.ts'
import { clusterPath } from '../../lib/pages.ts'
import { useMay } from '../../lib/rights.ts'
import { useHref, useUrlState } from '../../lib/scope.ts'
import { CpuBar, GatewaysBar, MemoryBar } from './capacity.tsx'
import styles from './clusters.module.css'
import { warningsOf } from './warnings.ts'

const register = 'mcpg-ctl cluster register --name <name> --region <region> --gateways-max <n>'

/** Where managed gateways may run. Those that were given up stay behind their chip. */
export function Clusters() {
  const { items, error } = useClusters()
  const href = useHref()
  const mayRegister = useMay({ operation: 'cluster-admin' })
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
          <ShowCli
            commands={[
              { what: 'List', command: 'mcpg-ctl cluster list', isScoped: true },
              { what: 'Health', command: 'mcpg-ctl cluster health', isScoped: true },
              ...(mayRegister ? [{ what: 'Register', command: register, isScoped: true }] : []),
            ]}
          />
        }
      >
        Where managed gateways run, and what is reserved of it.
      </PageHead>
      {error && <ProblemNote error={error} />}
      {!items && !error && <Loading />}
      {items && (
        <PageStack>
          <div>
            <FilterBar label="Filter by name, region, tier or label" facet="state" counts={countWords(items.map((one) => one.state))} />
            <Card isFlush>
              <DataTable
                caption="Clusters"
                rows={found ?? []}
                columns={columns}
                rowKey={(one) => one.id}
                rowHref={(one) => href(clusterPath(one.name))}
                empty={
                  items.length === 0 ? (
                    <EmptyState title="No cluster yet">
                      The control plane places managed gateways on clusters that are registered.
                    </EmptyState>
                  ) : (
                    <EmptyState title="No cluster matches">{items.length} are hidden by the filter.</EmptyState>
                  )
                }
              />
            </Card>
          </div>
          {mayRegister && (
            <Card title="Register another one">
              <p className={styles.register}>Credentials of a cluster stay with who has them, so it is registered from the command line.</p>
              <CodeBlock text={register} label="Command" />
            </Card>
          )}
        </PageStack>
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
