import { useState } from 'react'
import { useObjects } from '../lib/live/use-objects.ts'
import { byTime, eventView, type EventView } from '../lib/objects/event.ts'
import { Card } from './card.tsx'
import { EmptyState } from './empty-state.tsx'
import { EventTable } from './event-table.tsx'
import { Toggle } from './toggle.tsx'

/** Rows drawn at once; the page of all events filters. */
const maxShown = 100

/** What happened to one object in the last day, live. */
export function EventCard({ isAbout, what }: { isAbout: (event: EventView) => boolean; what: string }) {
  const { items = [] } = useObjects('Event', eventView)
  const [isLoud, setLoud] = useState(false)
  const own = items.filter(isAbout)
  const shown = byTime(own.filter((one) => one.isWarning || !isLoud)).slice(0, maxShown)
  return (
    <Card
      title="Events"
      count={own.length}
      isFlush
      action={
        <Toggle isOn={isLoud} onClick={() => setLoud(!isLoud)}>
          Warnings only
        </Toggle>
      }
    >
      <EventTable
        events={shown}
        empty={
          <EmptyState title={isLoud && own.length > 0 ? 'No warning' : 'No event'}>Nothing was told of {what} in the last 24 h.</EmptyState>
        }
      />
    </Card>
  )
}
