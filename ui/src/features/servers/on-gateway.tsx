import { IconChevronRight } from '@tabler/icons-react'
import { useId, useState } from 'react'
import { Link } from 'react-router'
import { CodeBlock } from '../../components/code-block.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Note } from '../../components/note.tsx'
import { ServerActionButton } from '../../components/server-action-button.tsx'
import { ServersReady } from '../../components/servers-ready.tsx'
import { Since } from '../../components/since.tsx'
import { StateWord } from '../../components/state-word.tsx'
import type { InstanceView } from '../../lib/objects/instance.ts'
import type { ServerOnGatewayView } from '../../lib/objects/server.ts'
import { gatewayPath, serverPath } from '../../lib/pages.ts'
import { useHref } from '../../lib/scope.ts'
import styles from './on-gateway.module.css'

type OnGateway = {
  server: string
  on: ServerOnGatewayView
  instances: InstanceView[]
  isOpenAtFirst: boolean
  onError: (error: Error | null) => void
}

/** How the server does on one gateway; unfolded: why, what it printed last, and its instances. */
export function OnGateway({ server, on, instances, isOpenAtFirst, onError }: OnGateway) {
  const [isOpen, setOpen] = useState(isOpenAtFirst)
  const href = useHref()
  const id = useId()
  return (
    <article className={styles.row} aria-label={`On ${on.gateway}`}>
      <div className={styles.head}>
        <button
          type="button"
          className={styles.fold}
          aria-expanded={isOpen}
          aria-controls={id}
          aria-label={`Details on ${on.gateway}`}
          onClick={() => setOpen(!isOpen)}
        >
          <IconChevronRight size={16} aria-hidden />
        </button>
        <div className={styles.name}>
          <Link to={href(gatewayPath(on.gateway))} data-row>
            {on.gateway}
          </Link>
          <span>{on.environment}</span>
        </div>
        <StateWord word={on.state} reason={on.reason} />
        {on.heldBack ? (
          <StateWord word="held_back" reason={on.heldBack.reason} />
        ) : on.pinned ? (
          <StateWord word="pinned" reason={`to ${on.pinned.generation}`} />
        ) : (
          <span />
        )}
        <Figure label="ready">
          <ServersReady ready={on.ready} desired={on.desired} />
        </Figure>
        <Figure label="restarts">{on.restarts}</Figure>
        <Figure label="version">{on.resolvedVersion || '–'}</Figure>
        <Figure label="reported">
          <Since at={on.reportedAt} />
        </Figure>
      </div>
      {isOpen && (
        <div className={styles.inside} id={id}>
          {on.heldBack && <Hold server={server} hold={on.heldBack} onError={onError} />}
          {on.pinned && (
            <Note tone="amber" title={`${on.gateway} is pinned to generation ${on.pinned.generation}`}>
              <p>
                Rolled back by {on.pinned.by || 'somebody'}, <Since at={on.pinned.since} />. What is wanted of this server now waits for{' '}
                <code>mcpg-ctl resume gateway/{on.gateway}</code>.
              </p>
            </Note>
          )}
          <Cause on={on} instances={instances} />
          <DataTable
            caption={`Instances on ${on.gateway}`}
            rows={instances}
            columns={columns}
            rowKey={rowKey}
            isPlain
            empty={<p className={styles.quiet}>No instance is reported.</p>}
          />
        </div>
      )}
    </article>
  )
}

const Figure = ({ label, children }: { label: string; children: React.ReactNode }) => (
  <span className={styles.figure}>
    <small>{label}</small>
    {children}
  </span>
)

function Hold({
  server,
  hold,
  onError,
}: {
  server: string
  hold: NonNullable<ServerOnGatewayView['heldBack']>
  onError: (error: Error | null) => void
}) {
  return (
    <Note
      tone="amber"
      title={`Held back: ${hold.reason}`}
      action={<ServerActionButton server={server} action="retry" size="xs" onError={onError} />}
    >
      {hold.message && <p>{hold.message}</p>}
      <p>
        Since <Since at={hold.since} bare />.{' '}
        {hold.running ? `Revision ${hold.running.slice(0, 8)} goes on running here.` : 'The gateway runs without it.'} A change of the
        server or a retry lifts the hold.
      </p>
    </Note>
  )
}

/** Message, exit code and last lines: of the server as the gateway reports it, else of the instance that ended badly. */
function Cause({ on, instances }: { on: ServerOnGatewayView; instances: InstanceView[] }) {
  const bad = instances.find((one) => one.reason !== '' || one.lastLogLines.length > 0)
  const lines = on.lastLogLines.length > 0 ? on.lastLogLines : (bad?.lastLogLines ?? [])
  // What the hold says stands above already.
  const told = on.heldBack?.message
  const message = told && on.message.includes(told) ? '' : on.message || bad?.message || ''
  const exitCode = on.exitCode ?? bad?.exitCode
  const isBad = on.state === 'failed' || on.state === 'degraded' || (bad !== undefined && bad.reason !== '')
  if (!isBad && lines.length === 0) return null
  return (
    <>
      {isBad && (message || exitCode !== undefined || bad?.signal) ? (
        <p className={styles.cause}>
          {message || (told ? '' : on.reason || bad?.reason)}
          {exitCode !== undefined && <code>exit code {exitCode}</code>}
          {bad?.signal && <code>signal {bad.signal}</code>}
        </p>
      ) : null}
      {lines.length > 0 && (
        <div>
          <p className={styles.caption}>Last log lines</p>
          <CodeBlock text={lines.join('\n')} label="Last log lines" />
        </div>
      )}
    </>
  )
}

function LogLink({ instance: { name, server } }: { instance: InstanceView }) {
  const href = useHref()
  return <Link to={href(serverPath(server), { tab: 'logs', instance: name })}>Log</Link>
}

const rowKey = (one: InstanceView) => one.name

const columns: Column<InstanceView>[] = [
  { key: 'name', header: 'Instance', cell: (one) => <code>{one.name}</code> },
  { key: 'state', header: 'State', cell: (one) => <StateWord word={one.state} reason={one.reason} /> },
  { key: 'exit', header: 'Exit', cell: (one) => one.signal || (one.exitCode ?? '–') },
  { key: 'restarts', header: 'Restarts', align: 'right', cell: (one) => one.restartCount },
  { key: 'flight', header: 'Calls in flight', align: 'right', cell: (one) => one.inFlight },
  { key: 'mcp', header: 'MCP', cell: (one) => one.protocolVersion || '–' },
  { key: 'started', header: 'Started', align: 'right', cell: (one) => <Since at={one.startTime} /> },
  { key: 'log', header: '', align: 'right', cell: (one) => <LogLink instance={one} /> },
]
