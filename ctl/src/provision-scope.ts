import { McpgError } from '@mcpg/proto/errors'
import type { Context } from './context.ts'
import type { Settings } from './settings.ts'

/** Where a gateway is provisioned: nothing of it is taken for granted, as it costs something. Throws `invalid` with all that is missing. */
export function provisionScope(
  { root, settings }: Context,
  { env, needed = {} }: { env?: string | undefined; needed?: Record<string, string | undefined> },
): Settings {
  const isGiven = (flag: string) => root.getOptionValueSource(flag) !== 'default'
  const missing = [
    ...(['org', 'workspace'] as const).filter((flag) => !isGiven(flag)),
    ...(env === undefined && !settings.environmentGiven ? ['env'] : []),
    ...Object.keys(needed).filter((flag) => needed[flag] === undefined),
  ]
  if (missing.length > 0) throw missingFlags(missing)
  return { ...settings, environment: env ?? settings.environment }
}

/** The organization, which must have been named. */
export function provisionOrg({ root, settings }: Context): string {
  if (root.getOptionValueSource('org') === 'default') throw missingFlags(['org'])
  return settings.org
}

function missingFlags(names: string[]): McpgError {
  const flags = names.map((name) => `--${name}`).join(', ')
  const variables = names.map((name) => `MCPG_${name === 'env' ? 'ENVIRONMENT' : name.toUpperCase().replaceAll('-', '_')}`).join(', ')
  return new McpgError('invalid', 'usage', `${flags} ${names.length === 1 ? 'is' : 'are'} missing.`, {
    hint: `name ${names.length === 1 ? 'it' : 'them'} by flag or by ${variables}; each of the first start is called default`,
  })
}
