import { lazy, useState } from 'react'
import { useParams } from 'react-router'
import { Card } from '../../components/card.tsx'
import { ConditionTable } from '../../components/condition-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { EventCard } from '../../components/event-card.tsx'
import { Note } from '../../components/note.tsx'
import { ObjectPage } from '../../components/object-page.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { PageTabs } from '../../components/page-tabs.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { trueCondition } from '../../lib/objects/condition.ts'
import { instanceView, type InstanceView } from '../../lib/objects/instance.ts'
import { overallState, serverView, type ServerView } from '../../lib/objects/server.ts'
import { toolView } from '../../lib/objects/tool.ts'
import { useUrlState } from '../../lib/scope.ts'
import { OnGateway } from './on-gateway.tsx'
import { ServerActions } from './server-actions.tsx'
import { ServerFacts } from './server-facts.tsx'
import { ServerLogs } from './server-logs.tsx'
import styles from './server.module.css'
import { ToolList } from './tool-list.tsx'

const YamlView = lazy(() => import('./yaml-view.tsx').then((part) => ({ default: part.YamlView })))

/** One server: where it comes from, how it does on each gateway and why, its tools, its manifest. */
export function Server() {
  const { name = '' } = useParams()
  const { items, error } = useObjects('Server', serverView)
  const server = items?.find((one) => one.name === name)
  return (
    <ObjectPage
      title={name}
      parent={parent}
      one={server}
      items={items}
      error={error}
      missing={`There is no server ${name}`}
      gone={
        <>
          It may have been deleted. <code>mcpg-ctl get servers</code> lists what there is.
        </>
      }
    >
      {(server) => <ServerPage key={name} server={server} />}
    </ObjectPage>
  )
}

const parent = { label: 'Servers', path: '/servers' }

function ServerPage({ server }: { server: ServerView }) {
  const [error, setError] = useState<Error | null>(null)
  const { items: allTools = [] } = useObjects('Tool', toolView)
  const tools = allTools.filter((one) => one.server === server.name)
  const { items: instances = [] } = useObjects('Instance', instanceView)
  const own = instances.filter((one) => one.server === server.name)
  const isHeld = server.gateways.some((on) => on.heldBack)
  return (
    <>
      <PageHead
        title={server.name}
        parent={parent}
        badges={
          <>
            <StateWord word={overallState(server)} />
            {isHeld && <StateWord word="held_back" />}
          </>
        }
        actions={<ServerActions server={server} onError={setError} />}
      />
      {error && (
        <div className={styles.error}>
          <ProblemNote error={error} />
        </div>
      )}
      <PageTabs
        tabs={[
          { value: 'overview', label: 'Overview', content: () => <ServerOverview server={server} instances={own} onError={setError} /> },
          { value: 'tools', label: 'Tools', count: tools.length || server.tools, content: () => <ToolList tools={tools} /> },
          { value: 'logs', label: 'Logs', shortcut: 'l', content: () => <ServerLogs server={server.name} instances={own} /> },
          {
            value: 'events',
            label: 'Events',
            content: () => (
              <EventCard
                isAbout={(event) => event.server === server.name || (event.kind === 'Server' && event.object === server.name)}
                what={server.name}
              />
            ),
          },
          { value: 'yaml', label: 'YAML', shortcut: 'y', content: () => <YamlView resource={server.resource} plural="servers" /> },
        ]}
      />
    </>
  )
}

function ServerOverview({
  server,
  instances,
  onError,
}: {
  server: ServerView
  instances: InstanceView[]
  onError: (error: Error | null) => void
}) {
  const [chosen] = useUrlState('gateway')
  const unplaced = trueCondition(server.conditions, 'Unplaced')
  const trouble = server.gateways.filter((on) => on.heldBack || on.state === 'failed' || on.state === 'degraded')
  const openByDefault = new Set([...trouble.slice(0, 3).map((on) => on.gateway), chosen])
  if (server.gateways.length === 1) openByDefault.add(server.gateways[0]!.gateway)
  return (
    <PageStack>
      {unplaced && (
        <Note tone="amber" title={`No gateway runs it: ${unplaced.reason}`}>
          <p>{unplaced.message}</p>
        </Note>
      )}
      <Card>
        <ServerFacts server={server} />
      </Card>
      <Card title="On gateways" count={server.gateways.length} isFlush>
        {server.gateways.length === 0 ? (
          <EmptyState title="No gateway reports it yet">
            {server.desiredState === 'stopped' ? 'It is stopped.' : 'It appears here as soon as a gateway has it in its config.'}
          </EmptyState>
        ) : (
          server.gateways.map((on) => (
            <OnGateway
              key={`${on.environment}/${on.gateway}`}
              server={server.name}
              on={on}
              instances={instances.filter((one) => one.gateway === on.gateway)}
              isOpenAtFirst={openByDefault.has(on.gateway)}
              onError={onError}
            />
          ))
        )}
      </Card>
      {server.conditions.length > 0 && (
        <Card title="Conditions" isFlush>
          <ConditionTable conditions={server.conditions} />
        </Card>
      )}
    </PageStack>
  )
}
