import { Button, NativeSelect } from '@mantine/core'
import type { GatewayConfigEntry } from '@mcpg/proto/rest/gateways'
import { useMemo, useState } from 'react'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Loading } from '../../components/loading.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { Since } from '../../components/since.tsx'
import { PageStack } from '../../components/stack.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { shortHash } from '../../lib/format.ts'
import type { GatewayView } from '../../lib/objects/gateway.ts'
import { useUrlState } from '../../lib/scope.ts'
import { causeWords } from './cause-words.ts'
import { ConfigDiffView } from './config-diff.tsx'
import styles from './config-history.module.css'
import { HashTriptych } from './hash-triptych.tsx'
import { RollbackDialog } from './rollback-dialog.tsx'
import { useConfigs } from './use-configs.ts'

/** The configs a gateway got: what led to each, what differs between two, and the way back to one of them. */
export function ConfigHistory({ gateway }: { gateway: GatewayView }) {
  const { data, error } = useConfigs(gateway)
  const [asked, setAsked] = useState<GatewayConfigEntry>()
  const desired = gateway.config.desired?.generation
  const columns = useMemo(() => columnsOf(desired, setAsked), [desired])
  if (error && !data) return <ProblemNote error={error} />
  if (!data) return <Loading />
  return (
    <PageStack>
      <Card title="Config">
        <HashTriptych gateway={gateway} />
      </Card>
      <Card title="History" count={data.items.length} isFlush>
        <DataTable
          caption="History of configs"
          rows={data.items}
          columns={columns}
          rowKey={rowKey}
          isPlain
          empty={<EmptyState title="No config yet">It gets one as soon as a server is placed on it.</EmptyState>}
        />
      </Card>
      {data.items.length > 1 && <Compare gateway={gateway} entries={data.items} />}
      {asked && <RollbackDialog gateway={gateway} entry={asked} onClose={() => setAsked(undefined)} />}
    </PageStack>
  )
}

const rowKey = (one: GatewayConfigEntry) => String(one.generation)

const columnsOf = (desired: number | undefined, onAsk: (entry: GatewayConfigEntry) => void): Column<GatewayConfigEntry>[] => [
  { key: 'generation', header: 'Generation', cell: (one) => <b className={styles.generation}>{one.generation}</b> },
  {
    key: 'state',
    header: 'State',
    cell: (one) => (
      <span className={styles.states}>
        <StateWord word={one.state} reason={one.reason} />
        {one.pinned && <StateWord word="pinned" />}
      </span>
    ),
  },
  {
    key: 'cause',
    header: 'What led to it',
    cell: (one) => (
      <span className={styles.cause}>
        {causeWords(one.cause) || '–'}
        {one.message && <small>{one.message}</small>}
      </span>
    ),
  },
  { key: 'servers', header: 'Servers', align: 'right', cell: (one) => <span title={one.servers.join(', ')}>{one.servers.length}</span> },
  { key: 'hash', header: 'Hash', cell: (one) => <code title={one.hash}>{shortHash(one.hash)}</code> },
  { key: 'made', header: 'Made', align: 'right', cell: (one) => <Since at={one.createdAt} /> },
  {
    key: 'do',
    header: '',
    align: 'right',
    cell: (one) =>
      one.generation === desired ? (
        <span className={styles.quiet}>desired</span>
      ) : (
        <Button variant="default" size="xs" onClick={() => onAsk(one)}>
          Roll back…
        </Button>
      ),
  },
]

/** Any two of the history, in the address, so that a link shows the same. */
function Compare({ gateway, entries }: { gateway: GatewayView; entries: GatewayConfigEntry[] }) {
  const [from, setFrom] = useUrlState('from')
  const [to, setTo] = useUrlState('to')
  const known = (text: string, fallback: number) =>
    entries.some((one) => String(one.generation) === text) ? Number(text) : entries[fallback]!.generation
  const options = entries.map(({ generation, state }) => ({
    value: String(generation),
    label: `${generation} (${state.replaceAll('_', ' ')})`,
  }))
  const [older, newer] = [known(from, 1), known(to, 0)]
  return (
    <Card title="Difference">
      <div className={styles.choice}>
        <NativeSelect label="From" data={options} value={String(older)} onChange={(event) => setFrom(event.currentTarget.value)} />
        <NativeSelect label="To" data={options} value={String(newer)} onChange={(event) => setTo(event.currentTarget.value)} />
      </div>
      <ConfigDiffView gateway={gateway} from={older} to={newer} />
    </Card>
  )
}
