import { useMemo } from 'react'
import { Link } from 'react-router'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { countWords, FilterBar, matches } from '../../components/filter-bar.tsx'
import { Loaded } from '../../components/loaded.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { ToolCard } from '../../components/tool-card.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { toolView } from '../../lib/objects/tool.ts'
import { useHref, useUrlState } from '../../lib/scope.ts'
import styles from './tools.module.css'

/** Every tool of every server, as the gateways report them. */
export function Tools() {
  const { items, error } = useObjects('Tool', toolView)
  const [text] = useUrlState('q')
  const [server] = useUrlState('server')
  const href = useHref()
  const groups = useMemo(() => {
    const found = (items ?? []).filter(
      (one) => (!server || one.server === server) && matches(text, one.exposedName, one.title, one.description),
    )
    return Map.groupBy(found, (one) => one.server)
  }, [items, text, server])
  return (
    <>
      <PageHead title="Tools" actions={<ShowCli commands={[{ what: 'List', command: 'mcpg-ctl get tools' }]} />} />
      <Loaded data={items} error={error}>
        {(all) =>
          all.length === 0 ? (
            <Card>
              <EmptyState title="No tools yet">They appear once a server on a gateway has answered tools/list.</EmptyState>
            </Card>
          ) : (
            <>
              <FilterBar label="Filter by name or description" facet="server" counts={countWords(all.map((one) => one.server))} />
              <div className={styles.groups}>
                {[...groups].map(([name, tools]) => (
                  <Card
                    key={name}
                    title={name}
                    count={tools.length}
                    isFlush
                    action={<Link to={href(`/servers/${encodeURIComponent(name)}`)}>Open the server</Link>}
                  >
                    {tools.map((tool) => (
                      <ToolCard key={tool.exposedName} tool={tool} />
                    ))}
                  </Card>
                ))}
              </div>
              {groups.size === 0 && <EmptyState title="No tool matches">{all.length} are hidden by the filter.</EmptyState>}
            </>
          )
        }
      </Loaded>
    </>
  )
}
