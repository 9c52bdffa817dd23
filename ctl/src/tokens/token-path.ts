import type { Settings } from '../settings.ts'

/** One token of the organization, by name or id. */
export const tokenPath = ({ org }: Pick<Settings, 'org'>, name: string): string =>
  `/v1/orgs/${encodeURIComponent(org)}/tokens/${encodeURIComponent(name)}`

/** The name of `token/<name>` as well. */
export const bareName = (word: string): string => word.replace(/^(mcp)?tokens?\//, '')
