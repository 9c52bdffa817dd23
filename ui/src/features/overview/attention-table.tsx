import { Button } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Link } from 'react-router'
import { Card } from '../../components/card.tsx'
import { CopyButton } from '../../components/copy-button.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Mark } from '../../components/mark.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { ServerActionButton } from '../../components/server-action-button.tsx'
import { Since } from '../../components/since.tsx'
import { StateWord } from '../../components/state-word.tsx'
import { useHref } from '../../lib/scope.ts'
import styles from './attention-table.module.css'
import type { Attention, Fix } from './attention.ts'

/** What is broken, why, since when, and what to press. */
export function AttentionTable({ rows }: { rows: Attention[] }) {
  const [error, setError] = useState<Error | null>(null)
  const columns = useMemo<Column<Attention>[]>(
    () => [
      { key: 'object', header: 'Object', cell: (row) => <ObjectCell row={row} /> },
      { key: 'state', header: 'State', cell: (row) => <StateWord word={row.word} tone={row.tone} /> },
      { key: 'reason', header: 'Reason', cell: (row) => <ReasonCell row={row} /> },
      {
        key: 'since',
        header: 'Since',
        cell: (row) => (
          <span className={styles.since}>
            <Since at={row.since} bare />
          </span>
        ),
      },
      { key: 'fix', header: 'What to do', cell: (row) => <Fixes fixes={row.fixes} onError={setError} /> },
    ],
    [],
  )
  return (
    <Card title="Needs attention" count={rows.length} isFlush>
      {error && (
        <div className={styles.error}>
          <ProblemNote error={error} />
        </div>
      )}
      <DataTable caption="Needs attention" rows={rows} columns={columns} rowKey={rowKey} isPlain empty={<Calm />} />
      <p className={styles.spoken} role="status">
        {rows.length === 0 ? 'Nothing needs attention' : `${rows.length} need attention`}
      </p>
    </Card>
  )
}

const rowKey = (row: Attention) => row.key

function Calm() {
  return (
    <p className={styles.calm}>
      <Mark shape="check" tone="green" size={14} />
      Nothing needs attention.
    </p>
  )
}

function ObjectCell({ row: { object, on } }: { row: Attention }) {
  const href = useHref()
  return (
    <>
      <Link className={styles.object!} to={href(object.path, object.search)} data-row>
        {object.name}
      </Link>
      <div className={styles.kind}>
        {object.kind}
        {on && (
          <>
            {' on '}
            <Link to={href(`/gateways/${encodeURIComponent(on)}`)}>{on}</Link>
          </>
        )}
      </div>
    </>
  )
}

function ReasonCell({ row: { reason, message } }: { row: Attention }) {
  return (
    <div className={styles.why}>
      {reason && <div className={styles.reason}>{reason}</div>}
      <div className={reason ? styles.message : undefined}>{message || (reason ? '' : 'No reason was reported.')}</div>
    </div>
  )
}

function Fixes({ fixes, onError }: { fixes: Fix[]; onError: (error: Error | null) => void }) {
  const href = useHref()
  return (
    <div className={styles.fixes}>
      {fixes.map((fix, index) => {
        if (fix.kind === 'open')
          return (
            <Button key={fix.label} component={Link} to={href(fix.path, fix.search)} variant={index === 0 ? 'default' : 'subtle'} size="xs">
              {fix.label}
            </Button>
          )
        if (fix.kind === 'command')
          return (
            <span key={fix.command} className={styles.command}>
              <code>{fix.command}</code>
              <CopyButton text={fix.command} label="Copy the command" />
            </span>
          )
        return <ServerActionButton key={fix.kind} server={fix.server} action={fix.kind} onError={onError} size="xs" />
      })}
    </div>
  )
}
