import { InvalidArgumentError, Option } from 'commander'

// Options that several commands have, and what reads them.

const collect = (value: string, list: string[] = []) => [...list, value]
export const files = () =>
  new Option('-f, --file <file>', 'manifest: a file, a folder or - for standard input; may be given several times')
    .argParser(collect)
    .default([], 'none')
export const several = (flags: string, what: string) =>
  new Option(flags, `${what}; may be given several times`).argParser(collect).default([], 'none')
export const whole = (text: string) => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number that is not negative.')
  return Number(text)
}
export const bytes = (text: string) => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of bytes.')
  return Number(text)
}
export const timeout = (fallback: string) => new Option('--timeout <duration>', 'give up after (exit 8), e.g. 90s or 5m').default(fallback)
export const selector = () => new Option('-l, --selector <selector>', 'only objects with these labels, e.g. role=edge,tier!=test')
export const detach = () => new Option('--detach', 'go to the background once ready; logs go to a file of the state dir')
export const databaseUrl = () =>
  new Option(
    '--database-url <url>',
    'postgres://<user>@<host>:5432/<database> or sqlite:<path> (default: mcpg.db in the state dir); with a password better MCPG_DATABASE_URL',
  )
export const databaseUrlFile = () => new Option('--database-url-file <file>', 'file that holds the URL of the database')
export const expand = () => new Option('--no-expand', 'leave ${VAR} in manifests as it stands')
export const isolationTier = (what: string) => new Option('--isolation-tier <tier>', what).choices(['shared', 'sandboxed', 'dedicated'])
