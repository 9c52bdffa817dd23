import { stripVTControlCharacters } from 'node:util'

/** Columns as wide as their widest cell, two blanks between them; the last one is not padded. */
export function table(header: string[], rows: string[][]): string[] {
  const all = [header.map((name) => name.toUpperCase()), ...rows.map((row) => row.map(oneLine))]
  const widths = header.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ''))))
  return all.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  )
}

/** A table of which nobody knows the end: columns only ever grow. */
export function growingTable() {
  // As wide as the longest event, so that the first deletion moves nothing.
  const widths: number[] = ['MODIFIED'.length]
  return { measure, line }

  function measure(cells: string[]): string[] {
    const clean = cells.map(oneLine)
    clean.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))))
    return clean
  }

  function line(cells: string[]): string {
    return measure(cells)
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd()
  }
}

/** `key   value` lines, the values below one another. */
export function pairs(entries: [string, string][], indent = ''): string[] {
  const width = Math.max(0, ...entries.map(([key]) => key.length + 1))
  return entries.map(([key, value]) => `${indent}${`${key}:`.padEnd(width)}  ${value}`.trimEnd())
}

/** What others wrote must neither break the table nor move the cursor. */
export const oneLine = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()

/** Several lines of others, without what a terminal would obey. */
export const harmless = (text: string): string => stripVTControlCharacters(text).replace(/[^\P{Cc}\n\t]/gu, '')

const widthOf = (text: string) => Array.from(text).length
