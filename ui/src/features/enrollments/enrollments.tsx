import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { Link } from 'react-router'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { countWords, FilterBar, matches } from '../../components/filter-bar.tsx'
import { Labels } from '../../components/labels.tsx'
import { ObjectList } from '../../components/object-list.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { postJson } from '../../lib/api.ts'
import { useObjects } from '../../lib/live/use-objects.ts'
import { useNow } from '../../lib/now.ts'
import { enrollmentView, stateAt, type EnrollmentView } from '../../lib/objects/enrollment.ts'
import { gatewayView } from '../../lib/objects/gateway.ts'
import { enrollmentsPath } from '../../lib/paths.ts'
import { useHref, useScope, useUrlState } from '../../lib/scope.ts'

/** Every one-time URL, used, expired and revoked ones too; never their tokens. */
export function Enrollments() {
  const { items, error } = useObjects('Enrollment', enrollmentView)
  const { items: gateways } = useObjects('Gateway', gatewayView)
  const now = useNow()
  const href = useHref()
  const [text] = useUrlState('q')
  const [state] = useUrlState('state')
  const [revokeError, setRevokeError] = useState<Error | null>(null)
  const columns = useMemo(() => columnsOf(now, new Map(gateways?.map((one) => [one.uid, one.name])), setRevokeError), [now, gateways])
  const enroll = (
    <Button component={Link} to={href('/enrollments/new')} leftSection={<IconPlus size={16} />}>
      Enroll a gateway
    </Button>
  )
  const found = items?.filter((one) => (!state || stateAt(one, now) === state) && matches(text, one.name, one.gatewayName, one.createdBy))
  return (
    <>
      <PageHead
        title="Enrollments"
        actions={
          <>
            <ShowCli
              commands={[
                { what: 'List', command: 'mcpg-ctl enroll list' },
                { what: 'Make one', command: 'mcpg-ctl enroll create --ttl 15m' },
                { what: 'Revoke one', command: 'mcpg-ctl enroll revoke <name>' },
              ]}
            />
            {enroll}
          </>
        }
      />
      <ObjectList
        noun="enrollment"
        items={items}
        found={found}
        error={error}
        filter={(all) => <FilterBar label="Filter by name" facet="state" counts={countWords(all.map((one) => stateAt(one, now)))} />}
        note={<ProblemNote error={revokeError} />}
        nothing={
          <EmptyState title="No enrollment yet" action={enroll}>
            A one-time URL turns an installation into a gateway.
          </EmptyState>
        }
      >
        {(rows, empty) => (
          <DataTable
            caption="Enrollments"
            rows={rows}
            columns={columns}
            rowKey={rowKey}
            rowHref={(one) => href('/enrollments/new', { enrollment: one.name })}
            empty={empty}
          />
        )}
      </ObjectList>
    </>
  )
}

const rowKey = (one: EnrollmentView) => `${one.environment}/${one.name}`

function columnsOf(now: number, gatewayNames: Map<string, string>, onError: (error: Error | null) => void): Column<EnrollmentView>[] {
  return [
    { key: 'name', header: 'Name', sort: (one) => one.name, cell: (one) => one.name },
    { key: 'environment', header: 'Environment', sort: (one) => one.environment, cell: (one) => one.environment || '–' },
    { key: 'state', header: 'State', sort: (one) => stateAt(one, now), cell: (one) => <StateWord word={stateAt(one, now)} /> },
    { key: 'uses', header: 'Uses', align: 'right', sort: (one) => one.usedCount, cell: (one) => `${one.usedCount}/${one.maxUses}` },
    {
      key: 'expires',
      header: 'Expires',
      sort: (one) => one.expiresAt,
      cell: (one) => (stateAt(one, now) === 'open' || stateAt(one, now) === 'expired' ? <Since at={one.expiresAt} /> : '–'),
    },
    {
      key: 'gateways',
      header: 'Gateways',
      cell: (one) => one.redemptions.map(({ gateway }) => gatewayNames.get(gateway) ?? gateway).join(', ') || '–',
    },
    { key: 'labels', header: 'Labels', cell: (one) => <Labels labels={one.labels} /> },
    { key: 'by', header: 'By', sort: (one) => one.createdBy, cell: (one) => one.createdBy || '–' },
    { key: 'created', header: 'Created', sort: (one) => one.createdAt, cell: (one) => <Since at={one.createdAt} /> },
    {
      key: 'action',
      header: '',
      align: 'right',
      cell: (one) => (stateAt(one, now) === 'open' ? <RevokeButton enrollment={one} onError={onError} /> : null),
    },
  ]
}

function RevokeButton({ enrollment, onError }: { enrollment: EnrollmentView; onError: (error: Error | null) => void }) {
  const scope = useScope()
  const { mutate, isPending } = useMutation({
    mutationFn: () =>
      postJson(`${enrollmentsPath(scope, enrollment.environment || 'default')}/${encodeURIComponent(enrollment.name)}/revoke`),
    onMutate: () => onError(null),
    onError,
  })
  return (
    <Button variant="default" size="compact-xs" loading={isPending} onClick={() => mutate()} aria-label={`Revoke ${enrollment.name}`}>
      Revoke
    </Button>
  )
}
