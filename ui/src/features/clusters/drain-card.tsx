import { Button } from '@mantine/core'
import { movesAtOnce } from '@mcpg/proto/managed-gateways'
import type { Cluster, ClusterDrain } from '@mcpg/proto/rest/clusters'
import { useState } from 'react'
import { Link } from 'react-router'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Loaded } from '../../components/loaded.tsx'
import { Note } from '../../components/note.tsx'
import { Since } from '../../components/since.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { useClusterGateways } from '../../lib/clusters.ts'
import { clusterPath, gatewayPath, operationPage } from '../../lib/pages.ts'
import { plural } from '../../lib/format.ts'
import { hrefIn, useHref } from '../../lib/scope.ts'
import styles from './drain-card.module.css'
import { DrainDialog } from './drain-dialog.tsx'
import { drainedGateways, pathOf, type DrainedGateway } from './drain-progress.ts'

/** How far the gateways of a cluster have come away from it, each with its move and with what keeps it. */
export function DrainCard({ cluster, drain, mayAdminister }: { cluster: Cluster; drain: ClusterDrain; mayAdminister: boolean }) {
  const { data, error } = useClusterGateways(cluster, mayAdminister)
  const { total, left, moving, startedAt, startedBy } = drain
  const moved = Math.max(0, total - left - moving)
  return (
    <>
      <Outcome cluster={cluster} drain={drain} mayAdminister={mayAdminister} />
      <Card title="Drain" isFlush>
        <div className={styles.head}>
          <div
            className={styles.bar}
            role="meter"
            aria-label={`Moved from ${cluster.name}`}
            aria-valuemin={0}
            aria-valuemax={total}
            aria-valuenow={moved}
            aria-valuetext={`${moved} of ${total} moved, ${moving} on their way`}
          >
            <span className={styles.moved} style={{ width: share(moved, total) }} />
            <span className={styles.moving} style={{ width: share(moving, total) }} />
          </div>
          <p aria-live="polite">
            <b>
              {moved} of {plural(total, 'gateway')} moved
            </b>
            {moving > 0 && `, ${moving} on ${moving === 1 ? 'its' : 'their'} way`}
            {left > 0 && `, ${left} still here`}.
          </p>
          <p className={styles.quiet}>
            At most {movesAtOnce(total)} at once. Begun by {startedBy} <Since at={startedAt} />
            <Deadline drain={drain} />.
          </p>
        </div>
        {mayAdminister ? (
          <Loaded data={data} error={error}>
            {(gateways) => (
              <DataTable
                isPlain
                caption="Gateways of the drain"
                rows={drainedGateways(drain, gateways)}
                columns={columns}
                rowKey={pathOf}
                rowHref={(one) => hrefIn({ ...one, environment: undefined }, gatewayPath(one.name))}
                empty={null}
              />
            )}
          </Loaded>
        ) : (
          <ul className={styles.waiting}>
            {drain.waiting.map(({ gateway, why }) => (
              <li key={gateway}>
                {gateway}: {why}
              </li>
            ))}
          </ul>
        )}
      </Card>
    </>
  )
}

const share = (part: number, total: number): string => `${total === 0 ? 100 : (part / total) * 100}%`

function Deadline({ drain: { deadline, finishedAt } }: { drain: ClusterDrain }) {
  if (finishedAt)
    return (
      <>
        , over <Since at={finishedAt} />
      </>
    )
  if (!deadline) return <>, without a deadline</>
  return (
    <>
      , deadline <Since at={deadline} />
    </>
  )
}

/** What came of it, once it is over. */
function Outcome({ cluster, drain, mayAdminister }: { cluster: Cluster; drain: ClusterDrain; mayAdminister: boolean }) {
  const [isAgain, setAgain] = useState(false)
  const { left, moving, waiting, expired, finishedAt } = drain
  const { name } = cluster
  const again = (
    <Button variant="default" size="xs" onClick={() => setAgain(true)}>
      Drain it again…
    </Button>
  )
  return (
    <>
      {finishedAt && left + moving === 0 && (
        <Note tone="green" title={`Nothing is left on ${name}`}>
          <p>It can be decommissioned now, or uncordoned to take gateways again.</p>
        </Note>
      )}
      {expired && (
        <Note
          tone="amber"
          title={`The deadline has passed: ${plural(left, 'gateway is', 'gateways are')} still here and ${left === 1 ? 'serves' : 'serve'}`}
          action={mayAdminister ? again : null}
        >
          <p>Nothing more is moved until somebody drains {name} again, or it is uncordoned.</p>
        </Note>
      )}
      {!finishedAt && waiting.length > 0 && (
        <Note tone="amber" title={`${plural(waiting.length, 'gateway')} cannot move yet`}>
          <p>Each stays and serves, and is tried again by itself as soon as what keeps it is gone.</p>
        </Note>
      )}
      {isAgain && (
        <Dialog title={`Drain ${name} again`} onClose={() => setAgain(false)}>
          <DrainDialog cluster={cluster} onDone={() => setAgain(false)} />
        </Dialog>
      )}
    </>
  )
}

const columns: Column<DrainedGateway>[] = [
  { key: 'name', header: 'Gateway', cell: (one) => one.name },
  { key: 'place', header: 'Of', cell: ({ org, workspace, environment }) => `${org}/${workspace}/${environment}` },
  { key: 'state', header: 'State', cell: (one) => <State gateway={one} /> },
  {
    key: 'to',
    header: 'To',
    cell: ({ move }) => <To cluster={move?.state === 'failed' || move?.state === 'cancelled' ? undefined : move?.cluster} />,
  },
  { key: 'move', header: 'Its move', cell: (one) => <Move gateway={one} /> },
]

function State({ gateway: { state, why, move } }: { gateway: DrainedGateway }) {
  switch (state) {
    case 'moved':
      return <StateWord word="moved" />
    case 'moving':
      return (
        <StateWord word="moving" reason={move?.compensating ? 'being taken back' : `${move?.phase}: ${move?.step.replaceAll('_', ' ')}`} />
      )
    case 'waiting':
      return <StateWord word="waiting" tone="amber" reason={why} />
    case 'pending':
      return <StateWord word="pending" reason="its turn comes" />
  }
}

function To({ cluster }: { cluster: string | undefined }) {
  const href = useHref()
  return cluster ? <Link to={href(clusterPath(cluster))}>{cluster}</Link> : <>–</>
}

function Move({ gateway: { move, org, workspace } }: { gateway: DrainedGateway }) {
  if (!move) return <>–</>
  return (
    <Link to={hrefIn({ org, workspace, environment: undefined }, operationPage(move.operationId))}>
      {move.state === 'running' ? 'Watch it' : 'See it'}
    </Link>
  )
}
