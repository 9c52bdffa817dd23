import type { ReactNode } from 'react'
import { Card } from './card.tsx'
import { EmptyState } from './empty-state.tsx'
import { Loaded } from './loaded.tsx'

/** Every list of objects: on its way, failed, nothing there yet, nothing that matches, or its rows. `found` are those that match. */
export function ObjectList<Row>({
  noun,
  items,
  found,
  error,
  filter,
  note,
  nothing,
  children,
}: {
  noun: string
  items: Row[] | undefined
  found: Row[] | undefined
  error: Error | null
  filter: (items: Row[]) => ReactNode
  /** Between filter and rows. */
  note?: ReactNode
  /** While there is nothing at all: what it is for, and what to do. */
  nothing: ReactNode
  /** Draws the rows, or what stands in their place. */
  children: (rows: Row[], empty: ReactNode) => ReactNode
}) {
  return (
    <Loaded data={items} error={error}>
      {(all) => (
        <div>
          {filter(all)}
          {note}
          <Card isFlush>
            {children(
              found ?? [],
              all.length === 0 ? nothing : <EmptyState title={`No ${noun} matches`}>{all.length} are hidden by the filter.</EmptyState>,
            )}
          </Card>
        </div>
      )}
    </Loaded>
  )
}
