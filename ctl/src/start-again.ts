import type { Command, Option } from 'commander'
import { variableOf } from './flag-environment.ts'
import { secretFlags } from './global-flags.ts'

/** Flags that say how to start and not what. */
const notAgain = new Set(['detach'])

/** The typed command as arguments and, for what is secret, environment variables: nothing we start has a secret in argv. */
export function startAgain(command: Command): { args: string[]; env: Record<string, string> } {
  const env: Record<string, string> = {}
  const args: string[] = [...pathOf(command), ...command.args]
  for (const { option, value } of typedOptions(command)) {
    if (notAgain.has(option.attributeName())) continue
    if (secretFlags.has(option.attributeName())) env[variableOf(option)] = String(value)
    else args.push(...wordsOf(option, value))
  }
  return { args, env }
}

/** The command line without secrets, to be printed. */
export function commandLineOf(command: Command): string {
  return ['mcpg-ctl', ...startAgain(command).args]
    .map((word) => (/^[\w@%+=:,./*?-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}

function pathOf(command: Command): string[] {
  return command.parent ? [...pathOf(command.parent), command.name()] : []
}

function* typedOptions(command: Command): Generator<{ option: Option; value: unknown }> {
  for (let level: Command | null = command; level; level = level.parent)
    for (const option of level.options) {
      const key = option.attributeName()
      const value: unknown = level.getOptionValue(key)
      // `--x` and `--no-x` share one key; the one that was typed is the one whose meaning the value has.
      if (level.getOptionValueSource(key) !== 'cli' || value === undefined || (typeof value === 'boolean' && value === option.negate))
        continue
      yield { option, value }
    }
}

function wordsOf(option: Option, value: unknown): string[] {
  const flag = option.long ?? option.short ?? ''
  if (typeof value === 'boolean') return [flag]
  if (Array.isArray(value)) return value.flatMap((one) => [flag, String(one)])
  if (typeof value === 'object' && value !== null) return Object.entries(value).flatMap(([key, one]) => [flag, `${key}=${String(one)}`])
  return [flag, String(value)]
}
