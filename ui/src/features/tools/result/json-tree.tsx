import { IconChevronRight } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { plural } from '../../../lib/format.ts'
import styles from './json-tree.module.css'

/** Entries drawn at once; the rest waits for a click, so that a big result never freezes the page. */
const portion = 100
/** Characters of one text drawn at first. */
const maxText = 2_000

/** JSON to be unfolded where one wants to look. What is folded is not drawn. */
export function JsonTree({ value, label }: { value: unknown; label: string }) {
  return (
    <div className={styles.tree} role="group" aria-label={label}>
      <Node name={undefined} value={value} depth={0} />
    </div>
  )
}

function Node({ name, value, depth }: { name: string | undefined; value: unknown; depth: number }) {
  const [isOpen, setOpen] = useState(depth < 2)
  const key = name === undefined ? null : <span className={styles.key}>{name}: </span>
  if (typeof value !== 'object' || value === null)
    return (
      <div className={styles.leaf}>
        {key}
        <Leaf value={value} />
      </div>
    )
  const count = Array.isArray(value) ? value.length : Object.keys(value).length
  if (count === 0)
    return (
      <div className={styles.leaf}>
        {key}
        {Array.isArray(value) ? '[ ]' : '{ }'}
      </div>
    )
  return (
    <details className={styles.node} open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <IconChevronRight size={13} aria-hidden />
        {key}
        <span className={styles.count}>{Array.isArray(value) ? plural(count, 'item') : plural(count, 'field')}</span>
      </summary>
      {isOpen && <Entries value={value} depth={depth + 1} />}
    </details>
  )
}

function Entries({ value, depth }: { value: object; depth: number }) {
  const [shown, setShown] = useState(portion)
  const entries = Object.entries(value)
  return (
    <div className={styles.inside}>
      {entries.slice(0, shown).map(([key, one]) => (
        <Node key={key} name={key} value={one} depth={depth} />
      ))}
      {entries.length > shown && <More onClick={() => setShown(shown + portion)}>{entries.length - shown} more – show the next</More>}
    </div>
  )
}

function Leaf({ value }: { value: unknown }) {
  const [isWhole, setWhole] = useState(false)
  if (typeof value !== 'string') return <span className={styles.word}>{String(value)}</span>
  const isCut = !isWhole && value.length > maxText
  return (
    <>
      <span className={styles.text}>{JSON.stringify(isCut ? value.slice(0, maxText) : value)}</span>
      {isCut && <More onClick={() => setWhole(true)}>… {value.length - maxText} more characters – show</More>}
    </>
  )
}

const More = ({ onClick, children }: { onClick: () => void; children: ReactNode }) => (
  <button type="button" className={styles.more} onClick={onClick}>
    {children}
  </button>
)
