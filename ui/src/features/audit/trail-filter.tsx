import { Select, TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useSearchParams } from 'react-router'
import styles from './audit.module.css'
import { filterIn, type Filter } from './trail.ts'

const times = [
  { value: '', label: 'Any time' },
  { value: '1h', label: 'Last hour' },
  { value: '24h', label: 'Last day' },
  { value: '7d', label: 'Last week' },
  { value: '30d', label: 'Last 30 days' },
]
const origins = [
  { value: '', label: 'Everywhere' },
  { value: 'control-plane', label: 'Control plane' },
  { value: 'gateways', label: 'Gateways' },
]

/** Every filter is in the URL, so that a link shows the same to everybody. */
export function TrailFilter() {
  const [draft, change] = useFilterDraft()
  const words = (field: keyof Filter, label: string, placeholder: string) => (
    <TextInput
      className={styles.words!}
      label={label}
      placeholder={placeholder}
      value={draft[field]}
      onChange={(event) => change({ [field]: event.currentTarget.value })}
    />
  )
  const choice = (field: keyof Filter, label: string, data: { value: string; label: string }[]) => (
    <Select
      className={styles.choice!}
      label={label}
      data={data}
      value={draft[field]}
      allowDeselect={false}
      onChange={(value) => change({ [field]: value ?? '' })}
    />
  )
  return (
    <div className={styles.filter} role="search">
      {words('actor', 'Actor', 'ada@example.com')}
      {words('action', 'Action', 'server.create or secret.*')}
      {words('target', 'Target', 'server/files or tool/read')}
      {choice('since', 'Time', times)}
      {choice('origin', 'Origin', origins)}
    </div>
  )
}

/** All fields are written together, a moment after the last letter: two writers of the address would undo each other. */
function useFilterDraft(): [Filter, (part: Partial<Filter>) => void] {
  const [search, setSearch] = useSearchParams()
  const written = filterIn(search)
  const key = JSON.stringify(written)
  const [draft, setDraft] = useState(written)
  // An address that changes by itself (back, a link) wins.
  useEffect(() => setDraft(JSON.parse(key) as Filter), [key])
  useEffect(() => {
    if (JSON.stringify(draft) === key) return undefined
    const timer = setTimeout(() => {
      setSearch(
        (before) => {
          const after = new URLSearchParams(before)
          for (const [field, value] of Object.entries(draft))
            if (value === '') after.delete(field)
            else after.set(field, value)
          return after
        },
        { replace: true },
      )
    }, 300)
    return () => clearTimeout(timer)
  }, [draft, key, setSearch])
  return [draft, (part) => setDraft((before) => ({ ...before, ...part }))]
}
