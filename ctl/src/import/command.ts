import { argvOf } from '@mcpg/proto/kinds/server'
import type { Draft, PackageSource } from './draft.ts'

type Source = { source: Draft['source']; headers: Record<string, string> }

/**
 * What a command line starts: a package where it is `npx` or `uvx` with nothing but the package and its arguments, the URL behind the
 * bridge `mcp-remote`, else the command as it is.
 */
export function sourceOf(words: string[]): Source {
  const argv = withoutShell(words)
  const [program = '', ...args] = argv
  const name = program.replace(/^.*[\\/]/, '').replace(/\.(cmd|exe)$/i, '')
  const found = name === 'npx' ? nodePackage(args) : name === 'uvx' ? pythonPackage(args) : undefined
  if (!found) return { source: { command: argv }, headers: {} }
  return (found.name === 'mcp-remote' ? bridged(found.args ?? []) : undefined) ?? { source: { package: found }, headers: {} }
}

/** Windows starts npx through a shell. */
function withoutShell(words: string[]): string[] {
  const [program = '', flag = '', ...rest] = words
  return /^cmd(\.exe)?$/i.test(program) && /^\/c$/i.test(flag) && rest.length > 0 ? rest : words
}

function nodePackage(args: string[]): PackageSource | undefined {
  const rest = args.filter(
    (arg, index) => !(/^(-y|--yes|-q|--quiet)$/.test(arg) && args.slice(0, index).every((one) => one.startsWith('-'))),
  )
  const [word = '', ...own] = rest
  const [, name, version] = /^((?:@[^/@]+\/)?[^/@:]+)(?:@([^/:]+))?$/.exec(word) ?? []
  if (name === undefined || word.startsWith('-') || word.startsWith('.')) return undefined
  return packageOf('node', name, version, own)
}

function pythonPackage([word = '', ...own]: string[]): PackageSource | undefined {
  const [, name, version] = /^([A-Za-z0-9][A-Za-z0-9._-]*)(?:(?:==|@)([^=@]+))?$/.exec(word) ?? []
  return name === undefined ? undefined : packageOf('python', name, version, own)
}

const packageOf = (runtime: PackageSource['runtime'], name: string, version: string | undefined, args: string[]): PackageSource => ({
  runtime,
  name,
  ...(version !== undefined && version !== 'latest' && { version }),
  ...(args.length > 0 && { args }),
})

/** The endpoint behind a bridge, where nothing but headers was said beside it. */
function bridged([url = '', ...args]: string[]): Source | undefined {
  if (!/^https?:\/\//.test(url)) return undefined
  const headers: Record<string, string> = {}
  for (let index = 0; index < args.length; index++) {
    const [, name, value] = /^([^:]+):\s*(.*)$/s.exec(args[index + 1] ?? '') ?? []
    if (args[index] === '--header' && name !== undefined && value !== undefined) index++
    else if (args[index] === '--allow-http' || args[index] === '--transport') index += args[index] === '--transport' ? 1 : 0
    else return undefined
    if (name !== undefined && value !== undefined) headers[name] = value
  }
  return { source: { url }, headers }
}

/** A command as one text or as a list, with arguments beside it. */
export function wordsOf(command: unknown, args: unknown): string[] | undefined {
  const more = args === undefined ? [] : asTexts(args)
  const words = typeof command === 'string' ? (args === undefined && /\s/.test(command) ? argvOf(command) : [command]) : asTexts(command)
  return words && more && words.length > 0 && words[0] !== '' ? [...words, ...more] : undefined
}

function asTexts(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.some((one) => typeof one === 'object')) return undefined
  return value.map(String)
}
