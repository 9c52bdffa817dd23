import type { Cluster } from '@mcpg/proto/rest/clusters'
import { Link, useParams } from 'react-router'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Facts } from '../../components/facts.tsx'
import { Labels } from '../../components/labels.tsx'
import { Note } from '../../components/note.tsx'
import { ObjectPage } from '../../components/object-page.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { PageStack } from '../../components/stack.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { useClusters } from '../../lib/clusters.ts'
import { plural } from '../../lib/format.ts'
import { useOperations } from '../../lib/operations/use-operations.ts'
import { useMayThere } from '../../lib/rights.ts'
import { useHref, useScope } from '../../lib/scope.ts'
import { OperationTable } from '../provisioning/operation-table.tsx'
import { CpuBar, GatewaysBar, MemoryBar } from './capacity.tsx'
import { ClusterActions } from './cluster-actions.tsx'
import { DrainCard } from './drain-card.tsx'
import { GatewaysHere } from './gateways-here.tsx'
import { roomFor, warningsOf } from './warnings.ts'

const parent = { label: 'Clusters', path: '/clusters' }

/** One cluster: what is left of it, how it is, and what was done on it. */
export function ClusterPage() {
  const { name = '' } = useParams()
  const { items, error } = useClusters()
  const cluster = items?.find((one) => one.name === name || one.id === name)
  return (
    <ObjectPage
      title={name}
      parent={parent}
      one={cluster}
      items={items}
      error={error}
      missing={`There is no cluster ${name}`}
      gone={'Clusters that were decommissioned stay in the list.'}
    >
      {(cluster) => <Shown cluster={cluster} />}
    </ObjectPage>
  )
}

function Shown({ cluster }: { cluster: Cluster }) {
  const { name, state, drain } = cluster
  const mayAdminister = useMayThere({ operation: 'cluster-admin' })
  const isOver = state === 'decommissioned'
  return (
    <>
      <PageHead
        title={name}
        parent={parent}
        badges={<StateWord word={state} reason={drain?.finishedAt && (drain.left === 0 ? 'nothing is left' : 'its deadline has passed')} />}
        actions={
          <>
            <ShowCli
              commands={[
                { what: 'Describe', command: `mcpg-ctl cluster describe ${name}`, isScoped: true },
                ...(mayAdminister && state === 'ready'
                  ? [{ what: 'Place nothing new on it', command: `mcpg-ctl cluster cordon ${name}`, isScoped: true }]
                  : []),
                ...(mayAdminister && (state === 'cordoned' || state === 'draining')
                  ? [{ what: 'Place gateways on it again', command: `mcpg-ctl cluster uncordon ${name}`, isScoped: true }]
                  : []),
                ...(mayAdminister && !isOver && state !== 'registering'
                  ? [{ what: 'Move its gateways away', command: `mcpg-ctl cluster drain ${name} --deadline 1h`, isScoped: true }]
                  : []),
                ...(mayAdminister && !isOver
                  ? [{ what: 'Give it up', command: `mcpg-ctl cluster decommission --id ${name}`, isScoped: true }]
                  : []),
              ]}
            />
            {mayAdminister && !isOver && <ClusterActions cluster={cluster} />}
          </>
        }
      />
      <PageStack>
        {warningsOf(cluster).map((text) => (
          <Note key={text} tone="amber" title={text} />
        ))}
        {state === 'cordoned' && <Note tone="gray" title="Cordoned: what runs here goes on, and nothing new is placed on it" />}
        {drain && !isOver && <DrainCard cluster={cluster} drain={drain} mayAdminister={mayAdminister} />}
        {isOver && <Note tone="gray" title="Decommissioned: nothing is placed here any more, and its name stays with it" />}
        {!isOver && (
          <Card title="Reserved" action={state === 'ready' ? <span>room for {plural(roomFor(cluster), 'more small gateway')}</span> : null}>
            <Facts
              facts={[
                ['Gateways', <GatewaysBar key="gateways" cluster={cluster} />],
                ['CPU', <CpuBar key="cpu" cluster={cluster} />],
                ['Memory', <MemoryBar key="memory" cluster={cluster} />],
              ]}
            />
          </Card>
        )}
        {mayAdminister && !isOver && !drain && <GatewaysHere cluster={cluster} />}
        <Card title="About">
          <Facts facts={factsOf(cluster)} />
        </Card>
        <OperationsHere cluster={name} />
      </PageStack>
    </>
  )
}

function OperationsHere({ cluster }: { cluster: string }) {
  const { org } = useScope()
  const href = useHref()
  const { items } = useOperations(org)
  const here = items?.filter((one) => one.cluster === cluster).slice(0, 20)
  if (!here) return null
  return (
    <Card title="Last operations here" count={here.length} isFlush action={<Link to={href('/operations')}>All operations</Link>}>
      <OperationTable operations={here} empty={<EmptyState title="None of them yet">Of the organization {org}.</EmptyState>} />
    </Card>
  )
}

function factsOf(cluster: Cluster): [string, React.ReactNode][] {
  const { id, driver, region, isolationTier, labels, lastProbeAt, totalsGiven, failureScore, createdAt, updatedAt } = cluster
  return [
    ['Driver', driver],
    ['Region', region],
    ['Isolation tier', isolationTier],
    ['Labels, for selectors', <Labels key="labels" labels={labels} />],
    ['Last probe', <Since key="probe" at={lastProbeAt} fallback="never" />],
    ['Totals', totalsGiven ? 'as somebody said' : 'as probes find'],
    ['Failure score', failureScore.toFixed(1)],
    ['Registered', <Since key="registered" at={createdAt} />],
    ['Changed', <Since key="changed" at={updatedAt} />],
    ['Id', <code key="id">{id}</code>],
  ]
}
