import { Button } from '@mantine/core'
import type { Operation, OperationEvent } from '@mcpg/proto/rest/operations'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useParams } from 'react-router'
import { Card } from '../../components/card.tsx'
import { CodeBlock } from '../../components/code-block.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Facts } from '../../components/facts.tsx'
import { Confirmation } from '../../components/form.tsx'
import { Loading } from '../../components/loading.tsx'
import { Note } from '../../components/note.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { PageStack } from '../../components/stack.tsx'
import { postJson } from '../../lib/api.ts'
import { capital, spellDuration, timeOf } from '../../lib/format.ts'
import type { FollowStatus } from '../../lib/operations/follow-operation.ts'
import { operationKey, operationPath, useOperation } from '../../lib/operations/use-operation.ts'
import { clusterPath, gatewayPath } from '../../lib/pages.ts'
import { useMay } from '../../lib/rights.ts'
import { hrefIn, useHref } from '../../lib/scope.ts'
import { Failure } from './failure.tsx'
import { isLast, progressOf } from './ladder.ts'
import { OperationLadder } from './operation-ladder.tsx'
import { OperationState } from './operation-state.tsx'
import { parameterFacts } from './parameter-facts.tsx'
import { createCommand, deleteCommand } from './parameters.ts'
import { ProvisionDialog } from './provision-dialog.tsx'

const parent = { label: 'Operations', path: '/operations' }

/** One operation from its first event on, as it goes on. */
export function OperationPage() {
  const { id = '' } = useParams()
  return <Followed key={id} id={id} />
}

function Followed({ id }: { id: string }) {
  const { operation, error, events, status } = useOperation(id)
  if (operation) return <Shown operation={operation} events={events} status={status} />
  return (
    <>
      <PageHead title="Operation" parent={parent} />
      {error ? <ProblemNote error={error} /> : <Loading />}
    </>
  )
}

type About = { operation: Operation; events: OperationEvent[]; status: FollowStatus }

function Shown({ operation, events, status }: About) {
  const [isAgain, setAgain] = useState(false)
  const { kind, gateway, org, workspace, environment } = operation
  const mayProvision = useMay({ operation: 'provision' }, operation)
  const last = events.findLast(isLast)
  const endpoint = last?.gateway?.endpoints[0]
  // The stream is ahead of the row.
  const state = last && operation.state === 'running' ? (last.phase === 'ready' ? 'succeeded' : 'failed') : operation.state
  const progress = progressOf(events)
  const isRepeatable = kind !== 'delete' && mayProvision
  return (
    <>
      <PageHead
        title={`${capital(kind)} ${gateway.name}`}
        parent={parent}
        badges={<OperationState operation={{ ...operation, ...progress, state }} />}
        actions={
          <Actions
            operation={operation}
            isCancellable={state === 'running' && kind !== 'delete' && !(progress ?? operation).compensating}
            mayProvision={mayProvision}
          />
        }
      />
      <PageStack>
        {status.state === 'reconnecting' && (
          <Note tone="amber" title="The connection broke; it goes on after the last event when the control plane answers" />
        )}
        {status.state === 'refused' && <ProblemNote error={status.error} />}
        {last?.phase === 'failed' && (
          <Failure
            operation={operation}
            last={last}
            action={isRepeatable ? <Again isUpdate={kind === 'update'} onClick={() => setAgain(true)} /> : null}
          />
        )}
        {last?.phase === 'ready' && kind !== 'delete' && <Ready operation={operation} endpoint={endpoint} />}
        <Card title="Progress">
          {events.length === 0 && status.state !== 'refused' ? (
            <Loading label="Waiting for the control plane" />
          ) : (
            <OperationLadder operation={operation} events={events} />
          )}
        </Card>
        <Card title="About">
          <Facts facts={factsOf(operation)} />
        </Card>
      </PageStack>
      {isAgain && (
        <ProvisionDialog
          start={{ name: gateway.name, environment, parameters: operation.parameters }}
          scope={{ org, workspace }}
          isChange={kind === 'update'}
          onClose={() => setAgain(false)}
        />
      )}
    </>
  )
}

const Again = ({ isUpdate, onClick }: { isUpdate: boolean; onClick: () => void }) => (
  <Button variant="default" size="xs" onClick={onClick}>
    {isUpdate ? 'Change it again…' : 'Try again…'}
  </Button>
)

function Ready({ operation: { gateway, org, workspace }, endpoint }: { operation: Operation; endpoint: string | undefined }) {
  return (
    <Note
      tone="green"
      title={`${gateway.name} is ready`}
      action={
        <Button component={Link} size="xs" to={hrefIn({ org, workspace, environment: undefined }, gatewayPath(gateway.name))}>
          Open the gateway
        </Button>
      }
    >
      {endpoint && <CodeBlock text={endpoint} label="Endpoint" />}
    </Note>
  )
}

function Actions({ operation, isCancellable, mayProvision }: { operation: Operation; isCancellable: boolean; mayProvision: boolean }) {
  const [isAsking, setAsking] = useState(false)
  const { id, kind, gateway, parameters } = operation
  const same = kind === 'delete' ? deleteCommand(operation, gateway.instanceUid) : createCommand(operation, gateway.name, parameters)
  return (
    <>
      <ShowCli
        commands={[
          { what: 'The same', command: same, isScoped: true },
          { what: 'Watch it', command: `mcpg-ctl provision watch ${id}`, isScoped: true },
          ...(isCancellable ? [{ what: 'Cancel it', command: `mcpg-ctl provision cancel ${id}`, isScoped: true }] : []),
        ]}
      />
      {isCancellable && mayProvision && (
        <Button variant="default" onClick={() => setAsking(true)}>
          Cancel…
        </Button>
      )}
      {isCancellable && isAsking && (
        <Dialog title={`Cancel: ${kind} ${gateway.name}`} onClose={() => setAsking(false)}>
          <Cancellation operation={operation} onDone={() => setAsking(false)} />
        </Dialog>
      )}
    </>
  )
}

function Cancellation({ operation: { id, kind, gateway }, onDone }: { operation: Operation; onDone: () => void }) {
  const queries = useQueryClient()
  const doing = useMutation({
    mutationFn: () => postJson(`${operationPath(id)}/cancel`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: operationKey(id) })
      onDone()
    },
  })
  return (
    <Confirmation doing={doing} action="Take it back" onKeep={onDone} keep="Let it go on">
      <p>
        {kind === 'create'
          ? `What was made of ${gateway.name} is removed again, and what was reserved is given back.`
          : `${gateway.name} gets the parameters again that it had before.`}
      </p>
    </Confirmation>
  )
}

function factsOf(operation: Operation): [string, React.ReactNode][] {
  const { id, gateway, org, workspace, environment, cluster, startedBy, createdAt, finishedAt, parameters } = operation
  const took = (timeOf(finishedAt) ?? Number.NaN) - (timeOf(createdAt) ?? Number.NaN)
  return [
    ['Gateway', `${org}/${workspace}/${environment}/${gateway.name}`],
    ['Instance uid', <code key="uid">{gateway.instanceUid}</code>],
    ['Cluster', cluster ? <ClusterLink key="cluster" name={cluster} /> : ''],
    ...parameterFacts(parameters),
    ['Started', <Since key="started" at={createdAt} />],
    ['By', startedBy],
    ['Took', Number.isNaN(took) ? '' : spellDuration(took)],
    ['Operation', <code key="id">{id}</code>],
  ]
}

function ClusterLink({ name }: { name: string }) {
  const href = useHref()
  return <Link to={href(clusterPath(name))}>{name}</Link>
}
