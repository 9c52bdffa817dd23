import { EmptyState } from '../../components/empty-state.tsx'
import { FilterBar, matches } from '../../components/filter-bar.tsx'
import { ToolCard } from '../../components/tool-card.tsx'
import type { ToolView } from '../../lib/objects/tool.ts'
import { useUrlState } from '../../lib/scope.ts'
import styles from './tool-list.module.css'

export function ToolList({ tools }: { tools: ToolView[] }) {
  const [text] = useUrlState('q')
  const found = tools.filter((one) => matches(text, one.name, one.title, one.description))
  if (tools.length === 0)
    return <EmptyState title="No tools are known">A gateway reports them once the server has answered tools/list.</EmptyState>
  return (
    <>
      <FilterBar label="Filter by name or description" />
      <div className={styles.list}>
        {found.map((tool) => (
          <ToolCard key={tool.exposedName} tool={tool} isOpenAtFirst={found.length === 1} />
        ))}
      </div>
      {found.length === 0 && <EmptyState title="No tool matches">{tools.length} are hidden by the filter.</EmptyState>}
    </>
  )
}
