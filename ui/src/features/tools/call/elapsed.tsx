import { useEffect, useState } from 'react'
import { spellDuration } from '../../../lib/format.ts'

/** The time since a moment of performance.now(), ten times a second. */
export function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(() => performance.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 100)
    return () => clearInterval(timer)
  }, [])
  return <span aria-hidden>{spellDuration(Math.max(0, now - since))}</span>
}
