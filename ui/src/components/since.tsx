import { exactTime, spell, timeOf } from '../lib/format.ts'
import { useNow } from '../lib/now.ts'

/** A time as `3 min ago` or `in 14 min`, exact on hover. A few seconds either way are the clocks' business and read `now`. */
export function Since({ at, fallback = '–', bare = false }: { at: string | number | null | undefined; fallback?: string; bare?: boolean }) {
  const now = useNow()
  const time = typeof at === 'number' ? at : timeOf(at)
  if (time === undefined) return <span>{fallback}</span>
  const age = now - time
  const text = Math.abs(age) < 3000 && !bare ? 'now' : bare ? spell(Math.abs(age)) : age < 0 ? `in ${spell(-age)}` : `${spell(age)} ago`
  return (
    <time dateTime={new Date(time).toISOString()} title={exactTime(time)}>
      {text}
    </time>
  )
}
