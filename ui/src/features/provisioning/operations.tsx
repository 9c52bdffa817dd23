import { Button, NativeSelect, TextInput } from '@mantine/core'
import { operationKinds, operationStates } from '@mcpg/proto/managed-gateways'
import { useEffect, useState } from 'react'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Loaded } from '../../components/loaded.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { PageStack } from '../../components/stack.tsx'
import { capital } from '../../lib/format.ts'
import { useOperations } from '../../lib/operations/use-operations.ts'
import { useScope, useUrlState } from '../../lib/scope.ts'
import { OperationTable } from './operation-table.tsx'
import styles from './operations.module.css'

/** What was done with managed gateways of the organization. */
export function Operations() {
  const { org } = useScope()
  const [gateway] = useUrlState('gateway')
  const [kind] = useUrlState('kind')
  const [state] = useUrlState('state')
  const filter = { ...(gateway && { gateway }), ...(kind && { kind }), ...(state && { state }) }
  const { items, error, hasMore, isFetchingMore, more } = useOperations(org, filter)
  return (
    <>
      <PageHead
        title="Operations"
        actions={
          <ShowCli
            commands={[
              { what: 'History', command: `mcpg-ctl provision history --org ${org}`, isScoped: true },
              { what: 'With every step', command: `mcpg-ctl provision history --org ${org} --verbose`, isScoped: true },
              { what: 'Follow one', command: 'mcpg-ctl provision watch <operation>', isScoped: true },
            ]}
          />
        }
      >
        What was done with managed gateways of {org}, newest first.
      </PageHead>
      <PageStack>
        <OperationFilter />
        <Loaded data={items} error={error}>
          {(items) => (
            <Card isFlush>
              <OperationTable
                operations={items}
                empty={
                  Object.keys(filter).length > 0 ? (
                    <EmptyState title="No operation matches">They are kept for 90 days after their end.</EmptyState>
                  ) : (
                    <EmptyState title="No operation yet">
                      Making, changing and deleting a managed gateway is an operation; each is kept with its steps for 90 days.
                    </EmptyState>
                  )
                }
              />
            </Card>
          )}
        </Loaded>
        {hasMore && (
          <div>
            <Button variant="default" loading={isFetchingMore} onClick={more}>
              Show older
            </Button>
          </div>
        )}
      </PageStack>
    </>
  )
}

/** All of it stands in the URL. */
function OperationFilter() {
  const [gateway, setGateway] = useUrlState('gateway')
  const [kind, setKind] = useUrlState('kind')
  const [state, setState] = useUrlState('state')
  const [draft, setDraft] = useState(gateway)
  useEffect(() => setDraft(gateway), [gateway])
  return (
    <form
      className={styles.filter}
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        setGateway(draft.trim())
      }}
    >
      <TextInput
        data-filter
        label="Gateway"
        placeholder="its name"
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={() => setGateway(draft.trim())}
      />
      <NativeSelect
        label="Kind"
        data={[{ value: '', label: 'Any' }, ...operationKinds.map((one) => ({ value: one, label: capital(one) }))]}
        value={kind}
        onChange={(event) => setKind(event.currentTarget.value)}
      />
      <NativeSelect
        label="State"
        data={[{ value: '', label: 'Any' }, ...operationStates.map((one) => ({ value: one, label: capital(one) }))]}
        value={state}
        onChange={(event) => setState(event.currentTarget.value)}
      />
    </form>
  )
}
