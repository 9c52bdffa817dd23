import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import type { AuditEntry } from '@mcpg/proto/rest/audit'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Loading } from '../../components/loading.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { PageStack } from '../../components/stack.tsx'
import { useScope } from '../../lib/scope.ts'
import { ChainState } from './chain-state.tsx'
import styles from './audit.module.css'
import { EntryFacts } from './entry-facts.tsx'
import { TrailFilter } from './trail-filter.tsx'
import { commandOf, entriesOf, exportOf, filterIn } from './trail.ts'

/** Who did what in the organization, and what its gateways saw, newest first. */
export function Audit() {
  const { org } = useScope()
  const [search] = useSearchParams()
  const filter = filterIn(search)
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery(entriesOf(org, filter))
  const [shown, setShown] = useState<AuditEntry>()
  const download = useMutation({
    mutationFn: () => exportOf(org, filter),
    onSuccess: (blob) => save(blob, `audit-${org}.ndjson`),
  })
  const entries = data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <>
      <PageHead
        title="Audit"
        actions={
          <>
            <ShowCli
              commands={[
                { what: 'This list', command: commandOf(filter) },
                { what: 'Sums by session', command: 'mcpg-ctl audit sessions' },
                { what: 'Check the chains', command: 'mcpg-ctl audit verify' },
              ]}
            />
            <Button
              variant="default"
              leftSection={<IconDownload size={16} />}
              loading={download.isPending}
              onClick={() => download.mutate()}
            >
              Export
            </Button>
          </>
        }
      />
      <PageStack>
        <ChainState org={org} />
        {download.error && <ProblemNote error={download.error} />}
        <TrailFilter />
        {error && <ProblemNote error={error} onRetry={() => void refetch()} />}
        {isPending && !error && <Loading />}
        {data && (
          <Card isFlush>
            <DataTable
              caption="Audit entries"
              isPlain
              rows={entries}
              columns={columns(setShown)}
              rowKey={({ id }) => id}
              empty={
                <EmptyState title="No entry matches">
                  Entries are kept for 400 days. A name with * at its end stands for its beginning.
                </EmptyState>
              }
            />
          </Card>
        )}
        {hasNextPage && (
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Show older
          </Button>
        )}
      </PageStack>
      {shown && (
        <Dialog title={shown.action} onClose={() => setShown(undefined)}>
          <EntryFacts entry={shown} />
        </Dialog>
      )}
    </>
  )
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  Object.assign(document.createElement('a'), { href: url, download: name }).click()
  // The browser has taken the file by the next turn.
  setTimeout(() => URL.revokeObjectURL(url))
}

const columns = (show: (entry: AuditEntry) => void): Column<AuditEntry>[] => [
  {
    key: 'action',
    header: 'Action',
    cell: (entry) => (
      <button type="button" className={styles.action} data-tone={toneOf(entry)} onClick={() => show(entry)}>
        {entry.action}
      </button>
    ),
  },
  { key: 'actor', header: 'Actor', cell: actorOf },
  { key: 'target', header: 'Target', cell: (entry) => <span className={styles.target}>{targetOf(entry)}</span> },
  { key: 'result', header: 'Result', cell: resultOf },
  { key: 'where', header: 'Seen by', cell: ({ gateway, source }) => gateway ?? source ?? '–' },
  { key: 'at', header: 'When', align: 'right', cell: ({ at }) => <Since at={at} /> },
]

const isRefusal = ({ action }: AuditEntry) => /\.(deny|refuse|.*_refused|lock)$/.test(action)
const toneOf = (entry: AuditEntry) => (isRefusal(entry) || entry.detail?.['alert'] === true ? 'red' : undefined)

function actorOf({ actor, actorName, impersonator, verified, detail }: AuditEntry) {
  const says = verified === false && typeof detail?.['client'] === 'string' ? detail['client'] : undefined
  return (
    <>
      {actorName === undefined ? actor : <span title={actor}>gateway {actorName}</span>}
      {impersonator && <span className={styles.aside}> by {impersonator}</span>}
      {says && (
        <span className={styles.aside} title="The client says so; nobody has checked it">
          {' '}
          says {says}
        </span>
      )}
    </>
  )
}

function targetOf({ kind, name, detail, gateway }: AuditEntry): string {
  const object = [kind?.toLowerCase(), name].filter((word) => word).join('/')
  const called = gateway && typeof detail?.['target'] === 'string' ? detail['target'] : ''
  return [object, called].filter((word) => word !== '').join(' · ') || '–'
}

function resultOf({ detail, ...entry }: AuditEntry): string {
  if (typeof detail?.['outcome'] === 'string') return detail['outcome'].replaceAll('-', ' ')
  return isRefusal(entry) && typeof detail?.['reason'] === 'string' ? detail['reason'].replaceAll('_', ' ') : ''
}
