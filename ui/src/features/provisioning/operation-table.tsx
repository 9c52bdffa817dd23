import type { Operation } from '@mcpg/proto/rest/operations'
import type { ReactNode } from 'react'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Since } from '../../components/since.tsx'
import { capital, spellDuration } from '../../lib/format.ts'
import { operationPage } from '../../lib/pages.ts'
import { useHref } from '../../lib/scope.ts'
import { OperationState } from './operation-state.tsx'
import { shapeText } from './parameters.ts'

/** Operations, newest first; each leads to its events. */
export function OperationTable({ operations, isOfOne = false, empty }: { operations: Operation[]; isOfOne?: boolean; empty: ReactNode }) {
  const href = useHref()
  return (
    <DataTable
      isPlain
      caption="Operations"
      rows={operations}
      columns={isOfOne ? columns.filter(({ key }) => key !== 'environment') : columns}
      rowKey={(one) => one.id}
      rowHref={(one) => href(operationPage(one.id))}
      empty={empty}
    />
  )
}

const columns: Column<Operation>[] = [
  { key: 'what', header: 'What', cell: (one) => `${capital(one.kind)} ${one.gateway.name}` },
  { key: 'state', header: 'State', cell: (one) => <OperationState operation={one} /> },
  { key: 'environment', header: 'Environment', cell: (one) => `${one.workspace}/${one.environment}` },
  { key: 'cluster', header: 'Cluster', cell: (one) => one.cluster ?? '–' },
  { key: 'parameters', header: 'Asked for', cell: (one) => (one.kind === 'delete' ? '–' : shapeText(one.parameters)) },
  { key: 'by', header: 'By', cell: (one) => one.startedBy },
  {
    key: 'took',
    header: 'Took',
    align: 'right',
    cell: (one) => (one.finishedAt ? spellDuration(Date.parse(one.finishedAt) - Date.parse(one.createdAt)) : '–'),
  },
  { key: 'started', header: 'Started', align: 'right', cell: (one) => <Since at={one.createdAt} /> },
]
