import { useMemo, type ReactNode } from 'react'
import { plural, shortHash } from '../lib/format.ts'
import type { GatewayView } from '../lib/objects/gateway.ts'
import { useHref } from '../lib/scope.ts'
import { DataTable, type Column } from './data-table.tsx'
import styles from './gateway-table.module.css'
import { ServersReady } from './servers-ready.tsx'
import { Since } from './since.tsx'
import { StateWord } from './state-word.tsx'

const columns: Column<GatewayView>[] = [
  { key: 'name', header: 'Name', sort: (one) => one.name, cell: (one) => <NameCell gateway={one} /> },
  { key: 'environment', header: 'Environment', sort: (one) => one.environment, cell: (one) => one.environment || '–' },
  { key: 'connection', header: 'Connection', sort: (one) => one.connection, cell: (one) => <StateWord word={one.connection} /> },
  { key: 'config', header: 'Config', sort: (one) => one.config.state, cell: (one) => <ConfigCell gateway={one} /> },
  { key: 'health', header: 'Health', sort: (one) => one.health, cell: (one) => <StateWord word={one.health} /> },
  {
    key: 'servers',
    header: 'Servers',
    align: 'right',
    sort: (one) => one.servers.ready - one.servers.total,
    cell: (one) => <ServersReady ready={one.servers.ready} desired={one.servers.total} />,
  },
  { key: 'version', header: 'Version', sort: (one) => one.version, cell: (one) => one.version || '–' },
  { key: 'seen', header: 'Last seen', align: 'right', sort: (one) => one.lastSeenAt, cell: (one) => <LastSeen gateway={one} /> },
]

/** Gateways with the three axes side by side: three facts, never one badge. */
export function GatewayTable({ gateways, empty }: { gateways: GatewayView[]; empty: ReactNode }) {
  const href = useHref()
  const rowHref = useMemo(() => (one: GatewayView) => href(`/gateways/${encodeURIComponent(one.name)}`), [href])
  return <DataTable caption="Gateways" rows={gateways} columns={columns} rowKey={rowKey} rowHref={rowHref} empty={empty} />
}

const rowKey = (one: GatewayView) => `${one.environment}/${one.name}`

const NameCell = ({ gateway: { name, origin } }: { gateway: GatewayView }) => (
  <span className={styles.name}>
    {name}
    {origin === 'managed' && <small> managed</small>}
  </span>
)

function ConfigCell({ gateway: { config } }: { gateway: GatewayView }) {
  const hash = config.applied?.hash ?? config.desired?.hash
  const held = config.heldBack.length
  const { pinned } = config
  return (
    <span className={styles.config}>
      <StateWord word={config.state} reason={config.reason} />
      {held > 0 && <StateWord word="held_back" reason={plural(held, 'server')} />}
      {pinned && <StateWord word="pinned" reason={`to ${pinned.generation}`} />}
      {hash && !config.reason && held === 0 && !pinned && <code title={hash}>{shortHash(hash)}</code>}
    </span>
  )
}

/** An online gateway was heard of just now; the stored time may be a minute old, so it is not shown as an age. */
function LastSeen({ gateway }: { gateway: GatewayView }) {
  return gateway.connection === 'online' ? <span>now</span> : <Since at={gateway.lastSeenAt} />
}
