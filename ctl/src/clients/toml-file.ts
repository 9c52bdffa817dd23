import { nameTaken, type Wanted } from './wanted.ts'

const mark = '# written by mcpg-ctl project connect'

/** Adds a table at the end, or replaces the one that stands under our mark. Nothing else of the text is looked into. */
export function mergeToml(
  before: string,
  file: string,
  key: string,
  { name, entry }: Wanted,
): { text: string; result: 'added' | 'updated' | 'unchanged' } {
  const table = tomlTable(key, name, entry)
  const lines = before.split(/\r?\n/)
  const at = lines.findIndex((line) => tableName(line) === `${key}.${name}`)
  const isMarked = at > 0 && lines[at - 1] === mark
  if (at >= 0 && !isMarked) throw nameTaken(file, name)
  // The other ways to write such a table: inline, dotted, or as a table below it.
  const others = lines.some((line) => {
    const of = tableName(line)
    return of?.startsWith(`${key}.${name}.`) === true || (of === key && hasKey(lines, key, name)) || isDotted(line, key, name)
  })
  if (others) throw nameTaken(file, name)
  if (at < 0) {
    const gap = before === '' || before.endsWith('\n\n') ? '' : before.endsWith('\n') ? '\n' : '\n\n'
    return { text: `${before}${gap}${mark}\n${table}\n`, result: 'added' }
  }
  const next = lines.findIndex((line, index) => index > at && (line.trim() === '' || tableName(line) !== undefined || line === mark))
  const end = next < 0 ? lines.length : next
  if (lines.slice(at, end).join('\n') === table) return { text: before, result: 'unchanged' }
  return { text: [...lines.slice(0, at), table, ...lines.slice(end)].join('\n'), result: 'updated' }
}

/** The table that stands under our mark; its lines are those of `tomlTable`. */
export function tomlEntry(text: string, key: string, name: string): Record<string, unknown> | undefined {
  const lines = text.split(/\r?\n/)
  const at = lines.findIndex((line) => tableName(line) === `${key}.${name}`)
  if (at < 1 || lines[at - 1] !== mark) return undefined
  const fields = lines.slice(at + 1).map((line) => /^(\w+) = "(.*)"$/.exec(line))
  const end = fields.findIndex((field) => field === null)
  return Object.fromEntries(fields.slice(0, end < 0 ? fields.length : end).map((field) => [field![1], field![2]]))
}

/** The table as text; every value is a string. */
export function tomlTable(key: string, name: string, entry: Record<string, unknown>): string {
  return [`[${key}.${name}]`, ...Object.entries(entry).map(([field, value]) => `${field} = ${JSON.stringify(value)}`)].join('\n')
}

/** The table that a line begins, without the quotes that a name may stand in. */
export function tableName(line: string): string | undefined {
  return /^\s*\[\s*([^[\]]+?)\s*\]\s*(#.*)?$/.exec(line)?.[1]?.replaceAll(/["']|\s/g, '')
}

function isDotted(line: string, key: string, name: string): boolean {
  return line.replaceAll(/["']|\s/g, '').startsWith(`${key}.${name}.`) || line.replaceAll(/["']|\s/g, '').startsWith(`${key}.${name}=`)
}

function hasKey(lines: string[], key: string, name: string): boolean {
  const start = lines.findIndex((line) => tableName(line) === key)
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => tableName(line) !== undefined)
  const own = end < 0 ? rest : rest.slice(0, end)
  return own.some((line) => /^[^=.]*/.exec(line.replaceAll(/["']|\s/g, ''))![0] === name)
}
