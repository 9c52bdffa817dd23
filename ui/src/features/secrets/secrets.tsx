import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { FilterBar, matches } from '../../components/filter-bar.tsx'
import { ObjectList } from '../../components/object-list.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { changedAt, secretView, type SecretView } from '../../lib/objects/secret.ts'
import { useMay } from '../../lib/rights.ts'
import { useHref, useScope, useUrlState } from '../../lib/scope.ts'
import { SecretForm } from './secret-form.tsx'

/** Every secret by its keys and users; values are written here and never read. */
export function Secrets() {
  const { items, error } = useObjects('Secret', secretView)
  const href = useHref()
  const [text] = useUrlState('q')
  const [isCreating, setCreating] = useState(false)
  const found = items?.filter((one) => matches(text, one.name, ...one.keys.map(({ key }) => key), ...one.usedBy.map(({ name }) => name)))
  const mayCreate = useMay({ verb: 'create', kind: 'secrets' }, useScope())
  const create = mayCreate && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
      Create a secret
    </Button>
  )
  return (
    <>
      <PageHead
        title="Secrets"
        actions={
          <>
            <ShowCli
              commands={[
                { what: 'List', command: 'mcpg-ctl get secrets -o wide' },
                ...(mayCreate ? [{ what: 'Create', command: 'mcpg-ctl create secret github --from-env token=GITHUB_TOKEN' }] : []),
              ]}
            />
            {create}
          </>
        }
      />
      <ObjectList
        noun="secret"
        items={items}
        found={found}
        error={error}
        filter={() => <FilterBar label="Filter by name, key or user" />}
        nothing={
          <EmptyState title="No secret yet" action={create}>
            A server takes a variable or a header from a key of a secret; its value is stored sealed and never shown again.
          </EmptyState>
        }
      >
        {(rows, empty) => (
          <DataTable
            caption="Secrets"
            rows={rows}
            columns={columns}
            rowKey={rowKey}
            rowHref={(one) => href(`/secrets/${encodeURIComponent(one.name)}`)}
            empty={empty}
          />
        )}
      </ObjectList>
      {isCreating && (
        <Dialog title="Create a secret" onClose={() => setCreating(false)}>
          <SecretForm onDone={() => setCreating(false)} />
        </Dialog>
      )}
    </>
  )
}

const rowKey = (one: SecretView) => one.name

const columns: Column<SecretView>[] = [
  { key: 'name', header: 'Name', sort: (one) => one.name, cell: (one) => one.name },
  { key: 'keys', header: 'Keys', cell: (one) => one.keys.map(({ key }) => key).join(', ') || '–' },
  { key: 'usedBy', header: 'Used by', align: 'right', sort: (one) => one.usedBy.length, cell: (one) => one.usedBy.length },
  { key: 'changed', header: 'Changed', align: 'right', sort: changedAt, cell: (one) => <Since at={changedAt(one)} bare /> },
]
