import { Button } from '@mantine/core'
import type { Tenancy } from '@mcpg/proto/rest/tenancy'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Loaded } from '../../components/loaded.tsx'
import { Since } from '../../components/since.tsx'
import { getJson } from '../../lib/api.ts'
import { hrefIn, type Scope } from '../../lib/scope.ts'
import { Creation } from './creation.tsx'
import { Deletion } from './deletion.tsx'
import type { Level } from './levels.ts'

type Open = { what: 'create' } | { what: 'delete'; name: string }

/** One level: what there is, which one the page shows, and what may be made and deleted. */
export function LevelCard({ level, scope }: { level: Level; scope: Scope }) {
  const path = level.path(scope)
  const { data, error } = useQuery({
    queryKey: ['names', path],
    queryFn: ({ signal }) => getJson<{ items?: Tenancy[] }>(`${path}?limit=500`, signal),
  })
  const [open, setOpen] = useState<Open | null>(null)
  const close = () => setOpen(null)
  const create = (
    <Button variant="default" size="compact-sm" leftSection={<IconPlus size={14} />} onClick={() => setOpen({ what: 'create' })}>
      Create {level.noun === 'workspace' ? 'a' : 'an'} {level.noun}
    </Button>
  )
  return (
    <Card title={level.title} count={data?.items?.length} action={create} isFlush>
      <Loaded data={data} error={error}>
        {(data) => (
          <DataTable
            isPlain
            caption={level.title}
            rows={data.items ?? []}
            columns={columnsOf(level, scope, (name) => setOpen({ what: 'delete', name }))}
            rowKey={(one) => one.name}
            rowHref={(one) => hrefIn(level.scopeOf(scope, one.name), '/orgs')}
            empty={<EmptyState title={`No ${level.noun} yet`}>It holds {level.holds}.</EmptyState>}
          />
        )}
      </Loaded>
      {open?.what === 'create' && (
        <Dialog title={`Create ${level.noun === 'workspace' ? 'a' : 'an'} ${level.noun}`} onClose={close}>
          <Creation level={level} scope={scope} onDone={close} />
        </Dialog>
      )}
      {open?.what === 'delete' && (
        <Dialog title={`Delete ${open.name}`} onClose={close}>
          <Deletion level={level} scope={scope} name={open.name} onClose={close} />
        </Dialog>
      )}
    </Card>
  )
}

function columnsOf(level: Level, scope: Scope, onDelete: (name: string) => void): Column<Tenancy>[] {
  return [
    { key: 'name', header: 'Name', cell: (one) => one.name },
    { key: 'displayName', header: 'Called', cell: (one) => one.displayName ?? '–' },
    { key: 'shown', header: 'Shown', cell: (one) => (level.isChosen(scope, one.name) ? 'yes' : '–') },
    { key: 'created', header: 'Created', cell: (one) => <Since at={one.createdAt} /> },
    {
      key: 'action',
      header: '',
      align: 'right',
      cell: (one) => (
        <Button variant="default" size="compact-xs" onClick={() => onDelete(one.name)} aria-label={`Delete ${level.noun} ${one.name}`}>
          Delete…
        </Button>
      ),
    },
  ]
}
