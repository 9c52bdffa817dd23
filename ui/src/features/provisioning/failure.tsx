import type { OperationEvent, PassedOver } from '@mcpg/proto/rest/operations'
import type { ReactNode } from 'react'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Note } from '../../components/note.tsx'
import { capital } from '../../lib/format.ts'
import { remediesOf } from './remedy.ts'

/** Why it came to nothing, what to do about it, and of a missing room why each cluster was passed over. */
export function Failure({ last, action }: { last: OperationEvent; action: ReactNode }) {
  const { error, message, passedOver = [] } = last
  const isCancelled = error?.reason === 'cancelled'
  const title = isCancelled
    ? 'It was cancelled, and what was done is taken back'
    : passedOver.length > 0
      ? 'No cluster has room for it'
      : message || 'It failed'
  return (
    <>
      <Note tone={isCancelled ? 'gray' : 'red'} title={title} isAlert={!isCancelled} action={action}>
        {remediesOf(last).map((text) => (
          <p key={text}>{text}</p>
        ))}
      </Note>
      {passedOver.length > 0 && (
        <Card title="Passed over" count={passedOver.length} isFlush>
          <DataTable isPlain caption="Clusters that were passed over" rows={passedOver} columns={columns} rowKey={rowKey} empty={null} />
        </Card>
      )}
    </>
  )
}

const rowKey = (one: PassedOver) => one.cluster

const columns: Column<PassedOver>[] = [
  { key: 'cluster', header: 'Cluster', cell: (one) => one.cluster },
  { key: 'reason', header: 'Reason', cell: (one) => capital(one.reason) },
  { key: 'detail', header: 'Why', cell: (one) => one.detail },
]
