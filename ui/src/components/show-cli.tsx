import { Button, Popover } from '@mantine/core'
import { IconTerminal2 } from '@tabler/icons-react'
import { CodeBlock } from './code-block.tsx'
import styles from './show-cli.module.css'

/** The commands that show or do the same as this page. */
export function ShowCli({ commands }: { commands: { what: string; command: string }[] }) {
  return (
    <Popover position="bottom-end" width={460} shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" leftSection={<IconTerminal2 size={16} stroke={1.7} />}>
          Show CLI
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={styles.list!}>
        {commands.map(({ what, command }) => (
          <div key={what}>
            <p>{what}</p>
            <CodeBlock text={command} label={what} />
          </div>
        ))}
      </Popover.Dropdown>
    </Popover>
  )
}
