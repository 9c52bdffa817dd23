/** Lines of one moment that are remembered. */
const maxRemembered = 1_000

/**
 * Tells lines that come twice when a log is asked for again from some time on. Of each origin the newest time is remembered, and the
 * lines of it: times have no more than milliseconds. Nothing is taken for a repetition before the first `resume`.
 */
export function resumedLines() {
  const origins = new Map<string, { newest: string; lines: Set<string>; isAgain: boolean }>()
  let newest: string | undefined
  return { isNew, resume, newest: () => newest }

  /** `time` is RFC 3339 in UTC with milliseconds. */
  function isNew(origin: string, time: string, text: string): boolean {
    const known = origins.get(origin) ?? { newest: '', lines: new Set<string>(), isAgain: false }
    origins.set(origin, known)
    if (known.isAgain && (time < known.newest || (time === known.newest && known.lines.has(text)))) return false
    if (time > known.newest) {
      known.newest = time
      known.isAgain = false
      known.lines.clear()
    }
    if (known.lines.size < maxRemembered) known.lines.add(text)
    if (newest === undefined || time > newest) newest = time
    return true
  }

  /** What comes now has been asked for again; the answer is the newest time of all, from which on to ask. */
  function resume(): string | undefined {
    for (const known of origins.values()) known.isAgain = true
    return newest
  }
}
