import type { Cluster, ClusterGateways } from '@mcpg/proto/rest/clusters'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Loaded } from '../../components/loaded.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { useClusterGateways } from '../../lib/clusters.ts'
import { gatewayPath } from '../../lib/pages.ts'
import { hrefIn } from '../../lib/scope.ts'

type Here = ClusterGateways['items'][number]

/** Who has a place on a cluster, of every organization. */
export function GatewaysHere({ cluster }: { cluster: Cluster }) {
  const { data, error } = useClusterGateways(cluster)
  return (
    <Card title="Gateways here" count={data?.items.length} isFlush>
      <Loaded data={data?.items} error={error}>
        {(rows) => (
          <DataTable
            isPlain
            caption="Gateways here"
            rows={rows}
            columns={columns}
            rowKey={(one) => one.instanceUid}
            rowHref={(one) => hrefIn({ ...one, environment: undefined }, gatewayPath(one.name))}
            empty={
              <EmptyState title="No gateway is here">One is placed here when it is provisioned and this cluster fits best.</EmptyState>
            }
          />
        )}
      </Loaded>
    </Card>
  )
}

const words: Record<Here['state'], string> = { creating: 'starting', ready: 'ready', deleting: 'stopping' }

const columns: Column<Here>[] = [
  { key: 'name', header: 'Gateway', cell: (one) => one.name },
  { key: 'place', header: 'Of', cell: ({ org, workspace, environment }) => `${org}/${workspace}/${environment}` },
  { key: 'state', header: 'State', cell: ({ state }) => <StateWord word={words[state]} /> },
  { key: 'uid', header: 'Instance uid', cell: ({ instanceUid }) => <code>{instanceUid}</code> },
]
