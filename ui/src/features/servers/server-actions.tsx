import { Button, Popover } from '@mantine/core'
import { useState } from 'react'
import { ServerActionButton } from '../../components/server-action-button.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { plural } from '../../lib/format.ts'
import type { ServerView } from '../../lib/objects/server.ts'
import { useMay } from '../../lib/rights.ts'
import { useScope } from '../../lib/scope.ts'
import styles from './server-actions.module.css'

/** Start or stop, restart, and the commands for all of it. Stopping asks first: calls of its tools fail from then on. */
export function ServerActions({ server, onError }: { server: ServerView; onError: (error: Error | null) => void }) {
  const { name } = server
  const isStopped = server.desiredState === 'stopped'
  const isHeld = server.gateways.some((on) => on.heldBack)
  return (
    <>
      <ShowCli
        commands={[
          { what: 'Describe', command: `mcpg-ctl describe server ${name}` },
          { what: 'Its log', command: `mcpg-ctl logs ${name} -f` },
          { what: 'As YAML', command: `mcpg-ctl get server ${name} -o yaml` },
          { what: isStopped ? 'Start' : 'Stop', command: `mcpg-ctl server ${isStopped ? 'start' : 'stop'} ${name}` },
          { what: 'Restart', command: `mcpg-ctl server restart ${name}${isHeld ? ' --retry' : ''}` },
        ]}
      />
      {isStopped ? (
        <ServerActionButton server={name} action="start" variant="filled" onError={onError} />
      ) : (
        <>
          <ServerActionButton server={name} action={isHeld ? 'retry' : 'restart'} onError={onError} />
          <StopButton server={server} onError={onError} />
        </>
      )}
    </>
  )
}

function StopButton({ server, onError }: { server: ServerView; onError: (error: Error | null) => void }) {
  const mayRun = useMay({ verb: 'run', kind: 'servers', name: server.name }, useScope())
  const [opened, setOpened] = useState(false)
  if (!mayRun) return null
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={280} shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" onClick={() => setOpened(!opened)}>
          Stop…
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <p className={styles.question}>
          Stop {server.name} on {plural(server.placed, 'gateway')}? Its tools disappear until it is started again.
        </p>
        <div className={styles.answers}>
          <Button variant="default" onClick={() => setOpened(false)}>
            Keep it
          </Button>
          <ServerActionButton server={server.name} action="stop" variant="filled" onError={onError} />
        </div>
      </Popover.Dropdown>
    </Popover>
  )
}
