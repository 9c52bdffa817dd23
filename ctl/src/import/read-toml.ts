import { parse, TomlError } from 'smol-toml'
import { tableName } from '../clients/toml-file.ts'
import type { ReadText } from './document.ts'

/** One document of TOML. A place in it is the line of its table, or of its key in there. */
export function readToml(text: string, file: string): ReadText {
  const lines = text.split(/\r?\n/)
  try {
    return { documents: [{ value: parse(text), at: (path) => ({ file, line: lineOf(lines, path.map(String)), column: 1 }) }], problems: [] }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // What follows the first line shows the text, which may hold a secret.
    const detail = `is no TOML: ${error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '')}`
    return { documents: [], problems: [{ position: { file, line: error.line, column: error.column }, path: '', detail }] }
  }
}

function lineOf(lines: string[], path: string[]): number {
  for (let length = path.length; length > 0; length--) {
    const name = path
      .slice(0, length)
      .join('.')
      .replaceAll(/["'\s]/g, '')
    const at = lines.findIndex((line) => tableName(line) === name || tableName(line)?.startsWith(`${name}.`))
    if (at < 0) continue
    const next = lines.findIndex((line, index) => index > at && tableName(line) !== undefined)
    const key = path[length]
    const inside = lines.slice(at + 1, next < 0 ? lines.length : next)
    const found = inside.findIndex((line) => line.split('=', 1)[0]!.replaceAll(/["']/g, '').trim() === key)
    return found < 0 ? at + 1 : at + 2 + found
  }
  return 1
}
