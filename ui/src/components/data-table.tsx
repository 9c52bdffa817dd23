import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { useMemo, useState, type ReactNode } from 'react'
import { Link } from 'react-router'
import { useUrlState } from '../lib/scope.ts'
import styles from './data-table.module.css'
import { useStableOrder } from './use-stable-order.ts'

export type Column<Row> = {
  key: string
  header: string
  cell: (row: Row) => ReactNode
  /** What to sort by; a column without it does not sort. */
  sort?: (row: Row) => string | number
  align?: 'right'
}

type DataTable<Row> = {
  caption: string // for screen readers
  rows: Row[]
  columns: Column<Row>[]
  rowKey: (row: Row) => string
  /** Makes the first cell a link. */
  rowHref?: (row: Row) => string
  empty: ReactNode
  /** Keeps the order of the rows as given and nothing in the URL. */
  isPlain?: boolean
}

/** A real table: sorted by its header cells, the order in the URL, rows under the pointer stay where they are. */
export function DataTable<Row>({ caption, rows, columns, rowKey, rowHref, empty, isPlain = false }: DataTable<Row>) {
  const [order, setOrder] = useUrlState('sort')
  const [isPointed, setPointed] = useState(false)
  const column = isPlain ? undefined : columns.find((one) => one.sort && one.key === order.replace(/^-/, ''))
  const sorted = useMemo(() => sortRows(rows, column?.sort, order.startsWith('-')), [rows, column, order])
  const { shown, waiting, release } = useStableOrder(sorted, rowKey, isPointed)
  if (rows.length === 0) return empty
  return (
    <div className={styles.frame} onPointerEnter={() => setPointed(true)} onPointerLeave={() => setPointed(false)}>
      {waiting > 0 && (
        <button type="button" className={styles.waiting} onClick={release}>
          {waiting} new – show
        </button>
      )}
      <table className={styles.table} role="table">
        <caption>{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((one) => (
              <HeaderCell key={one.key} column={one} order={isPlain ? undefined : order} onOrder={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {shown.map((row) => (
            <tr key={rowKey(row)} role="row">
              {columns.map((one, index) => (
                <td key={one.key} role="cell" data-align={one.align} data-header={one.header}>
                  {index === 0 && rowHref ? (
                    <Link className={styles.link!} data-row to={rowHref(row)}>
                      {one.cell(row)}
                    </Link>
                  ) : (
                    one.cell(row)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function HeaderCell<Row>({ column, order, onOrder }: { column: Column<Row>; order: string | undefined; onOrder: (order: string) => void }) {
  const { key, header, sort, align } = column
  if (!sort || order === undefined)
    return (
      <th scope="col" role="columnheader" data-align={align}>
        {header}
      </th>
    )
  const direction = order === key ? 'ascending' : order === `-${key}` ? 'descending' : 'none'
  const Arrow = direction === 'descending' ? IconArrowDown : IconArrowUp
  return (
    <th scope="col" role="columnheader" data-align={align} aria-sort={direction}>
      <button
        type="button"
        className={styles.sort}
        onClick={() => onOrder(direction === 'ascending' ? `-${key}` : direction === 'descending' ? '' : key)}
      >
        {header}
        <Arrow size={13} aria-hidden data-active={direction !== 'none'} />
      </button>
    </th>
  )
}

function sortRows<Row>(rows: Row[], by: ((row: Row) => string | number) | undefined, isDescending: boolean): Row[] {
  if (!by) return rows
  const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0)
  return [...rows].sort((a, b) => compare(by(a), by(b)) * (isDescending ? -1 : 1))
}
