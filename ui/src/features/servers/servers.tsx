import { CodeBlock } from '../../components/code-block.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { countWords, FilterBar, matches } from '../../components/filter-bar.tsx'
import { ObjectList } from '../../components/object-list.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ServerSource } from '../../components/server-source.tsx'
import { ServersReady } from '../../components/servers-ready.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { overallState, serverView, type ServerView } from '../../lib/objects/server.ts'
import { useHref, useUrlState } from '../../lib/scope.ts'

export function Servers() {
  const { items, error } = useObjects('Server', serverView)
  const href = useHref()
  const [text] = useUrlState('q')
  const [state] = useUrlState('state')
  const found = items?.filter(
    (one) =>
      (!state || overallState(one) === state) &&
      matches(
        text,
        one.name,
        one.source.text,
        ...one.gateways.map((on) => on.gateway),
        ...Object.entries(one.labels).map((pair) => pair.join('=')),
      ),
  )
  return (
    <>
      <PageHead
        title="Servers"
        actions={
          <ShowCli
            commands={[
              { what: 'List', command: 'mcpg-ctl get servers -o wide' },
              { what: 'Add or change', command: 'mcpg-ctl apply -f servers.yaml --wait' },
            ]}
          />
        }
      />
      <ObjectList
        noun="server"
        items={items}
        found={found}
        error={error}
        filter={(all) => <FilterBar label="Filter by name, source or gateway" facet="state" counts={countWords(all.map(overallState))} />}
        nothing={<NoServers />}
      >
        {(rows, empty) => (
          <DataTable
            caption="Servers"
            rows={rows}
            columns={columns}
            rowKey={rowKey}
            rowHref={(one) => href(`/servers/${encodeURIComponent(one.name)}`)}
            empty={empty}
          />
        )}
      </ObjectList>
    </>
  )
}

const rowKey = (one: ServerView) => one.name

const columns: Column<ServerView>[] = [
  { key: 'name', header: 'Name', sort: (one) => one.name, cell: (one) => one.name },
  { key: 'state', header: 'State', sort: overallState, cell: (one) => <State server={one} /> },
  {
    key: 'ready',
    header: 'Ready',
    align: 'right',
    sort: (one) => one.ready - one.desired,
    cell: (one) => <ServersReady ready={one.ready} desired={one.desired} />,
  },
  { key: 'tools', header: 'Tools', align: 'right', sort: (one) => one.tools, cell: (one) => one.tools },
  { key: 'source', header: 'Source', sort: (one) => one.source.text, cell: (one) => <ServerSource source={one.source} /> },
  { key: 'gateways', header: 'Gateways', sort: (one) => one.placed, cell: (one) => gatewaysOf(one) },
  { key: 'age', header: 'Age', align: 'right', sort: (one) => one.createdAt, cell: (one) => <Since at={one.createdAt} bare /> },
]

function State({ server }: { server: ServerView }) {
  const held = server.gateways.filter((on) => on.heldBack)
  if (held.length > 0) return <StateWord word="held_back" reason={held[0]?.heldBack?.reason} />
  const word = overallState(server)
  const bad = server.gateways.find((on) => on.state === word && on.reason)
  const unplaced = server.conditions.find((one) => one.type === 'Unplaced' && one.status === 'True')
  return <StateWord word={word} reason={word === 'unplaced' ? unplaced?.reason : bad?.reason} />
}

function gatewaysOf({ gateways }: ServerView): string {
  if (gateways.length === 0) return '–'
  const names = gateways.slice(0, 2).map((on) => on.gateway)
  return gateways.length > 2 ? `${names.join(', ')} +${gateways.length - 2}` : names.join(', ')
}

function NoServers() {
  return (
    <EmptyState title="No server yet">
      <p>Describe one in a manifest and apply it; every gateway it is placed on runs it.</p>
      <CodeBlock
        label="Command"
        text={`mcpg-ctl apply -f - <<'EOF'\nservers:\n  - name: everything\n    package:\n      runtime: node\n      name: "@modelcontextprotocol/server-everything"\nEOF`}
      />
    </EmptyState>
  )
}
