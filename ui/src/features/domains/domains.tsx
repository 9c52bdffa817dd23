import { Button } from '@mantine/core'
import type { Domain } from '@mcpg/proto/rest/domains'
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
import { useDomains } from '../../lib/domains.ts'
import { domainPath } from '../../lib/pages.ts'
import { useMayThere } from '../../lib/rights.ts'
import { useHref, useScope, useUrlState } from '../../lib/scope.ts'
import { Adding } from './adding.tsx'

/** Names of DNS that managed gateways of the organization may have. */
export function Domains() {
  const { org } = useScope()
  const { items, error } = useDomains(org)
  const href = useHref()
  const mayAdd = useMayThere({ operation: 'provision' }, { org })
  const [text] = useUrlState('q')
  const [state] = useUrlState('state')
  const [isAdding, setAdding] = useState(false)
  const add = mayAdd && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setAdding(true)}>
      Add a domain
    </Button>
  )
  const found = items?.filter(
    (one) =>
      (!state || one.state === state) && matches(text, one.host, ...one.usedBy.flatMap(({ hostname, gateway }) => [hostname, gateway])),
  )
  return (
    <>
      <PageHead
        title="Domains"
        actions={
          <>
            <ShowCli
              commands={[
                { what: 'List', command: `mcpg-ctl domain list --org ${org}`, isScoped: true },
                ...(mayAdd
                  ? [
                      { what: 'Add', command: `mcpg-ctl domain add <host> --org ${org}`, isScoped: true },
                      { what: 'Verify', command: `mcpg-ctl domain verify <host> --org ${org}`, isScoped: true },
                    ]
                  : []),
              ]}
            />
            {add}
          </>
        }
      >
        Names of DNS that managed gateways of {org} may have, once a TXT record shows that they are yours.
      </PageHead>
      <ObjectList
        noun="domain"
        items={items}
        found={found}
        error={error}
        filter={(all) => <FilterBar label="Filter by host or gateway" facet="state" counts={countWords(all.map((one) => one.state))} />}
        nothing={
          <EmptyState title="No domain yet" action={add}>
            With a verified domain a managed gateway can have a name of yours, such as tools.example.com.
          </EmptyState>
        }
      >
        {(rows, empty) => (
          <DataTable
            caption="Domains"
            rows={rows}
            columns={columns}
            rowKey={(one) => one.host}
            rowHref={(one) => href(domainPath(one.host))}
            empty={empty}
          />
        )}
      </ObjectList>
      {isAdding && (
        <Dialog title="Add a domain" onClose={() => setAdding(false)}>
          <Adding />
        </Dialog>
      )}
    </>
  )
}

const columns: Column<Domain>[] = [
  { key: 'host', header: 'Domain', sort: (one) => one.host, cell: (one) => one.host },
  {
    key: 'state',
    header: 'State',
    sort: (one) => one.state,
    cell: (one) => <StateWord word={one.state} reason={one.state === 'pending' ? 'not verified yet' : undefined} />,
  },
  {
    key: 'used',
    header: 'Used by',
    sort: (one) => one.usedBy.length,
    cell: (one) => one.usedBy.map(({ hostname }) => hostname).join(', ') || '–',
  },
  { key: 'verified', header: 'Verified', cell: (one) => <Since at={one.verifiedAt} /> },
  { key: 'by', header: 'Added by', sort: (one) => one.createdBy, cell: (one) => one.createdBy },
  { key: 'added', header: 'Added', align: 'right', sort: (one) => one.createdAt, cell: (one) => <Since at={one.createdAt} /> },
]
