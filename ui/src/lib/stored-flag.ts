import { useCallback, useState } from 'react'

/** A yes or no that this browser remembers; without storage it lasts as long as the page. */
export function useStoredFlag(key: string, initial = false): [boolean, (value: boolean) => void] {
  const [value, setValue] = useState(() => read(key) ?? initial)
  const write = useCallback(
    (next: boolean) => {
      setValue(next)
      try {
        localStorage.setItem(key, next ? '1' : '0')
      } catch {}
    },
    [key],
  )
  return [value, write]
}

function read(key: string): boolean | undefined {
  try {
    const stored = localStorage.getItem(key)
    return stored === null ? undefined : stored === '1'
  } catch {
    return undefined
  }
}
