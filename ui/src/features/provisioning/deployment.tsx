import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Deployment } from '@mcpg/proto/rest/provisioning'
import { useState } from 'react'
import { Link } from 'react-router'
import { Card } from '../../components/card.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Facts } from '../../components/facts.tsx'
import { Loading } from '../../components/loading.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { getJson } from '../../lib/api.ts'
import type { GatewayView } from '../../lib/objects/gateway.ts'
import { useOperations } from '../../lib/operations/use-operations.ts'
import { clusterPath } from '../../lib/pages.ts'
import { gatewayRestPath } from '../../lib/paths.ts'
import { useMay } from '../../lib/rights.ts'
import { useHref, useScope } from '../../lib/scope.ts'
import { Deprovision } from './deprovision.tsx'
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
  return (
    <PageStack>
      {error && <ProblemNote error={error} />}
      {!deployment && !error && <Loading />}
      {deployment && (
        <Card title="Deployment">
          <Facts facts={deploymentFacts(deployment)} />
        </Card>
      )}
      {historyError && <ProblemNote error={historyError} />}
      {own && (
        <Card title="Operations" count={own.length} isFlush>
          <OperationTable
            isOfOne
            operations={own}
            empty={<EmptyState title="No operation is kept">They are forgotten 90 days after their end.</EmptyState>}
          />
        </Card>
      )}
    </PageStack>
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
