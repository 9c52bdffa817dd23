import { Link, useParams } from 'react-router'
import { Card } from '../../components/card.tsx'
import { ConditionTable } from '../../components/condition-table.tsx'
import { CopyButton } from '../../components/copy-button.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { EventCard } from '../../components/event-card.tsx'
import { Facts } from '../../components/facts.tsx'
import { Labels } from '../../components/labels.tsx'
import { LogPanel } from '../../components/log-panel/log-panel.tsx'
import { Note } from '../../components/note.tsx'
import { ObjectPage } from '../../components/object-page.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { PageTabs } from '../../components/page-tabs.tsx'
import { ServersReady } from '../../components/servers-ready.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { PageStack } from '../../components/stack.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { spellBytes } from '../../lib/format.ts'
import { useObjects } from '../../lib/live/use-objects.ts'
import { gatewayView, type GatewayView } from '../../lib/objects/gateway.ts'
import { gatewayRestPath } from '../../lib/paths.ts'
import { serverView, type ServerOnGatewayView } from '../../lib/objects/server.ts'
import { useHref, useScope } from '../../lib/scope.ts'
import { DeploymentActions, DeploymentLine, DeploymentTab, OperationNote } from '../provisioning/deployment.tsx'
import { deleteCommand } from '../provisioning/parameters.ts'
import { ConfigHistory } from './config-history.tsx'
import { credentialFacts } from './credential-facts.tsx'
import styles from './gateway.module.css'
import { HashTriptych } from './hash-triptych.tsx'
import { PinNote } from './pin-note.tsx'

/** One gateway: its three axes, its configs, what it runs and what it says about itself. */
export function Gateway() {
  const { name = '' } = useParams()
  const { items, error } = useObjects('Gateway', gatewayView)
  const gateway = items?.find((one) => one.name === name)
  return (
    <ObjectPage
      title={name}
      parent={parent}
      one={gateway}
      items={items}
      error={error}
      missing={`There is no gateway ${name}`}
      gone={'It may have been deleted, or live in another environment.'}
    >
      {(gateway) => <GatewayPage gateway={gateway} />}
    </ObjectPage>
  )
}

const parent = { label: 'Gateways', path: '/gateways' }

function GatewayPage({ gateway }: { gateway: GatewayView }) {
  const { config, name, environment, instanceUid } = gateway
  const isManaged = gateway.origin === 'managed'
  const scope = useScope()
  return (
    <>
      <PageHead
        title={name}
        parent={parent}
        badges={
          <>
            <StateWord word={gateway.connection} />
            <StateWord word={config.state} reason={config.reason} />
            {config.pinned && <StateWord word="pinned" reason={`to ${config.pinned.generation}`} />}
            <StateWord word={gateway.health} />
          </>
        }
        actions={
          <>
            <ShowCli
              commands={[
                { what: 'Describe', command: `mcpg-ctl describe gateway ${name}` },
                { what: 'Its log', command: `mcpg-ctl logs gateway/${name} -f` },
                { what: 'As YAML', command: `mcpg-ctl get gateway ${name} -o yaml` },
                ...(config.pinned ? [{ what: 'Resume it', command: `mcpg-ctl resume gateway/${name}` }] : []),
                ...(isManaged
                  ? [
                      { what: 'What was done with it', command: `mcpg-ctl provision history --org ${scope.org}`, isScoped: true },
                      { what: 'Deprovision it', command: deleteCommand({ ...scope, environment }, instanceUid), isScoped: true },
                    ]
                  : [{ what: 'On its machine', command: 'mcpg-ctl gateway-status' }]),
              ]}
            />
            {isManaged && <DeploymentActions gateway={gateway} />}
          </>
        }
      >
        {isManaged && <DeploymentLine gateway={gateway} />}
      </PageHead>
      <PageStack>
        <PinNote gateway={gateway} />
        {isManaged && <OperationNote gateway={gateway} />}
        <PageTabs
          tabs={[
            { value: 'overview', label: 'Overview', content: () => <GatewayOverview gateway={gateway} /> },
            ...(isManaged ? [{ value: 'deployment', label: 'Deployment', content: () => <DeploymentTab gateway={gateway} /> }] : []),
            { value: 'config', label: 'Config', content: () => <ConfigHistory gateway={gateway} /> },
            { value: 'logs', label: 'Logs', shortcut: 'l', content: () => <GatewayLogs gateway={gateway} /> },
            {
              value: 'events',
              label: 'Events',
              content: () => (
                <EventCard isAbout={(event) => event.gateway === name || (event.kind === 'Gateway' && event.object === name)} what={name} />
              ),
            },
          ]}
        />
      </PageStack>
    </>
  )
}

function GatewayOverview({ gateway }: { gateway: GatewayView }) {
  const { config, name } = gateway
  const isRefused = config.state === 'rejected' || config.state === 'rolled_back'
  return (
    <PageStack>
      {isRefused && (
        <Note
          tone="red"
          isAlert
          title={config.state === 'rejected' ? 'The newest config was rejected' : 'The newest config was rolled back'}
        >
          <p>{config.message || config.reason}</p>
          <p>The last known good config goes on serving.</p>
        </Note>
      )}
      {config.heldBack.map((one) => (
        <Note key={one.server} tone="amber" title={`${one.server} is held back: ${one.reason}`}>
          <p>{one.message}</p>
          <p>
            Since <Since at={one.since} bare />. A change of the server lifts the hold, or{' '}
            <code>mcpg-ctl server restart {one.server} --retry</code>.
          </p>
        </Note>
      ))}
      <Card title="Config">
        <HashTriptych gateway={gateway} />
      </Card>
      <ServersHere gateway={name} />
      <Card title="About">
        <Facts facts={factsOf(gateway)} />
      </Card>
      {gateway.conditions.length > 0 && (
        <Card title="Conditions" isFlush>
          <ConditionTable conditions={gateway.conditions} />
        </Card>
      )}
    </PageStack>
  )
}

function GatewayLogs({ gateway: { name, environment } }: { gateway: GatewayView }) {
  const path = `${gatewayRestPath(useScope(), environment, name)}/logs`
  return <LogPanel path={path} label={`Log of ${name}`} fileName={`${name}.log`} />
}

function factsOf(gateway: GatewayView): [string, React.ReactNode][] {
  return [
    ['Endpoint', gateway.endpoints.length > 0 ? gateway.endpoints.map((url) => <EndpointUrl key={url} url={url} />) : ''],
    ['Environment', gateway.environment],
    ['Origin', gateway.origin],
    ['Version', gateway.version],
    ['Host', [gateway.hostname, gateway.platform].filter(Boolean).join(', ')],
    ['Memory', gateway.memoryRssBytes === undefined ? '' : spellBytes(gateway.memoryRssBytes)],
    ['Client sessions', String(gateway.activeSessions)],
    ['Connected', <Since key="connected" at={gateway.connectedAt} />],
    ['Last seen', gateway.connection === 'online' ? 'now' : <Since key="seen" at={gateway.lastSeenAt} />],
    ['Enrolled', <Since key="enrolled" at={gateway.enrolledAt} />],
    ...credentialFacts(gateway.credential),
    ['Instance uid', <code key="uid">{gateway.instanceUid || '–'}</code>],
    ['Labels, for placement', <Labels key="labels" labels={gateway.labels} />],
    ['Says about itself', <Labels key="reported" labels={gateway.reportedLabels} />],
  ]
}

const EndpointUrl = ({ url }: { url: string }) => (
  <div className={styles.endpoint}>
    <code>{url}</code> <CopyButton text={url} label="Copy the endpoint" />
  </div>
)

type Here = ServerOnGatewayView & { server: string }

function ServersHere({ gateway }: { gateway: string }) {
  const { items } = useObjects('Server', serverView)
  const href = useHref()
  const rows = (items ?? []).flatMap((server): Here[] =>
    server.gateways.filter((on) => on.gateway === gateway).map((on) => ({ ...on, server: server.name })),
  )
  return (
    <Card title="Servers" count={rows.length} isFlush>
      <DataTable
        caption="Servers on this gateway"
        rows={rows}
        columns={serverColumns}
        rowKey={serverKey}
        rowHref={(one) => href(`/servers/${encodeURIComponent(one.server)}`, { gateway })}
        empty={
          <EmptyState title="No server is placed here">
            See <Link to={href('/servers')}>all servers</Link> and their placement.
          </EmptyState>
        }
      />
    </Card>
  )
}

const serverKey = (one: Here) => one.server

const serverColumns: Column<Here>[] = [
  { key: 'name', header: 'Name', sort: (one) => one.server, cell: (one) => one.server },
  {
    key: 'state',
    header: 'State',
    sort: (one) => one.state,
    cell: (one) => <StateWord word={one.heldBack ? 'held_back' : one.state} reason={one.heldBack?.reason ?? one.reason} />,
  },
  { key: 'ready', header: 'Ready', align: 'right', cell: (one) => <ServersReady ready={one.ready} desired={one.desired} /> },
  { key: 'restarts', header: 'Restarts', align: 'right', sort: (one) => one.restarts, cell: (one) => one.restarts },
  { key: 'version', header: 'Version', cell: (one) => one.resolvedVersion || '–' },
]
