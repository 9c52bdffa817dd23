import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Operation } from '@mcpg/proto/rest/operations'
import type { Deployment } from '@mcpg/proto/rest/provisioning'
import { useState } from 'react'
import { Link } from 'react-router'
import { Card } from '../../components/card.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Facts } from '../../components/facts.tsx'
import { Loaded } from '../../components/loaded.tsx'
import { Note } from '../../components/note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { getJson } from '../../lib/api.ts'
import type { GatewayView } from '../../lib/objects/gateway.ts'
import { useOperation } from '../../lib/operations/use-operation.ts'
import { isRunning, useOperations } from '../../lib/operations/use-operations.ts'
import { clusterPath, operationPage } from '../../lib/pages.ts'
import { gatewayRestPath } from '../../lib/paths.ts'
import { useMay } from '../../lib/rights.ts'
import { useHref, useScope } from '../../lib/scope.ts'
import { Deprovision } from './deprovision.tsx'
import { OperationLadder } from './operation-ladder.tsx'
import { OperationTable } from './operation-table.tsx'
import { parameterFacts } from './parameter-facts.tsx'
import { shapeText } from './parameters.ts'
import { ProvisionDialog } from './provision-dialog.tsx'

/** Where a managed gateway runs, and with what; undefined for one that enrolled by itself. */
export function useDeployment({ origin, environment, name, instanceUid }: GatewayView) {
  const scope = useScope()
  const path = `${gatewayRestPath(scope, environment, name)}/deployment`
  const { data, error } = useQuery({
    queryKey: ['deployment', path, instanceUid],
    queryFn: ({ signal }) => getJson<Deployment>(path, signal),
    enabled: origin === 'managed',
    staleTime: 0,
    refetchInterval: 10_000,
  })
  return { deployment: data, error: data ? null : error }
}

/** One sentence for the head of its page. */
export function DeploymentLine({ gateway }: { gateway: GatewayView }) {
  const { deployment } = useDeployment(gateway)
  const href = useHref()
  if (!deployment) return <>Managed: the control plane runs it.</>
  const { cluster, parameters } = deployment
  return (
    <>
      Managed, on the cluster <Link to={href(clusterPath(cluster.name))}>{cluster.name}</Link>, {shapeText(parameters)}
    </>
  )
}

/** What may be done with a managed gateway. */
export function DeploymentActions({ gateway }: { gateway: GatewayView }) {
  const { org, workspace } = useScope()
  const { environment, name } = gateway
  const { deployment } = useDeployment(gateway)
  const place = { org, workspace, environment }
  const mayChange = useMay({ operation: 'provision' }, place)
  const mayDelete = useMay({ verb: 'delete', kind: 'gateways', name }, place)
  const [open, setOpen] = useState<'change' | 'delete' | undefined>()
  const close = () => setOpen(undefined)
  return (
    <>
      {mayChange && deployment && (
        <Button variant="default" onClick={() => setOpen('change')}>
          Change…
        </Button>
      )}
      {mayDelete && (
        <Button variant="default" onClick={() => setOpen('delete')}>
          Deprovision…
        </Button>
      )}
      {open === 'change' && deployment && (
        <ProvisionDialog
          isChange
          scope={{ org, workspace }}
          start={{ name, environment, parameters: deployment.parameters }}
          onClose={close}
        />
      )}
      {open === 'delete' && (
        <Dialog title={`Deprovision ${name}`} onClose={close}>
          <Deprovision gateway={gateway} cluster={deployment?.cluster.name} onKeep={close} />
        </Dialog>
      )}
    </>
  )
}

/** The tab: where, with what, and everything that was done with it. */
export function DeploymentTab({ gateway }: { gateway: GatewayView }) {
  const { org, workspace } = useScope()
  const { deployment, error } = useDeployment(gateway)
  const { items, error: historyError } = useOperations(org, { gateway: gateway.name })
  const own = items?.filter((one) => one.workspace === workspace && one.environment === gateway.environment)
  const running = own?.find(isRunning)
  return (
    <PageStack>
      {running && <UnderWay key={running.id} operation={running} />}
      <Loaded data={deployment} error={error}>
        {(one) => (
          <Card title="Deployment">
            <Facts facts={deploymentFacts(one)} />
          </Card>
        )}
      </Loaded>
      {(deployment ?? error) && (
        <Loaded data={own} error={historyError}>
          {(operations) => (
            <Card title="Operations" count={operations.length} isFlush>
              <OperationTable
                isOfOne
                operations={operations}
                empty={<EmptyState title="No operation is kept">They are forgotten 90 days after their end.</EmptyState>}
              />
            </Card>
          )}
        </Loaded>
      )}
    </PageStack>
  )
}

/** The ladder of what is being done with it, as it goes on. */
function UnderWay({ operation }: { operation: Operation }) {
  const { events } = useOperation(operation.id)
  const href = useHref()
  return (
    <Card title={`Under way: ${operation.kind}`} action={<Link to={href(operationPage(operation.id))}>Open the operation</Link>}>
      <OperationLadder operation={operation} events={events} />
    </Card>
  )
}

/** On every part of its page while something is done with it. */
export function OperationNote({ gateway }: { gateway: GatewayView }) {
  const { org, workspace } = useScope()
  const href = useHref()
  const { items = [] } = useOperations(org, { gateway: gateway.name, state: 'running' })
  const running = items.find((one) => one.workspace === workspace && one.environment === gateway.environment)
  if (!running) return null
  const { id, kind, phase, step, compensating } = running
  return (
    <Note tone="blue" title={`Under way: ${kind}, ${compensating ? 'being taken back' : `${phase}: ${step.replaceAll('_', ' ')}`}`}>
      <Link to={href(operationPage(id))}>Watch it</Link>
    </Note>
  )
}

const deploymentFacts = ({ cluster, state, parameters, instanceUid }: Deployment): [string, React.ReactNode][] => [
  ['Cluster', <ClusterLink key="cluster" name={cluster.name} />],
  ['Of the cluster', `region ${cluster.region}, tier ${cluster.isolationTier}`],
  ['State', state],
  ...parameterFacts(parameters),
  ['Instance uid', <code key="uid">{instanceUid}</code>],
]

function ClusterLink({ name }: { name: string }) {
  const href = useHref()
  return <Link to={href(clusterPath(name))}>{name}</Link>
}
