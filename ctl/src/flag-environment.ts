import { InvalidArgumentError, type Command, type Option } from 'commander'
import { McpgError } from '@mcpg/proto/errors'

/** `--cp-url` → `MCPG_CP_URL`; `--no-browser` → `MCPG_NO_BROWSER`. An option may have a variable of another name beside it. */
export const variableOf = (option: Option): string => `MCPG_${(option.long ?? '').replace(/^--/, '').replaceAll('-', '_').toUpperCase()}`

const notFromEnvironment = new Set(['version', 'help'])

/** Gives every flag that was not typed the value of its `MCPG_<FLAG>` variable, for the command and all above it. */
export function readFlagsFromEnvironment(command: Command, env: Record<string, string | undefined>): void {
  for (let level: Command | null = command; level; level = level.parent)
    for (const option of level.options) {
      const key = option.attributeName()
      const source = level.getOptionValueSource(key)
      const text = (option.envVar === undefined ? undefined : env[option.envVar]) || env[variableOf(option)]
      if (notFromEnvironment.has(key) || text === undefined || text === '' || (source !== undefined && source !== 'default')) continue
      level.setOptionValueWithSource(key, parse(option, text), 'env')
    }
}

function parse(option: Option, text: string): unknown {
  if (option.isBoolean() || option.negate) return booleanOf(option, text) !== option.negate
  try {
    if (option.argChoices && !option.argChoices.includes(text))
      throw new InvalidArgumentError(`Allowed choices are ${option.argChoices.join(', ')}.`)
    const { parseArg } = option
    if (!parseArg) return text
    if (!Array.isArray(option.defaultValue)) return parseArg(text, undefined)
    // A flag that may be given several times takes a list separated by commas.
    return text.split(',').reduce<unknown>((list, part) => parseArg(part, list as undefined), [])
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new McpgError(
      'invalid',
      'bad_environment_variable',
      `${variableOf(option)}=${text} is not a value of ${option.long}: ${error.message}`,
    )
  }
}

function booleanOf(option: Option, text: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true
  if (/^(0|false|no|off)$/i.test(text)) return false
  throw new McpgError('invalid', 'bad_environment_variable', `${variableOf(option)}=${text} is neither true nor false`)
}
