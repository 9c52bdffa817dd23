import type { Operation, OperationEvent, PassedOver } from '@mcpg/proto/rest/operations'
import type { ExceededQuota } from '@mcpg/proto/rest/quotas'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Note } from '../../components/note.tsx'
import { capital, plural, spellBytes, spellCpu } from '../../lib/format.ts'
import { hrefIn } from '../../lib/scope.ts'
import { remediesOf } from './remedy.ts'

/** Why it came to nothing, what to do about it, and of a missing room why each cluster was passed over. */
export function Failure({ operation, last, action }: { operation: Operation; last: OperationEvent; action: ReactNode }) {
  const { error, message, passedOver = [], exceeded = [] } = last
  const isCancelled = error?.reason === 'cancelled'
  const title = isCancelled
    ? 'It was cancelled, and what was done is taken back'
    : passedOver.length > 0
      ? 'No cluster can take it'
      : exceeded.length > 0
        ? 'More than the quota allows'
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
      {exceeded.length > 0 && (
        <Card
          title="Quotas that do not allow it"
          count={exceeded.length}
          isFlush
          action={<Link to={hrefIn({ ...operation, environment: undefined }, '/quotas')}>All quotas of {operation.org}</Link>}
        >
          <DataTable isPlain caption="Exceeded quotas" rows={exceeded} columns={quotaColumns} rowKey={quotaKey} empty={null} />
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

const spellings: Record<ExceededQuota['amount'], (value: number) => string> = {
  gateways: (value) => plural(value, 'gateway'),
  cpuMillicores: spellCpu,
  memoryBytes: spellBytes,
}
const spell = ({ amount }: ExceededQuota, value: number): string => spellings[amount](value)
const quotaKey = ({ quota, amount }: ExceededQuota) => `${quota} ${amount}`

const quotaColumns: Column<ExceededQuota>[] = [
  { key: 'quota', header: 'Quota of', cell: (one) => (one.quota === 'org' ? 'the organization' : one.quota) },
  { key: 'used', header: 'Taken', cell: (one) => spell(one, one.used) },
  { key: 'of', header: 'Of', cell: (one) => spell(one, one.of) },
  { key: 'asked', header: 'Asked for', cell: (one) => spell(one, one.asked) },
]
