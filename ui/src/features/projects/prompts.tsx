import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import type { ProjectView, PromptView } from '../../lib/objects/project.ts'
import { promptRequestView, promptView } from '../../lib/objects/prompt.ts'
import { PromptRequests } from './prompt-requests.tsx'

type Told = PromptView & { isObject: boolean }

/** What clients find: prompts of the project's spec, and objects of their own, which win over those; and what is proposed. */
export function Prompts({ project }: { project: ProjectView }) {
  const { items: own } = useObjects('Prompt', promptView)
  const { items: requests } = useObjects('PromptRequest', promptRequestView)
  const mine = (own ?? []).filter((one) => one.project === project.name)
  const told = new Map(project.prompts.map((one): [string, Told] => [one.name, { ...one, isObject: false }]))
  for (const one of mine) told.set(one.name, { ...one, isObject: true })
  const rows = [...told.values()].sort((one, other) => other.priority - one.priority)
  const proposed = (requests ?? []).filter((one) => one.project === project.name)
  return (
    <>
      <Card title="Prompts" count={rows.length} isFlush>
        <DataTable
          isPlain
          caption="Prompts"
          rows={rows}
          columns={columns}
          rowKey={(one) => one.name}
          empty={<EmptyState title="No prompt">Clients find the prompts of its servers only.</EmptyState>}
        />
      </Card>
      {proposed.length > 0 && <PromptRequests project={project.name} requests={proposed} />}
    </>
  )
}

const columns: Column<Told>[] = [
  { key: 'name', header: 'Name', cell: (one) => one.name },
  { key: 'priority', header: 'Priority', align: 'right', cell: (one) => one.priority },
  { key: 'from', header: 'Kept in', cell: (one) => (one.isObject ? 'Prompt' : 'the project') },
  { key: 'description', header: 'Description', cell: (one) => one.description || '–' },
  { key: 'link', header: 'Link', cell: (one) => (one.broken ? `${one.link}: ${one.broken}` : one.link || '–') },
]
