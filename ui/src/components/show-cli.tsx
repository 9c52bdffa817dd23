import { Button, Popover } from '@mantine/core'
import { IconTerminal2 } from '@tabler/icons-react'
import type { Workspace } from '../lib/paths.ts'
import { useScope } from '../lib/scope.ts'
import { CodeBlock } from './code-block.tsx'
import styles from './show-cli.module.css'

/** The flags that point a command at the workspace of the page. */
function scopeFlags({ org, workspace }: Workspace): string {
  const flags = [org === 'default' ? '' : `--org ${org}`, workspace === 'default' ? '' : `--workspace ${workspace}`]
  return flags.filter(Boolean).join(' ')
}

/** The commands that show or do the same as this page. One that `isScoped` already says which workspace it means. */
export function ShowCli({ commands }: { commands: { what: string; command: string; isScoped?: boolean }[] }) {
  const flags = scopeFlags(useScope())
  return (
    <Popover position="bottom-end" width={460} shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" leftSection={<IconTerminal2 size={16} stroke={1.7} />}>
          Show CLI
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={styles.list!}>
        {commands.map(({ what, command, isScoped }) => (
          <div key={what}>
            <p>{what}</p>
            <CodeBlock text={flags && !isScoped ? `${command} ${flags}` : command} label={what} />
          </div>
        ))}
      </Popover.Dropdown>
    </Popover>
  )
}
