import { McpgError } from '@mcpg/proto/errors'

/** One server of one client's file. `isOurs` tells an entry that we wrote before from one of somebody else. */
export type Wanted = { name: string; entry: Record<string, unknown>; isOurs: (entry: Record<string, unknown>) => boolean }

export function nameTaken(file: string, name: string): McpgError {
  return new McpgError('conflict', 'client_entry_taken', `${file} has an entry ${name} that was not written by mcpg-ctl.`, {
    hint: 'choose another name with --name, or remove the entry',
  })
}

export function notUnderstood(file: string, why: string): McpgError {
  return new McpgError('invalid', 'client_file_malformed', `${file} cannot be understood: ${why}. It was not changed.`, {
    hint: 'mend it, or leave out --write and copy the entry by hand',
  })
}
