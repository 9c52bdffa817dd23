import { CloseButton, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { capital } from '../lib/format.ts'
import { useUrlState } from '../lib/scope.ts'
import styles from './filter-bar.module.css'

/** Text filter and one row of state chips, both in the URL. `counts` says how many rows a chip would show. */
export function FilterBar({ label, facet, counts }: { label: string; facet?: string; counts?: Map<string, number> }) {
  const [text, setText] = useDraft(...useUrlState('q'))
  const [chosen, setChosen] = useUrlState(facet ?? 'facet')
  const words = [...(counts ?? new Map<string, number>())]
  if (chosen && !words.some(([word]) => word === chosen)) words.push([chosen, 0])
  return (
    <div className={styles.bar}>
      <TextInput
        data-filter
        aria-label={label}
        placeholder={label}
        w={300}
        leftSection={<IconSearch size={15} />}
        rightSection={text ? <CloseButton size="sm" aria-label="Clear the filter" onClick={() => setText('')} /> : null}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      {facet && words.length > 0 && (
        <div className={styles.chips} role="group" aria-label={`Filter by ${facet}`}>
          {words.map(([word, count]) => (
            <button
              key={word}
              type="button"
              className={styles.chip}
              aria-pressed={word === chosen}
              onClick={() => setChosen(word === chosen ? '' : word)}
            >
              {capital(word)} <span>{count}</span>
            </button>
          ))}
        </div>
      )}
    </div>
  )
}

/**
 * The address follows a moment after each letter, so what one types lives here; an address that changes by itself (back, a link) wins
 * only while nobody types.
 */
function useDraft(text: string, write: (text: string) => void): [string, (text: string) => void] {
  const [draft, setDraft] = useState(text)
  useEffect(() => {
    if (!document.activeElement?.matches('[data-filter]')) setDraft(text)
  }, [text])
  return [
    draft,
    (next) => {
      setDraft(next)
      write(next)
    },
  ]
}

/** How often each word occurs, in order of appearance. */
export function countWords(words: string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

export const matches = (text: string, ...fields: string[]) =>
  fields.some((field) => field.toLowerCase().includes(text.trim().toLowerCase()))
