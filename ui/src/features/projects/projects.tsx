import { DataTable, type Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { FilterBar, matches } from '../../components/filter-bar.tsx'
import { ObjectList } from '../../components/object-list.tsx'
import { PageHead } from '../../components/page-head.tsx'
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
      <ObjectList
        noun="project"
        items={items}
        found={found}
        error={error}
        filter={() => <FilterBar label="Filter by name, description or server" />}
        nothing={
          <EmptyState title="No project yet">
            A project shows a team its part: servers, which of their tools, and prompts, under a path of its own.
            <code> mcpg-ctl create project web --server files</code> makes one.
          </EmptyState>
        }
      >
        {(rows, empty) => (
          <DataTable
            caption="Projects"
            rows={rows}
            columns={columns}
            rowKey={(one) => one.name}
            rowHref={(one) => href(projectPath(one.name))}
            empty={empty}
          />
        )}
      </ObjectList>
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
