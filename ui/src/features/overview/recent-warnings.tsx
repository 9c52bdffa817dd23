import { useMemo } from 'react'
import { Link } from 'react-router'
import { Card } from '../../components/card.tsx'
import { EventTable } from '../../components/event-table.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { byTime, eventView } from '../../lib/objects/event.ts'
import { useHref } from '../../lib/scope.ts'

const maxShown = 8

/** The last warnings, gone once there are none; what is broken now stands above under "Needs attention". */
export function RecentWarnings() {
  const { items } = useObjects('Event', eventView)
  const href = useHref()
  const warnings = useMemo(() => byTime((items ?? []).filter((one) => one.isWarning)), [items])
  if (warnings.length === 0) return null
  return (
    <Card title="Recent warnings" count={warnings.length} isFlush action={<Link to={href('/events')}>All events</Link>}>
      <EventTable events={warnings.slice(0, maxShown)} empty={null} />
    </Card>
  )
}
