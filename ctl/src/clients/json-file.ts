import { applyEdits, modify, parse, printParseErrorCode, type ParseError } from 'jsonc-parser'
import { isDeepStrictEqual } from 'node:util'
import { nameTaken, notUnderstood, type Wanted } from './wanted.ts'

type Merged = { text: string; result: 'added' | 'updated' | 'unchanged' }

/** Comments, trailing commas and the order of everything else stay. */
export function mergeJson(before: string, file: string, key: string, { name, entry, isOurs }: Wanted): Merged {
  const mark = before.startsWith('\uFEFF') ? '\uFEFF' : ''
  const text = before.slice(mark.length)
  const errors: ParseError[] = []
  const root: unknown = text.trim() === '' ? {} : parse(text, errors, { allowTrailingComma: true })
  const [error] = errors
  if (error) {
    const line = text.slice(0, error.offset).split('\n').length
    throw notUnderstood(file, `line ${line}: ${printParseErrorCode(error.error)}`)
  }
  if (!isRecord(root)) throw notUnderstood(file, 'it holds no object')
  const servers = root[key]
  if (servers !== undefined && !isRecord(servers)) throw notUnderstood(file, `${key} is no object`)
  const known = servers?.[name]
  if (isDeepStrictEqual(known, entry)) return { text: before, result: 'unchanged' }
  if (known !== undefined && !(isRecord(known) && isOurs(known))) throw nameTaken(file, name)
  const source = text.trim() === '' ? '{}\n' : text
  const formattingOptions = { insertSpaces: !/^\t/m.test(source), tabSize: indentOf(source), eol: source.includes('\r\n') ? '\r\n' : '\n' }
  const edited = applyEdits(source, modify(source, [key, name], entry, { formattingOptions }))
  return { text: mark + edited, result: known === undefined ? 'added' : 'updated' }
}

export function jsonEntry(text: string, key: string, name: string): Record<string, unknown> | undefined {
  const root: unknown = parse(text.replace(/^\uFEFF/, ''), [], { allowTrailingComma: true })
  const servers = isRecord(root) ? root[key] : undefined
  const entry = isRecord(servers) ? servers[name] : undefined
  return isRecord(entry) ? entry : undefined
}

const indentOf = (text: string): number => /^( +)"/m.exec(text)?.[1]?.length ?? 2

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
