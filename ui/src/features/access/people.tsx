import type { Resource } from '@mcpg/proto/kinds/kind'
import type { UserSpec, UserStatus } from '@mcpg/proto/kinds/user'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Loaded } from '../../components/loaded.tsx'
import { Since } from '../../components/since.tsx'
import type { Scope } from '../../lib/scope.ts'
import { ActFor } from './act-for.tsx'
import { useObjects } from './use-objects.ts'

/** The people of the organization with the roles that reach them, and by which groups. */
export function People({ scope }: { scope: Scope }) {
  const { data, error } = useObjects(scope, 'users')
  return (
    <Card title="People" count={data?.length} isFlush>
      <Loaded data={data} error={error}>
        {(data) => (
          <DataTable
            isPlain
            caption="People"
            rows={data}
            columns={[
              ...columns,
              { key: 'action', header: '', align: 'right', cell: ({ metadata }) => <ActFor scope={scope} user={metadata.name} /> },
            ]}
            rowKey={({ metadata }) => metadata.name}
            empty={<EmptyState title="Nobody yet">People come with their first sign-in, or by mcpg-ctl create user.</EmptyState>}
          />
        )}
      </Loaded>
    </Card>
  )
}

const statusOf = ({ status }: Resource) => status as Partial<UserStatus>

const columns: Column<Resource>[] = [
  { key: 'name', header: 'E-mail', cell: ({ metadata }) => metadata.name },
  { key: 'called', header: 'Called', cell: ({ spec }) => (spec as UserSpec).displayName ?? '–' },
  { key: 'roles', header: 'Roles', cell: rolesOf },
  { key: 'groups', header: 'Groups', cell: (one) => statusOf(one).groups?.join(', ') || '–' },
  {
    key: 'seen',
    header: 'Last sign-in',
    cell: (one) => {
      const { lastSignInAt } = statusOf(one)
      return lastSignInAt ? <Since at={lastSignInAt} /> : 'never'
    },
  },
]

function rolesOf(user: Resource): string {
  const { platformAdmin, access = [] } = statusOf(user)
  const roles = access.map(({ role, workspace, through }) => {
    const by = through.length > 0 ? ` by ${through.join(' > ')}` : ''
    return `${role}${workspace ? ` in ${workspace}` : ''}${by}`
  })
  return [...(platformAdmin ? ['platform admin'] : []), ...roles].join(', ') || '–'
}
