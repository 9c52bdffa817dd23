import { Card } from '../../components/card.tsx'
import { CodeBlock } from '../../components/code-block.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { PageStack } from '../../components/stack.tsx'
import type { ProjectView } from '../../lib/objects/project.ts'

/** As `project connect` calls them. */
const clients = [
  ['Claude Code', 'claude-code'],
  ['Claude Desktop', 'claude-desktop'],
  ['Cursor', 'cursor'],
  ['VS Code', 'vscode'],
  ['Codex', 'codex'],
  ['Gemini CLI', 'gemini'],
  ['Windsurf', 'windsurf'],
  ['Zed', 'zed'],
] as const

/** Where the project is served, and the command that writes a client's file. */
export function Connect({ project, gateways }: { project: string; gateways: ProjectView['gateways'] }) {
  const served = gateways.filter(({ url }) => url !== '')
  return (
    <Card title="Connect a client">
      {served.length === 0 ? (
        <EmptyState title="Served nowhere now">A gateway serves a project once it runs one of its servers.</EmptyState>
      ) : (
        <PageStack>
          {served.map(({ gateway, url }) => (
            <CodeBlock key={gateway} text={url} label={`Endpoint at ${gateway}`} />
          ))}
          {clients.map(([title, word]) => (
            <CodeBlock key={word} text={`mcpg-ctl project connect ${word} -p ${project} --write`} label={`Command for ${title}`} />
          ))}
        </PageStack>
      )}
    </Card>
  )
}
