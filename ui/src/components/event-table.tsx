import { Link } from 'react-router'
import { gatewayPath, serverPath } from '../lib/pages.ts'
import type { EventView } from '../lib/objects/event.ts'
import { useHref } from '../lib/scope.ts'
import { DataTable, type Column } from './data-table.tsx'
import styles from './event-table.module.css'
import { Mark } from './mark.tsx'
import { Since } from './since.tsx'

/** What happened, newest first; the same thing again counts up in its row. */
export function EventTable({ events, empty }: { events: EventView[]; empty: React.ReactNode }) {
  return <DataTable caption="Events" rows={events} columns={columns} rowKey={rowKey} isPlain empty={empty} />
}

const rowKey = (one: EventView) => one.name

const columns: Column<EventView>[] = [
  {
    key: 'last',
    header: 'Last',
    cell: (one) => (
      <span className={styles.time}>
        <Since at={one.lastAt} />
      </span>
    ),
  },
  {
    key: 'reason',
    header: 'Reason',
    cell: (one) => (
      <span className={styles.reason}>
        <Mark shape={one.isWarning ? 'triangle' : 'circle'} tone={one.isWarning ? 'amber' : 'gray'} />
        <span className={styles.spoken}>{one.isWarning ? 'Warning: ' : ''}</span>
        {one.reason}
      </span>
    ),
  },
  { key: 'object', header: 'Object', cell: (one) => <ObjectCell event={one} /> },
  { key: 'message', header: 'Message', cell: (one) => <span className={styles.message}>{one.message || '–'}</span> },
  {
    key: 'count',
    header: 'Times',
    align: 'right',
    cell: (one) =>
      one.count > 1 ? (
        <span className={styles.time}>
          {one.count}
          <small>
            {' since '}
            <Since at={one.firstAt} bare />
          </small>
        </span>
      ) : (
        '1'
      ),
  },
]

function ObjectCell({ event: { kind, object, server, gateway } }: { event: EventView }) {
  const href = useHref()
  // An instance is shown where its server is.
  const path = kind === 'Gateway' ? gatewayPath(object) : server ? serverPath(server) : undefined
  return (
    <>
      {path ? (
        <Link className={styles.object!} to={href(path)}>
          {object}
        </Link>
      ) : (
        <span className={styles.object}>{object}</span>
      )}
      <div className={styles.kind}>
        {kind.toLowerCase()}
        {gateway && gateway !== object && (
          <>
            {' on '}
            <Link to={href(gatewayPath(gateway))}>{gateway}</Link>
          </>
        )}
      </div>
    </>
  )
}
