/** One line of a log, or so many lines that were not kept. `at` is wall time in RFC 3339 with milliseconds, as it stands in the file. */
export type Line = { at: string; source: string; text: string; lost?: undefined } | { at: string; lost: number }

/** Length of a time as `Date.toISOString` writes it, so that a file can be searched without reading its lines. */
export const timeLength = 24
const gap = '-'

/** `<time> <source> <text>`, or `<time> - <lost>`. */
export function writeRecord(line: Line): string {
  return line.lost === undefined ? `${line.at} ${line.source} ${line.text}\n` : `${line.at} ${gap} ${line.lost}\n`
}

/** Null for what is none: the torn end of a file whose writer was killed. */
export function readRecord(record: string): Line | null {
  const end = record.indexOf(' ', timeLength + 1)
  if (record[timeLength] !== ' ' || end < 0) return null
  const at = record.slice(0, timeLength)
  const source = record.slice(timeLength + 1, end)
  const text = record.slice(end + 1)
  if (source !== gap) return { at, source, text }
  return /^\d{1,15}$/.test(text) ? { at, lost: Number(text) } : null
}
