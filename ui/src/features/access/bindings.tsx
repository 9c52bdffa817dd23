import { Button } from '@mantine/core'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { RoleBindingSpec, RoleBindingStatus } from '@mcpg/proto/kinds/role-binding'
import { IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Loaded } from '../../components/loaded.tsx'
import type { Scope } from '../../lib/scope.ts'
import { Giving } from './giving.tsx'
import { Taking } from './taking.tsx'
import { useObjects } from './use-objects.ts'

type Open = { what: 'give' } | { what: 'take'; name: string }

/** Roles as they are bound, and how to give and take them. */
export function Bindings({ scope }: { scope: Scope }) {
  const { data, error } = useObjects(scope, 'rolebindings')
  const [open, setOpen] = useState<Open | null>(null)
  const close = () => setOpen(null)
  const give = (
    <Button variant="default" size="compact-sm" leftSection={<IconPlus size={14} />} onClick={() => setOpen({ what: 'give' })}>
      Give a role
    </Button>
  )
  return (
    <Card title="Who has which role" count={data?.length} action={give} isFlush>
      <Loaded data={data} error={error}>
        {(data) => (
          <DataTable
            isPlain
            caption="Who has which role"
            rows={data}
            columns={columnsOf((name) => setOpen({ what: 'take', name }))}
            rowKey={({ metadata }) => metadata.name}
            empty={<EmptyState title="Nobody has a role yet">Platform admins may do everything; everybody else needs a role.</EmptyState>}
          />
        )}
      </Loaded>
      {open?.what === 'give' && (
        <Dialog title="Give a role" onClose={close}>
          <Giving scope={scope} onDone={close} />
        </Dialog>
      )}
      {open?.what === 'take' && (
        <Dialog title={`Take away ${open.name}`} onClose={close}>
          <Taking scope={scope} name={open.name} onClose={close} />
        </Dialog>
      )}
    </Card>
  )
}

const specOf = ({ spec }: Resource) => spec as RoleBindingSpec

function columnsOf(onTake: (name: string) => void): Column<Resource>[] {
  return [
    { key: 'name', header: 'Binding', cell: ({ metadata }) => metadata.name },
    { key: 'role', header: 'Role', cell: (one) => specOf(one).role },
    { key: 'subjects', header: 'Who', cell: (one) => specOf(one).subjects.map(subjectText).join(', ') },
    { key: 'place', header: 'Where', cell: placeText },
    {
      key: 'action',
      header: '',
      align: 'right',
      cell: ({ metadata: { name } }) => (
        <Button variant="default" size="compact-xs" onClick={() => onTake(name)} aria-label={`Take away ${name}`}>
          Take away…
        </Button>
      ),
    },
  ]
}

const subjectText = ({ kind, name }: RoleBindingSpec['subjects'][number]): string =>
  kind === 'User' ? name : `${kind === 'Group' ? 'group' : 'service account'} ${name}`

function placeText(binding: Resource): string {
  const { workspace, environment, project } = specOf(binding)
  const { missing } = binding.status as RoleBindingStatus
  const parts = [workspace ?? 'the organization', environment && `environment ${environment}`, project && `project ${project}`]
  return `${parts.filter(Boolean).join(', ')}${missing ? ` (there is no ${missing})` : ''}`
}
