import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useEffect } from 'react'
import { Link } from 'react-router'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { GatewayTable } from '../../components/gateway-table.tsx'
import { Loading } from '../../components/loading.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { useNow } from '../../lib/now.ts'
import { enrollmentView } from '../../lib/objects/enrollment.ts'
import { gatewayView } from '../../lib/objects/gateway.ts'
import { instanceView } from '../../lib/objects/instance.ts'
import { serverView } from '../../lib/objects/server.ts'
import { toolView } from '../../lib/objects/tool.ts'
import { useHref } from '../../lib/scope.ts'
import { useStoredFlag } from '../../lib/stored-flag.ts'
import { AttentionTable } from './attention-table.tsx'
import { attentionOf } from './attention.ts'
import { FirstSteps } from './first-steps.tsx'
import { RecentWarnings } from './recent-warnings.tsx'
import { StatusStrip } from './status-strip.tsx'

/** More gateways than this stand on their own page. */
const maxGateways = 20

/** What is broken, why, since when, what to press; then the fleet. */
export function Overview() {
  const gateways = useObjects('Gateway', gatewayView)
  const servers = useObjects('Server', serverView)
  const { items: instances = [] } = useObjects('Instance', instanceView)
  const { items: tools = [] } = useObjects('Tool', toolView)
  const { items: enrollments = [] } = useObjects('Enrollment', enrollmentView)
  const now = useNow()
  const href = useHref()
  const [hidesSteps, setHidesSteps] = useStoredFlag('mcpg-first-steps-hidden')
  const hasClient = gateways.items?.some((one) => one.activeSessions > 0) ?? false
  useEffect(() => {
    // The last step is done for good once a client was here.
    if (hasClient && servers.items?.length) setHidesSteps(true)
  }, [hasClient, servers.items?.length, setHidesSteps])
  const enroll = (
    <Button component={Link} to={href('/enrollments/new')} leftSection={<IconPlus size={16} />}>
      Enroll a gateway
    </Button>
  )
  const head = <PageHead title="Overview" actions={gateways.items?.length === 0 ? null : enroll} />
  if (!gateways.items || !servers.items)
    return (
      <>
        {head}
        {gateways.error || servers.error ? <ProblemNote error={gateways.error ?? servers.error} /> : <Loading />}
      </>
    )
  const fleet = { gateways: gateways.items, servers: servers.items, instances, enrollments }
  const isEmpty = fleet.gateways.length === 0 || fleet.servers.length === 0
  const attention = attentionOf(fleet, now)
  const steps = (isEmpty || !hidesSteps) && (
    <FirstSteps
      gateways={fleet.gateways}
      servers={fleet.servers}
      hasClient={hasClient}
      {...(isEmpty ? {} : { onHide: () => setHidesSteps(true) })}
    />
  )
  // What is broken comes before what could be done next.
  const isFirst = isEmpty || attention.length === 0
  return (
    <>
      {head}
      <PageStack>
        {isFirst && steps}
        {!(fleet.gateways.length === 0 && fleet.servers.length === 0) && (
          <>
            <StatusStrip fleet={fleet} toolCount={tools.length} />
            <AttentionTable rows={attention} />
            <RecentWarnings />
            <Card
              title="Gateways"
              count={fleet.gateways.length}
              isFlush
              action={fleet.gateways.length > maxGateways ? <Link to={href('/gateways')}>Show all</Link> : null}
            >
              <GatewayTable gateways={fleet.gateways.slice(0, maxGateways)} empty={<EmptyState title="No gateway yet" />} />
            </Card>
          </>
        )}
        {!isFirst && steps}
      </PageStack>
    </>
  )
}
