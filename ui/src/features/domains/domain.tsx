import { Button } from '@mantine/core'
import type { Domain } from '@mcpg/proto/rest/domains'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Facts } from '../../components/facts.tsx'
import { Confirmation } from '../../components/form.tsx'
import { ObjectPage } from '../../components/object-page.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { PageStack } from '../../components/stack.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { deleteObject } from '../../lib/api.ts'
import { domainsKey, domainsPath, useDomains } from '../../lib/domains.ts'
import { gatewayPath } from '../../lib/pages.ts'
import { useMayThere } from '../../lib/rights.ts'
import { hrefIn, useHref, useScope } from '../../lib/scope.ts'
import { Verification } from './verification.tsx'

const parent = { label: 'Domains', path: '/domains' }

/** One domain: the record that shows whose it is, what name servers say of it, and who has a name of it. */
export function DomainPage() {
  const { host = '' } = useParams()
  const { org } = useScope()
  const { items, error } = useDomains(org)
  return (
    <ObjectPage
      title={host}
      parent={parent}
      one={items?.find((one) => one.host === host)}
      items={items}
      error={error}
      missing={`There is no domain ${host}`}
      gone={
        <>
          It may have been given up. <code>mcpg-ctl domain list</code> lists what there is.
        </>
      }
    >
      {(domain) => <Shown key={host} domain={domain} />}
    </ObjectPage>
  )
}

function Shown({ domain }: { domain: Domain }) {
  const { org } = useScope()
  const mayChange = useMayThere({ operation: 'provision' }, { org })
  const [isDeleting, setDeleting] = useState(false)
  const { host, state, usedBy, createdAt, createdBy, verifiedAt } = domain
  return (
    <>
      <PageHead
        title={host}
        parent={parent}
        badges={<StateWord word={state} />}
        actions={
          <>
            <ShowCli
              commands={[
                ...(state === 'pending'
                  ? [{ what: 'Verify', command: `mcpg-ctl domain verify ${host} --org ${org}`, isScoped: true }]
                  : [
                      {
                        what: 'A gateway of this name',
                        command: `mcpg-ctl provision create --org ${org} --name <name> --custom-hostname ${host}`,
                        isScoped: true,
                      },
                    ]),
                { what: 'Give it up', command: `mcpg-ctl domain remove ${host} --org ${org}`, isScoped: true },
              ]}
            />
            {mayChange && (
              <Button variant="default" onClick={() => setDeleting(true)}>
                Delete…
              </Button>
            )}
          </>
        }
      />
      <PageStack>
        <Verification domain={domain} mayVerify={mayChange} />
        <Card title="Used by" count={usedBy.length} isFlush>
          <DataTable
            isPlain
            caption="Used by"
            rows={usedBy}
            columns={columns}
            rowKey={(one) => one.hostname}
            rowHref={({ workspace, gateway }) => hrefIn({ org, workspace, environment: undefined }, gatewayPath(gateway))}
            empty={
              <EmptyState title="No gateway has a name of it">
                {state === 'verified'
                  ? 'A managed gateway gets one when it is provisioned or changed.'
                  : 'It can be given to a gateway once it is verified.'}
              </EmptyState>
            }
          />
        </Card>
        <Card title="About">
          <Facts
            facts={[
              ['Added', <Since key="added" at={createdAt} />],
              ['By', createdBy],
              ['Verified', <Since key="verified" at={verifiedAt} fallback="not yet" />],
            ]}
          />
        </Card>
      </PageStack>
      {isDeleting && (
        <Dialog title={`Delete ${host}`} onClose={() => setDeleting(false)}>
          <Deletion host={host} onClose={() => setDeleting(false)} />
        </Dialog>
      )}
    </>
  )
}

/** One that gateways have names of is refused by the control plane, which names them. */
function Deletion({ host, onClose }: { host: string; onClose: () => void }) {
  const { org } = useScope()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const href = useHref()
  const doing = useMutation({
    mutationFn: () => deleteObject(domainsPath(org, host)),
    onSuccess: async () => {
      await navigate(href('/domains'))
      await queries.invalidateQueries({ queryKey: domainsKey(org) })
    },
  })
  return (
    <Confirmation doing={doing} action="Delete it" onKeep={onClose} color="red">
      <p>
        Gateways may not have names of it then, and added again it asks for another TXT record. A gateway that has a name of it keeps it
        from being deleted.
      </p>
    </Confirmation>
  )
}

const columns: Column<Domain['usedBy'][number]>[] = [
  { key: 'gateway', header: 'Gateway', cell: (one) => one.gateway },
  { key: 'hostname', header: 'Name', cell: (one) => one.hostname },
  { key: 'place', header: 'Of', cell: ({ workspace, environment }) => `${workspace}/${environment}` },
]
