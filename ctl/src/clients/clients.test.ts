import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeClientFile } from './client-file.ts'
import { clientNames, clientOf, clients } from './clients.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcpg-clients-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const url = 'http://127.0.0.1:7845/mcp/projects/web'
const isOurs = (entry: Record<string, unknown>) => JSON.stringify(entry).includes('/mcp/projects/web')
const program = ['mcpg-ctl']
const at = (name: string) => join(folder, name)
const wanted = (client: keyof typeof clients, to = url) => ({
  name: 'web',
  entry: clients[client].entry({ url: to, tokenVariable: undefined, program }),
  isOurs,
})
const write = (client: keyof typeof clients, file: string, to = url) => writeClientFile(clients[client], at(file), wanted(client, to))

describe('the file of a client', () => {
  it('has its own place and shape for every client, with the token as a variable where the client puts it in', () => {
    const place = { env: { HOME: '/home/me' }, cwd: '/project' }
    const told = Object.fromEntries(
      clientNames.map((name) => [name, [clients[name].key, clients[name].entry({ url, tokenVariable: undefined, program })]]),
    )
    expect(told).toEqual({
      'claude-code': ['mcpServers', { type: 'http', url }],
      'claude-desktop': ['mcpServers', { command: 'mcpg-ctl', args: ['mcp', '--url', url] }],
      cursor: ['mcpServers', { url }],
      vscode: ['servers', { type: 'http', url }],
      codex: ['mcp_servers', { url }],
      gemini: ['mcpServers', { httpUrl: url }],
      windsurf: ['mcpServers', { serverUrl: url }],
      zed: ['context_servers', { url }],
    })
    expect(['claude-code', 'cursor', 'vscode', 'codex', 'gemini', 'windsurf'].map((name) => clientOf(name).file(place))).toEqual([
      '/project/.mcp.json',
      '/project/.cursor/mcp.json',
      '/project/.vscode/mcp.json',
      '/home/me/.codex/config.toml',
      '/home/me/.gemini/settings.json',
      '/home/me/.codeium/windsurf/mcp_config.json',
    ])
    const withToken = (name: keyof typeof clients) => JSON.stringify(clients[name].entry({ url, tokenVariable: 'TEAM', program }))
    expect(withToken('claude-code')).toContain('Bearer ${TEAM}')
    expect(withToken('cursor')).toContain('Bearer ${env:TEAM}')
    expect(withToken('codex')).toContain('"bearer_token_env_var":"TEAM"')
    expect(() => withToken('zed')).toThrow('Zed puts no variables')
    expect(() => clientOf('emacs')).toThrow('"emacs" is not a client')
  })

  it.each(clientNames)('of %s is made, found unchanged, and updated when the endpoint moves', async (name) => {
    expect(await write(name, 'new/file')).toMatchObject({ result: 'created', backup: undefined })
    expect(await write(name, 'new/file')).toMatchObject({ result: 'unchanged', backup: undefined })
    const moved = url.replace('7845', '7846')
    expect(await write(name, 'new/file', moved)).toMatchObject({ result: 'updated', backup: at('new/file.before-mcpg-1') })
    expect(readFileSync(at('new/file'), 'utf8')).toContain(moved)
    expect(readFileSync(at('new/file'), 'utf8')).not.toContain(url)
    expect(readFileSync(at('new/file.before-mcpg-1'), 'utf8')).toContain(url)
  })

  it('keeps comments, trailing commas and the order of everything else', async () => {
    const before =
      '// mine\n{\n    "theme": "dark", // keep\n    "context_servers": {\n        // theirs\n        "other": {\n            "url": "http://x/",\n        },\n    },\n}\n'
    writeFileSync(at('settings.json'), before)
    expect(await write('zed', 'settings.json')).toMatchObject({ result: 'added', backup: at('settings.json.before-mcpg-1') })
    const after = readFileSync(at('settings.json'), 'utf8')
    expect(after).toContain('// mine\n{\n    "theme": "dark", // keep\n')
    expect(after).toContain('        // theirs\n        "other": {\n            "url": "http://x/",\n        },\n')
    expect(after).toContain(`"web": {\n            "url": "${url}"`)
    expect(readFileSync(at('settings.json.before-mcpg-1'), 'utf8')).toBe(before)
  })

  it('keeps the rest of a TOML file byte for byte', async () => {
    const before = 'model = "x" # mine\n\n[mcp_servers.other]\nurl = "http://x/"\n'
    writeFileSync(at('config.toml'), before)
    await write('codex', 'config.toml')
    const after = readFileSync(at('config.toml'), 'utf8')
    expect(after).toBe(`${before}\n# written by mcpg-ctl project connect\n[mcp_servers.web]\nurl = "${url}"\n`)
    writeFileSync(at('config.toml'), `${after}\n[last]\na = 1\n`)
    await write('codex', 'config.toml', 'http://moved/mcp/projects/web')
    expect(readFileSync(at('config.toml'), 'utf8')).toBe(`${after.replace(url, 'http://moved/mcp/projects/web')}\n[last]\na = 1\n`)
  })

  it.each([
    ['cursor', '{"mcpServers":{"web":{"command":"theirs"}}}'],
    ['codex', '[mcp_servers.web]\nurl = "http://theirs/"\n'],
    ['codex', '[mcp_servers."web"]\nurl = "http://theirs/"\n'],
    ['codex', '[mcp_servers]\nweb = { url = "http://theirs/" }\n'],
    ['codex', 'mcp_servers.web.url = "http://theirs/"\n'],
    ['codex', '[mcp_servers.web.env]\nA = "1"\n'],
  ] as const)('of %s is left alone where the name is somebody else’s: %s', async (name, text) => {
    writeFileSync(at('file'), text)
    await expect(write(name, 'file')).rejects.toMatchObject({ code: 'conflict', reason: 'client_entry_taken' })
    expect(readFileSync(at('file'), 'utf8')).toBe(text)
    expect(readdirSync(folder)).toEqual(['file'])
  })

  it.each(['{"a": ', '[1]', '{"mcpServers": []}', 'not json'])('is left alone where it is not understood: %s', async (text) => {
    writeFileSync(at('file'), text)
    await expect(write('cursor', 'file')).rejects.toMatchObject({ code: 'invalid', reason: 'client_file_malformed' })
    expect(readFileSync(at('file'), 'utf8')).toBe(text)
  })

  it('keeps its mode and the link it is reached by, and no backup takes the place of another', async () => {
    mkdirSync(at('real'))
    writeFileSync(at('real/file'), '{}')
    chmodSync(at('real/file'), 0o640)
    symlinkSync(at('real/file'), at('file'))
    await write('cursor', 'file')
    await write('cursor', 'file', 'http://moved/mcp/projects/web')
    expect(lstatSync(at('file')).isSymbolicLink()).toBe(true)
    expect(statSync(at('real/file')).mode & 0o777).toBe(0o640)
    expect(readdirSync(at('real')).sort()).toEqual(['file', 'file.before-mcpg-1', 'file.before-mcpg-2'])
    expect(readFileSync(at('real/file.before-mcpg-1'), 'utf8')).toBe('{}')
  })
})
