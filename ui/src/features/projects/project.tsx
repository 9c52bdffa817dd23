import { useParams } from 'react-router'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Facts } from '../../components/facts.tsx'
import { ObjectPage } from '../../components/object-page.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { PageStack } from '../../components/stack.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { projectView, type ProjectView } from '../../lib/objects/project.ts'
import { toolView, type ToolView } from '../../lib/objects/tool.ts'
import { serverPath, toolPath } from '../../lib/pages.ts'
import { useHref } from '../../lib/scope.ts'
import { Connect } from './connect.tsx'
import { Prompts } from './prompts.tsx'

/** One project: its servers, what its policy shows of their tools, its prompts, and how clients get there. */
export function Project() {
  const { name = '' } = useParams()
  const { items, error } = useObjects('Project', projectView)
  const project = items?.find((one) => one.name === name)
  return (
    <ObjectPage
      title={name}
      parent={parent}
      one={project}
      items={items}
      error={error}
      missing={`There is no project ${name}`}
      gone={
        <>
          It may have been deleted. <code>mcpg-ctl get projects</code> lists what there is.
        </>
      }
    >
      {(project) => <ProjectPage key={name} project={project} />}
    </ObjectPage>
  )
}

const parent = { label: 'Projects', path: '/projects' }

type Tool = ToolView & { isShown: boolean }

function ProjectPage({ project }: { project: ProjectView }) {
  const href = useHref()
  const { items } = useObjects('Tool', toolView)
  const { name, servers, gateways } = project
  const tools = (items ?? [])
    .filter((one) => servers.includes(one.server))
    .map((one): Tool => ({ ...one, isShown: project.showsTool(one.server, one.name) }))
  const rows = servers.map((server) => ({
    server,
    gateways: gateways.filter((one) => one.servers.includes(server)).map((one) => one.gateway),
  }))
  return (
    <>
      <PageHead
        title={name}
        parent={parent}
        actions={
          <ShowCli
            commands={[
              { what: 'Describe', command: `mcpg-ctl describe project/${name}` },
              { what: 'As YAML', command: `mcpg-ctl get project ${name} -o yaml` },
              { what: 'Edit', command: `mcpg-ctl edit project/${name}` },
              { what: 'Copy', command: `mcpg-ctl create project ${name}-copy --from ${name}` },
            ]}
          />
        }
      />
      <PageStack>
        <Card title="Told to clients">
          <Facts
            facts={[
              ['Description', project.description],
              ['Instructions', project.instructions],
              ['Prompt', project.prompt],
            ]}
          />
        </Card>
        <Card title="Servers" count={servers.length} isFlush>
          <DataTable
            isPlain
            caption="Servers"
            rows={rows}
            columns={serverColumns}
            rowKey={(one) => one.server}
            rowHref={(one) => href(serverPath(one.server))}
            empty={<EmptyState title="No server">A project without servers is served nowhere.</EmptyState>}
          />
        </Card>
        <Card title="Tools" count={tools.filter((one) => one.isShown).length} isFlush>
          <DataTable
            isPlain
            caption="Tools"
            rows={tools}
            columns={toolColumns}
            rowKey={(one) => one.exposedName}
            rowHref={(one) => href(toolPath(one.server, one.name))}
            empty={<EmptyState title="No tool">None of its servers has listed a tool yet.</EmptyState>}
          />
        </Card>
        <Prompts project={project} />
        <Connect project={name} gateways={gateways} />
      </PageStack>
    </>
  )
}

const serverColumns: Column<{ server: string; gateways: string[] }>[] = [
  { key: 'server', header: 'Server', cell: (one) => one.server },
  { key: 'gateways', header: 'Gateways', cell: (one) => one.gateways.join(', ') || '–' },
]

const toolColumns: Column<Tool>[] = [
  { key: 'tool', header: 'Tool', cell: (one) => one.exposedName },
  { key: 'policy', header: 'Policy', cell: (one) => (one.isShown ? 'shown' : 'hidden') },
  { key: 'description', header: 'Description', cell: (one) => one.description.split('\n')[0] || '–' },
]
