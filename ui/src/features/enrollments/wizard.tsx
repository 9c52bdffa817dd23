import { Button } from '@mantine/core'
import type { CreatedEnrollment } from '@mcpg/proto/rest/enrollments'
import { useState } from 'react'
import { Link } from 'react-router'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Loading } from '../../components/loading.tsx'
import { Note } from '../../components/note.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { PageStack } from '../../components/stack.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { useNow } from '../../lib/now.ts'
import { enrollmentView, stateAt } from '../../lib/objects/enrollment.ts'
import { gatewayView } from '../../lib/objects/gateway.ts'
import { useHref, useUrlState } from '../../lib/scope.ts'
import { CommandBlock } from './command-block.tsx'
import { Done } from './done.tsx'
import { LadderView } from './ladder-view.tsx'
import { ladderOf } from './ladder.ts'
import { LikelyCauses } from './likely-causes.tsx'
import { OptionsForm, type Choice } from './options-form.tsx'

/** How long an agent may stay silent before the page says what is likely wrong. */
const silentMs = 60_000

/** What was answered once. It lives in this page's memory and nowhere else: a reload shows the ladder without the command. */
type Issued = CreatedEnrollment & { choice: Choice }

/** Where and how, then the command, then what the control plane sees of it. `?enrollment=` says which one is watched. */
export function EnrollmentWizard() {
  const [name, setName] = useUrlState('enrollment')
  const [issued, setIssued] = useState<Issued | undefined>()
  const again = () => {
    setIssued(undefined)
    setName('')
  }
  const onIssued = (created: CreatedEnrollment, choice: Choice) => {
    setIssued({ ...created, choice })
    setName(created.name)
  }
  return (
    <>
      <PageHead
        title="Enroll a gateway"
        parent={{ label: 'Enrollments', path: '/enrollments' }}
        actions={
          <ShowCli
            commands={[
              { what: 'Make a one-time URL', command: 'mcpg-ctl enroll create --ttl 15m' },
              { what: 'What was made', command: 'mcpg-ctl enroll list' },
            ]}
          />
        }
      >
        One command on the machine turns an installation into a gateway.
      </PageHead>
      {name === '' ? (
        <OptionsForm onIssued={onIssued} />
      ) : (
        <Watch name={name} issued={issued?.name === name ? issued : undefined} onAgain={again} />
      )}
    </>
  )
}

function Watch({ name, issued, onAgain }: { name: string; issued: Issued | undefined; onAgain: () => void }) {
  const { items, error } = useObjects('Enrollment', enrollmentView)
  const { items: gateways = [] } = useObjects('Gateway', gatewayView)
  const now = useNow()
  const href = useHref()
  const enrollment = items?.find((one) => one.name === name)
  const again = (
    <Button variant="default" onClick={onAgain}>
      Make a new command
    </Button>
  )
  const ladder = enrollment && ladderOf(enrollment, gateways, now)
  const isOpen = enrollment ? stateAt(enrollment, now) === 'open' : true
  const since = enrollment ? Date.parse(enrollment.createdAt) : now
  return (
    <PageStack>
      {issued && isOpen && (
        <Card title="Run this">
          <CommandBlock issued={issued} choice={issued.choice} now={now} />
        </Card>
      )}
      {!issued && isOpen && enrollment && enrollment.redemptions.length === 0 && (
        <Note tone="gray" title="The command was shown once" action={again}>
          <p>It held the token and is kept nowhere. If it is lost, make a new one; this one can be revoked in the list.</p>
        </Note>
      )}
      {ladder?.isDone && ladder.gateway ? <Done gateway={ladder.gateway} /> : null}
      <Card title={ladder?.isDone ? 'What happened' : 'Waiting for the agent'} action={ladder?.hasFailed || ladder?.isDone ? again : null}>
        {ladder ? (
          <LadderView ladder={ladder} />
        ) : error ? (
          <ProblemNote error={error} />
        ) : items && !issued ? (
          <EmptyState title={`There is no enrollment ${name}`} action={again}>
            Old ones are forgotten a while after their end.
          </EmptyState>
        ) : (
          <Loading label="Waiting for the control plane" />
        )}
      </Card>
      {ladder && !ladder.isDone && !ladder.hasFailed && enrollment?.redemptions.length === 0 && now - since > silentMs && <LikelyCauses />}
      {ladder && !ladder.isDone && !ladder.hasFailed && (
        <p>
          You can close this page; <Link to={href('/enrollments')}>Enrollments</Link> shows the rest.
        </p>
      )}
    </PageStack>
  )
}
