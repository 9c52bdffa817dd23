import type { ConditionView } from '../lib/objects/condition.ts'
import { DataTable, type Column } from './data-table.tsx'
import { Since } from './since.tsx'

const columns: Column<ConditionView>[] = [
  { key: 'type', header: 'Type', cell: (one) => one.type },
  { key: 'status', header: 'Status', cell: (one) => one.status },
  { key: 'reason', header: 'Reason', cell: (one) => one.reason || '–' },
  { key: 'message', header: 'Message', cell: (one) => one.message || '–' },
  { key: 'since', header: 'Since', align: 'right', cell: (one) => <Since at={one.since} bare /> },
]

const rowKey = (one: ConditionView) => one.type

/** Conditions in Kubernetes' shape, as the API gives them. */
export const ConditionTable = ({ conditions }: { conditions: ConditionView[] }) => (
  <DataTable caption="Conditions" rows={conditions} columns={columns} rowKey={rowKey} isPlain empty={null} />
)
