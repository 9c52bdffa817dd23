import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { EventTable } from '../../components/event-table.tsx'
import { countWords, FilterBar, matches } from '../../components/filter-bar.tsx'
import { Loaded } from '../../components/loaded.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { byTime, eventView, type EventView } from '../../lib/objects/event.ts'
import { useUrlState } from '../../lib/scope.ts'

/** Rows drawn at once. */
const maxShown = 300

/** Everything that happened in the workspace in the last day. */
export function Events() {
  const { items, error } = useObjects('Event', eventView)
  const [text] = useUrlState('q')
  const [type] = useUrlState('type')
  const found = byTime(
    (items ?? []).filter(
      (one) => (!type || typeOf(one) === type) && matches(text, one.reason, one.object, one.server, one.gateway, one.message),
    ),
  )
  return (
    <>
      <PageHead
        title="Events"
        actions={
          <ShowCli
            commands={[
              { what: 'List', command: 'mcpg-ctl get events' },
              { what: 'Follow', command: 'mcpg-ctl get events --watch' },
            ]}
          />
        }
      />
      <Loaded data={items} error={error}>
        {(items) => (
          <>
            <FilterBar label="Filter by object, reason or message" facet="type" counts={countWords(items.map(typeOf))} />
            <Card isFlush>
              <EventTable
                events={found.slice(0, maxShown)}
                empty={
                  <EmptyState title={items.length === 0 ? 'No event' : 'No event matches'}>
                    Events are kept for 24 h after they last happened.
                  </EmptyState>
                }
              />
            </Card>
          </>
        )}
      </Loaded>
    </>
  )
}

const typeOf = (event: EventView) => (event.isWarning ? 'warning' : 'normal')
