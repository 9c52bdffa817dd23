import { homedir } from 'node:os'
import { join } from 'node:path'
import { McpgError } from '@mcpg/proto/errors'
import type { Env } from '../env.ts'

export const clientNames = ['claude-code', 'claude-desktop', 'cursor', 'vscode', 'codex', 'gemini', 'windsurf', 'zed'] as const
export type ClientName = (typeof clientNames)[number]

/**
 * Where a client is to go; `tokenVariable` names a variable of the environment that has the token, which stands in no file. `program`: the
 * words that start us, for a client that starts programs.
 */
export type Endpoint = { url: string; tokenVariable: string | undefined; program: string[] }

/** How one client is told of a server: the file, the path in it, and what stands there. */
export type Client = {
  title: string
  file: (env: Pick<Env, 'env' | 'cwd'>) => string
  format: 'json' | 'toml'
  /** Key of the map from names to servers. */
  key: string
  /** Whether it puts variables of the environment into what it reads. */
  putsVariables: boolean
  entry: (endpoint: Endpoint) => Record<string, unknown>
}

type Place = Pick<Env, 'env' | 'cwd'>

const home = ({ env }: Place): string => env['HOME'] ?? homedir()

const bearer = (token: string): { headers: { Authorization: string } } => ({ headers: { Authorization: `Bearer ${token}` } })

/** For a client that starts programs: ours goes to the endpoint, with the token of MCPG_TOKEN where it is set. */
export const throughBridge = (url: string, [command = '', ...args]: string[]) => ({ command, args: [...args, 'mcp', '--url', url] })

/** What a header with the token looks like where the client itself puts variables of the environment in. */
const header = (variable: string | undefined, written: (name: string) => string) =>
  variable === undefined ? {} : bearer(written(variable))

export const clients: Record<ClientName, Client> = {
  'claude-code': {
    title: 'Claude Code',
    file: ({ cwd }) => join(cwd, '.mcp.json'),
    format: 'json',
    key: 'mcpServers',
    putsVariables: true,
    entry: ({ url, tokenVariable }) => ({ type: 'http', url, ...header(tokenVariable, (name) => `\${${name}}`) }),
  },
  // It starts programs and goes to no URL of its own.
  'claude-desktop': {
    title: 'Claude Desktop',
    file: (place) => join(applicationData(place), 'Claude', 'claude_desktop_config.json'),
    format: 'json',
    key: 'mcpServers',
    putsVariables: false,
    entry: ({ url, tokenVariable, program }) => {
      if (tokenVariable !== undefined) throw withoutVariables('Claude Desktop')
      return throughBridge(url, program)
    },
  },
  cursor: {
    title: 'Cursor',
    file: ({ cwd }) => join(cwd, '.cursor', 'mcp.json'),
    format: 'json',
    key: 'mcpServers',
    putsVariables: true,
    entry: ({ url, tokenVariable }) => ({ url, ...header(tokenVariable, (name) => `\${env:${name}}`) }),
  },
  vscode: {
    title: 'VS Code',
    file: ({ cwd }) => join(cwd, '.vscode', 'mcp.json'),
    format: 'json',
    key: 'servers',
    putsVariables: true,
    entry: ({ url, tokenVariable }) => ({ type: 'http', url, ...header(tokenVariable, (name) => `\${env:${name}}`) }),
  },
  codex: {
    title: 'Codex',
    file: (place) => join(place.env['CODEX_HOME'] ?? join(home(place), '.codex'), 'config.toml'),
    format: 'toml',
    key: 'mcp_servers',
    putsVariables: true,
    entry: ({ url, tokenVariable }) => ({ url, ...(tokenVariable !== undefined && { bearer_token_env_var: tokenVariable }) }),
  },
  gemini: {
    title: 'Gemini CLI',
    file: (place) => join(home(place), '.gemini', 'settings.json'),
    format: 'json',
    key: 'mcpServers',
    putsVariables: true,
    entry: ({ url, tokenVariable }) => ({ httpUrl: url, ...header(tokenVariable, (name) => `$${name}`) }),
  },
  windsurf: {
    title: 'Windsurf',
    file: (place) => join(home(place), '.codeium', 'windsurf', 'mcp_config.json'),
    format: 'json',
    key: 'mcpServers',
    putsVariables: true,
    entry: ({ url, tokenVariable }) => ({ serverUrl: url, ...header(tokenVariable, (name) => `\${env:${name}}`) }),
  },
  zed: {
    title: 'Zed',
    file: (place) => join(place.env['XDG_CONFIG_HOME'] ?? join(home(place), '.config'), 'zed', 'settings.json'),
    format: 'json',
    key: 'context_servers',
    putsVariables: false,
    entry: ({ url, tokenVariable }) => {
      if (tokenVariable !== undefined) throw withoutVariables('Zed')
      return { url }
    },
  },
}

export function clientOf(word: string): Client {
  const found = clientNames.find((name) => name === word.toLowerCase())
  if (found) return clients[found]
  throw new McpgError('invalid', 'client_unknown', `${JSON.stringify(word)} is not a client that is known here.`, {
    hint: `one of ${clientNames.join(', ')}`,
  })
}

function applicationData(place: Place): string {
  if (process.platform === 'win32') return place.env['APPDATA'] ?? join(home(place), 'AppData', 'Roaming')
  if (process.platform === 'darwin') return join(home(place), 'Library', 'Application Support')
  return place.env['XDG_CONFIG_HOME'] ?? join(home(place), '.config')
}

function withoutVariables(title: string): McpgError {
  return new McpgError('unsupported', 'token_variable', `${title} puts no variables of the environment into its file.`, {
    hint: 'leave out --token-env; a token in a file would be read by others',
  })
}
