import { useMemo, useState } from 'react'

/**
 * While the pointer is over a list nothing moves under it: rows keep their places, new ones wait until they are asked for or the
 * pointer leaves; rows that are gone go.
 */
export function useStableOrder<Row>(rows: Row[], rowKey: (row: Row) => string, isHeld: boolean) {
  const [held, setHeld] = useState<string[] | undefined>()
  if (isHeld && !held) setHeld(rows.map(rowKey))
  if (!isHeld && held) setHeld(undefined)
  return useMemo(() => {
    if (!isHeld || !held) return { shown: rows, waiting: 0, release: () => {} }
    const byKey = new Map(rows.map((row) => [rowKey(row), row]))
    const shown = held.flatMap((key) => byKey.get(key) ?? [])
    return { shown, waiting: rows.length - shown.length, release: () => setHeld(rows.map(rowKey)) }
  }, [rows, rowKey, isHeld, held])
}
