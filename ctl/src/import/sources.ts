import { readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { text as readStream } from 'node:stream/consumers'
import { McpgError } from '@mcpg/proto/errors'
import { clientNames, clients, type ClientName } from '../clients/clients.ts'
import type { Env } from '../env.ts'

/** A file to import: how it is called in messages, its text, and the folder that relative paths in it mean. */
export type Source = { name: string; text: string; folder: string }

const maxBytes = 16 << 20

/** The file of a client, or one that is named; `-` is standard input. */
export async function readSource(word: string, env: Env): Promise<Source> {
  if (word === '-') return { name: '(stdin)', text: await readStream(env.stdin), folder: env.cwd }
  const client = clientNames.find((name) => name === word.toLowerCase())
  const files = client ? filesOf(client, env) : [resolve(env.cwd, word)]
  for (const file of files) {
    const text = await readIfThere(file)
    if (text !== undefined) return { name: client ? file : word, text, folder: folderOf(file) }
  }
  if (client)
    throw new McpgError('not_found', 'client_file_missing', `${clients[client].title} has no file here; looked at ${files.join(', ')}.`, {
      hint: `name the file: mcpg-ctl import <file>`,
    })
  throw new McpgError('invalid', 'file_unreadable', `There is no file ${word}, and no client of that name.`, {
    hint: `clients: ${clientNames.join(', ')}; or a stack.yaml, a manifest of mcpctl, or - for standard input`,
  })
}

/** The file of the folder before the one of the user. */
function filesOf(name: ClientName, env: Env): string[] {
  const client = clients[name]
  const home = env.env['HOME'] ?? homedir()
  const ofUser: Partial<Record<ClientName, string[]>> = {
    'claude-code': [join(home, '.claude.json')],
    cursor: [join(home, '.cursor', 'mcp.json')],
    // The folder of the user's settings is a sibling of the one in which Claude Desktop keeps its own.
    vscode: [join(dirname(dirname(clients['claude-desktop'].file(env))), 'Code', 'User', 'mcp.json')],
  }
  return [client.file(env), ...(ofUser[name] ?? [])]
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    const { size } = await stat(file)
    if (size > maxBytes) throw new McpgError('too_large', 'file_too_large', `${file} is longer than ${maxBytes >> 20} MiB.`)
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (error) {
    if (error instanceof McpgError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new McpgError('invalid', 'file_unreadable', `${file} cannot be read as text.`, { cause: error })
  }
}

/** Relative paths mean the folder that holds `.vscode`, `.cursor` or the file. */
const folderOf = (file: string): string => dirname(file).replace(/[\\/]\.(vscode|cursor)$/, '')
