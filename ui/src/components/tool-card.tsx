import { IconChevronRight } from '@tabler/icons-react'
import { Button } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { parametersOf, type Parameter, type ToolView } from '../lib/objects/tool.ts'
import { toolPath } from '../lib/pages.ts'
import { useHref } from '../lib/scope.ts'
import { CodeBlock } from './code-block.tsx'
import { CopyButton } from './copy-button.tsx'
import { DataTable, type Column } from './data-table.tsx'
import styles from './tool-card.module.css'
import { ToolClaims } from './tool-claims.tsx'

/** A tool as its server defines it; unfolded: what it takes, in words and as the schema itself. */
export function ToolCard({ tool, isOpenAtFirst = false }: { tool: ToolView; isOpenAtFirst?: boolean }) {
  const [isOpen, setOpen] = useState(isOpenAtFirst)
  const href = useHref()
  return (
    <details className={styles.tool} open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary data-row>
        <IconChevronRight size={16} aria-hidden />
        <span className={styles.words}>
          <span className={styles.line}>
            <b>{tool.name}</b>
            {tool.title && tool.title !== tool.name && <span className={styles.title}>{tool.title}</span>}
            <ToolClaims claims={tool.claims} />
          </span>
          <span className={styles.description}>{tool.description || 'No description.'}</span>
        </span>
      </summary>
      {isOpen && (
        <div className={styles.inside}>
          <div>
            <Button component={Link} to={href(toolPath(tool.server, tool.name))} variant="default" size="xs">
              Call {tool.name}
            </Button>
          </div>
          <p className={styles.exposed}>
            On the endpoint: <code>{tool.exposedName}</code>
            <CopyButton text={tool.exposedName} label="Copy the name" />
            {tool.claims.length > 0 && <span>The badges are what the server claims.</span>}
          </p>
          <div className={styles.parameters}>
            <DataTable
              caption={`Parameters of ${tool.name}`}
              rows={parametersOf(tool.inputSchema)}
              columns={columns}
              rowKey={rowKey}
              isPlain
              empty={<p>It takes no parameters.</p>}
            />
          </div>
          <CodeBlock text={JSON.stringify(tool.inputSchema, null, 2)} label="Input schema" />
        </div>
      )}
    </details>
  )
}

const rowKey = (one: Parameter) => one.name

const columns: Column<Parameter>[] = [
  { key: 'name', header: 'Parameter', cell: (one) => <code>{one.name}</code> },
  { key: 'type', header: 'Type', cell: (one) => <code>{one.type}</code> },
  { key: 'required', header: 'Required', cell: (one) => (one.required ? 'yes' : 'no') },
  { key: 'description', header: 'Description', cell: (one) => one.description || '–' },
]
