import { Button } from '@mantine/core'
import { IconCloudPlus, IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { Link } from 'react-router'
import { EmptyState } from '../../components/empty-state.tsx'
import { countWords, FilterBar, matches } from '../../components/filter-bar.tsx'
import { GatewayTable } from '../../components/gateway-table.tsx'
import { ObjectList } from '../../components/object-list.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { PageStack } from '../../components/stack.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { gatewayView } from '../../lib/objects/gateway.ts'
import { useMay } from '../../lib/rights.ts'
import { useHref, useScope, useUrlState } from '../../lib/scope.ts'
import { createCommand } from '../provisioning/parameters.ts'
import { ProvisionDialog } from '../provisioning/provision-dialog.tsx'
import { RunningOperations } from '../provisioning/running-operations.tsx'

export function Gateways() {
  const { items, error } = useObjects('Gateway', gatewayView)
  const href = useHref()
  const scope = useScope()
  const environment = scope.environment ?? 'default'
  const mayProvision = useMay({ operation: 'provision' }, scope)
  const [isProvisioning, setProvisioning] = useState(false)
  const [text] = useUrlState('q')
  const [connection] = useUrlState('connection')
  const enroll = (
    <Button component={Link} to={href('/enrollments/new')} leftSection={<IconPlus size={16} />}>
      Enroll a gateway
    </Button>
  )
  const provision = mayProvision && (
    <Button variant="default" leftSection={<IconCloudPlus size={16} />} onClick={() => setProvisioning(true)}>
      Provision a gateway
    </Button>
  )
  const found = items?.filter(
    (one) =>
      (!connection || one.connection === connection) &&
      matches(text, one.name, one.hostname, one.environment, ...Object.entries(one.labels).map((pair) => pair.join('='))),
  )
  return (
    <>
      <PageHead
        title="Gateways"
        actions={
          <>
            <ShowCli
              commands={[
                { what: 'List', command: 'mcpg-ctl get gateways -o wide' },
                { what: 'Follow', command: 'mcpg-ctl get gateways --watch' },
                ...(mayProvision ? [{ what: 'Provision', command: createCommand({ ...scope, environment }, '', {}), isScoped: true }] : []),
              ]}
            />
            {provision}
            {enroll}
          </>
        }
      />
      <PageStack>
        <RunningOperations />
        <ObjectList
          noun="gateway"
          items={items}
          found={found}
          error={error}
          filter={(all) => (
            <FilterBar label="Filter by name, host or label" facet="connection" counts={countWords(all.map((one) => one.connection))} />
          )}
          nothing={
            <EmptyState
              title="No gateway yet"
              action={
                <>
                  {enroll} {provision}
                </>
              }
            >
              A gateway runs your MCP servers and offers them as one endpoint: one that you enroll on its machine, and a managed one that
              the control plane runs on a cluster.
            </EmptyState>
          }
        >
          {(rows, empty) => <GatewayTable gateways={rows} empty={empty} />}
        </ObjectList>
      </PageStack>
      {isProvisioning && <ProvisionDialog scope={scope} start={{ name: '', environment }} onClose={() => setProvisioning(false)} />}
    </>
  )
}
