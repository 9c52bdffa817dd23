import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { FilterBar, matches } from '../../components/filter-bar.tsx'
import { Loading } from '../../components/loading.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { projectView, type ProjectView } from '../../lib/objects/project.ts'
import { projectPath } from '../../lib/pages.ts'
import { useHref, useUrlState } from '../../lib/scope.ts'

/** Every project by its servers and where it is served. */
export function Projects() {
  const { items, error } = useObjects('Project', projectView)
  const href = useHref()
  const [text] = useUrlState('q')
  const found = items?.filter((one) => matches(text, one.name, one.description, ...one.servers))
  return (
    <>
      <PageHead
        title="Projects"
        actions={
          <ShowCli
            commands={[
              { what: 'List', command: 'mcpg-ctl get projects -o wide' },
              { what: 'Create', command: 'mcpg-ctl create project web --server files' },
              { what: 'Copy', command: 'mcpg-ctl create project copy --from web' },
            ]}
          />
        }
      />
      {error && <ProblemNote error={error} />}
      {!items && !error && <Loading />}
      {items && (
        <>
          <FilterBar label="Filter by name, description or server" />
          <Card isFlush>
            <DataTable
              caption="Projects"
              rows={found ?? []}
              columns={columns}
              rowKey={(one) => one.name}
              rowHref={(one) => href(projectPath(one.name))}
              empty={
                items.length === 0 ? (
                  <EmptyState title="No project yet">
                    A project shows a team its part: servers, which of their tools, and prompts, under a path of its own.
                    <code> mcpg-ctl create project web --server files</code> makes one.
                  </EmptyState>
                ) : (
                  <EmptyState title="No project matches">{items.length} are hidden by the filter.</EmptyState>
                )
              }
            />
          </Card>
        </>
      )}
    </>
  )
}

const columns: Column<ProjectView>[] = [
  { key: 'name', header: 'Name', sort: (one) => one.name, cell: (one) => one.name },
  { key: 'servers', header: 'Servers', cell: (one) => one.servers.join(', ') || '–' },
  { key: 'prompts', header: 'Prompts', align: 'right', sort: (one) => one.promptCount, cell: (one) => one.promptCount },
  { key: 'gateways', header: 'Gateways', align: 'right', sort: (one) => one.gateways.length, cell: (one) => one.gateways.length },
  { key: 'description', header: 'Description', cell: (one) => one.description || '–' },
]
