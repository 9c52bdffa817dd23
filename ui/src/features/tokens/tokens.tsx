import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { countWords, FilterBar, matches } from '../../components/filter-bar.tsx'
import { ObjectList } from '../../components/object-list.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { projectView } from '../../lib/objects/project.ts'
import type { TokenView } from '../../lib/objects/token.ts'
import { useScope, useUrlState } from '../../lib/scope.ts'
import { Creation } from './creation.tsx'
import { Revocation } from './revocation.tsx'
import { useTokens } from './use-tokens.ts'

/** Bearers of programs: made here, shown once, and stopped here. */
export function Tokens() {
  const { org } = useScope()
  const { items, error } = useTokens(org)
  const { items: projects } = useObjects('Project', projectView)
  const [text] = useUrlState('q')
  const [state] = useUrlState('state')
  const [isCreating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<TokenView | null>(null)
  const found = items?.filter((one) => (!state || one.state === state) && matches(text, one.name, one.project, one.createdBy))
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
      Create a token
    </Button>
  )
  return (
    <>
      <PageHead
        title="Tokens"
        actions={
          <>
            <ShowCli
              commands={[
                { what: 'List', command: 'mcpg-ctl token list' },
                { what: 'Of yours', command: 'mcpg-ctl token create ci --ttl 30d' },
                { what: 'Of an MCP client', command: 'mcpg-ctl create mcptoken claude -p <project>' },
                { what: 'Revoke', command: 'mcpg-ctl token revoke <name>' },
              ]}
            />
            {create}
          </>
        }
      />
      <ObjectList
        noun="token"
        items={items}
        found={found}
        error={error}
        filter={(all) => (
          <FilterBar label="Filter by name, project or maker" facet="state" counts={countWords(all.map((one) => one.state))} />
        )}
        nothing={
          <EmptyState title="No token yet" action={create}>
            A program shows a token instead of signing in, and an MCP client at an endpoint that wants one.
          </EmptyState>
        }
      >
        {(rows, empty) => (
          <DataTable caption="Tokens" rows={rows} columns={columnsOf(setRevoking)} rowKey={(one) => one.id} empty={empty} />
        )}
      </ObjectList>
      {isCreating && (
        <Dialog title="Create a token" onClose={() => setCreating(false)}>
          <Creation projects={projects?.map(({ name }) => name) ?? []} onDone={() => setCreating(false)} />
        </Dialog>
      )}
      {revoking && (
        <Dialog title={`Revoke ${revoking.name}`} onClose={() => setRevoking(null)}>
          <Revocation token={revoking} onDone={() => setRevoking(null)} />
        </Dialog>
      )}
    </>
  )
}

const columnsOf = (onRevoke: (token: TokenView) => void): Column<TokenView>[] => [
  { key: 'name', header: 'Name', sort: (one) => one.name, cell: (one) => one.name },
  { key: 'of', header: 'Of', sort: (one) => one.project, cell: (one) => (one.project === '' ? one.createdBy : `project ${one.project}`) },
  { key: 'state', header: 'State', sort: (one) => one.state, cell: (one) => <StateWord word={one.state} /> },
  {
    key: 'expires',
    header: 'Expires',
    sort: (one) => one.expiresAt,
    cell: (one) => (one.expiresAt ? <Since at={one.expiresAt} /> : 'never'),
  },
  {
    key: 'used',
    header: 'Last used',
    sort: (one) => one.lastUsedAt,
    cell: (one) => (one.lastUsedAt ? <Since at={one.lastUsedAt} /> : 'never'),
  },
  { key: 'by', header: 'By', sort: (one) => one.createdBy, cell: (one) => one.createdBy },
  { key: 'created', header: 'Created', sort: (one) => one.createdAt, cell: (one) => <Since at={one.createdAt} /> },
  {
    key: 'action',
    header: '',
    align: 'right',
    cell: (one) =>
      one.state === 'active' ? (
        <Button variant="default" size="compact-xs" onClick={() => onRevoke(one)} aria-label={`Revoke ${one.name}`}>
          Revoke
        </Button>
      ) : null,
  },
]
