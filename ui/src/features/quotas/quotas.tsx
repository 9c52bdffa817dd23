import { Button } from '@mantine/core'
import type { Quotas } from '@mcpg/proto/rest/quotas'
import { useState } from 'react'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Facts } from '../../components/facts.tsx'
import { Loaded } from '../../components/loaded.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { PageStack } from '../../components/stack.tsx'
import { useQuotas } from '../../lib/quotas.ts'
import { useMayThere } from '../../lib/rights.ts'
import { useScope } from '../../lib/scope.ts'
import { LimitEnvironment } from './limit-environment.tsx'
import { quotaBars } from './quota-bars.tsx'
import { QuotaForm, type Place } from './quota-form.tsx'

type Environment = Quotas['environments'][number]
type Open = { what: 'org' } | { what: 'environment'; place: Place; isChosen: boolean }

/** What managed gateways of the organization may take, all of them and by environment, against what they take. */
export function QuotasPage() {
  const { org, workspace, environment } = useScope()
  const { data, error } = useQuotas(org)
  const mayDivide = useMayThere({ operation: 'quotas' }, { org })
  const runsClusters = useMayThere({ operation: 'cluster-admin' })
  const [open, setOpen] = useState<Open | undefined>()
  const close = () => setOpen(undefined)
  const limit = mayDivide && (
    <Button
      variant="default"
      size="compact-sm"
      onClick={() => setOpen({ what: 'environment', place: { workspace, environment: environment ?? 'default' }, isChosen: false })}
    >
      Limit an environment…
    </Button>
  )
  return (
    <>
      <PageHead
        title="Quotas"
        actions={
          <ShowCli
            commands={[
              { what: 'List', command: `mcpg-ctl quota list --org ${org}`, isScoped: true },
              ...(mayDivide && runsClusters
                ? [{ what: 'Limit the organization', command: `mcpg-ctl quota set --org ${org} --gateways <n>`, isScoped: true }]
                : []),
              ...(mayDivide
                ? [
                    {
                      what: 'Limit an environment',
                      command: `mcpg-ctl quota set --org ${org} --workspace ${workspace} --env <name> --gateways <n>`,
                      isScoped: true,
                    },
                  ]
                : []),
            ]}
          />
        }
      >
        What managed gateways of {org} may take together, and what they take.
      </PageHead>
      <Loaded data={data} error={error}>
        {(quotas) => (
          <PageStack>
            <Card
              title={`All of ${org}`}
              action={
                mayDivide && runsClusters ? (
                  <Button variant="default" size="compact-sm" onClick={() => setOpen({ what: 'org' })}>
                    Set limits…
                  </Button>
                ) : (
                  <span>set by whoever runs the clusters</span>
                )
              }
            >
              <Facts facts={quotaBars(org, quotas.org).map(({ label, bar }) => [label, bar])} />
            </Card>
            <Card title="Environments" count={quotas.environments.length} action={limit} isFlush>
              <DataTable
                isPlain
                caption="Environments"
                rows={quotas.environments}
                columns={columnsOf(mayDivide, (place) => setOpen({ what: 'environment', place, isChosen: true }))}
                rowKey={pathOf}
                empty={
                  <EmptyState title="No environment is limited, and none has a managed gateway" action={limit}>
                    Each may take as much as the organization has left.
                  </EmptyState>
                }
              />
            </Card>
            {open?.what === 'org' && (
              <Dialog title={`Limits of ${org}`} onClose={close}>
                <QuotaForm org={org} place={null} quota={quotas.org} onDone={close} />
              </Dialog>
            )}
            {open?.what === 'environment' && (
              <Dialog title={open.isChosen ? `Limits of ${pathOf(open.place)}` : 'Limit an environment'} onClose={close}>
                {open.isChosen ? (
                  <QuotaForm
                    org={org}
                    place={open.place}
                    quota={quotas.environments.find((one) => pathOf(one) === pathOf(open.place))!}
                    onDone={close}
                  />
                ) : (
                  <LimitEnvironment org={org} start={open.place} quotas={quotas} onDone={close} />
                )}
              </Dialog>
            )}
          </PageStack>
        )}
      </Loaded>
    </>
  )
}

const pathOf = ({ workspace, environment }: Place): string => `${workspace}/${environment}`

function columnsOf(mayDivide: boolean, onLimit: (place: Place) => void): Column<Environment>[] {
  const bar = (index: number) => (one: Environment) => quotaBars(pathOf(one), one)[index]?.bar
  return [
    { key: 'environment', header: 'Environment', cell: pathOf },
    { key: 'gateways', header: 'Gateways', cell: bar(0) },
    { key: 'cpu', header: 'CPU', cell: bar(1) },
    { key: 'memory', header: 'Memory', cell: bar(2) },
    ...(mayDivide
      ? [
          {
            key: 'action',
            header: '',
            align: 'right',
            cell: ({ workspace, environment }) => (
              <Button
                variant="default"
                size="compact-xs"
                aria-label={`Set limits of ${workspace}/${environment}`}
                onClick={() => onLimit({ workspace, environment })}
              >
                Set limits…
              </Button>
            ),
          } satisfies Column<Environment>,
        ]
      : []),
  ]
}
