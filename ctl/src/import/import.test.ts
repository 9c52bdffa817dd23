import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { ctl } from '../../test/env.ts'
import { fakeRest } from '../../test/fake-rest.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
let folder: string
beforeEach(async () => {
  rest = await fakeRest()
  folder = mkdtempSync(join(tmpdir(), 'mcpg-import-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

function write(path: string, content: unknown): string {
  const file = join(folder, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}
const run = (args: string[], variables: Record<string, string> = {}, stdin?: string) =>
  ctl(['import', ...args], {
    variables: {
      ...rest.variables,
      HOME: folder,
      XDG_CONFIG_HOME: join(folder, '.config'),
      MCPG_STATE_DIR: join(folder, 'state'),
      ...variables,
    },
    ...(stdin === undefined ? {} : { stdin }),
  })
const servers = (mcpServers: unknown) => write('clients.json', { mcpServers })
/** What a manifest of the file would say, as data. */
async function printed(args: string[], variables: Record<string, string> = {}) {
  const done = await run([...args, '--dry-run=client'], variables)
  expect(done).toMatchObject({ code: 0 })
  return parse(done.stdout) as Record<string, unknown[]>
}

describe('a server of a client', () => {
  test.each<[string, object, object]>([
    ['a command', { command: './run', args: ['a b', 1] }, { command: ['./run', 'a b', '1'] }],
    [
      'npx',
      { command: 'npx', args: ['-y', '@a/b@1.2.3', '--x'] },
      { package: { runtime: 'node', name: '@a/b', version: '1.2.3', args: ['--x'] } },
    ],
    ['npx of the newest', { command: 'npx', args: ['b@latest'] }, { package: { runtime: 'node', name: 'b' } }],
    ['npx on Windows', { command: 'cmd', args: ['/c', 'npx', '-y', 'b'] }, { package: { runtime: 'node', name: 'b' } }],
    ['npx with another program', { command: 'npx', args: ['-p', 'b', 'c'] }, { command: ['npx', '-p', 'b', 'c'] }],
    [
      'uvx',
      { command: 'uvx', args: ['mcp-server-time==2.0', 'x'] },
      { package: { runtime: 'python', name: 'mcp-server-time', version: '2.0', args: ['x'] } },
    ],
    ['uvx from elsewhere', { command: 'uvx', args: ['--from', 'x', 'y'] }, { command: ['uvx', '--from', 'x', 'y'] }],
    ['docker', { command: 'docker', args: ['run', '-i', 'x/y'] }, { command: ['docker', 'run', '-i', 'x/y'] }],
    ['a URL', { url: 'https://x.example/mcp' }, { url: { url: 'https://x.example/mcp' } }],
    ['a URL of Windsurf', { serverUrl: 'https://x.example/mcp' }, { url: { url: 'https://x.example/mcp' } }],
    ['a URL of Gemini', { httpUrl: 'https://x.example/mcp' }, { url: { url: 'https://x.example/mcp' } }],
    ['HTTP', { type: 'http', url: 'https://x.example/mcp' }, { url: { url: 'https://x.example/mcp', transport: 'streamable-http' } }],
    [
      'a bridge',
      { command: 'npx', args: ['mcp-remote@latest', 'https://x.example/mcp', '--header', 'X-Team: core'] },
      { url: { url: 'https://x.example/mcp', headers: [{ name: 'X-Team', value: 'core' }] } },
    ],
    [
      'plain variables',
      { command: 'x', env: { PORT: 8080, LOG_LEVEL: 'debug', HOME_PATH: '${userHome}/x' } },
      {
        command: ['x'],
        env: [
          { name: 'PORT', value: '8080' },
          { name: 'LOG_LEVEL', value: 'debug' },
          { name: 'HOME_PATH', value: 'FOLDER/x' },
        ],
      },
    ],
    ['a default', { command: 'x', args: ['${NOPE:-there}', '${GIVEN}', '$5'] }, { command: ['x', 'there', 'yes', '$5'] }],
    ['one that is off', { command: 'x', disabled: true, cwd: 'sub' }, { command: ['x'], cwd: 'FOLDER/sub', state: 'stopped' }],
  ])('is taken over: %s', async (_, entry, spec) => {
    const { servers: made } = await printed([servers({ a: entry })], { GIVEN: 'yes' })
    const wanted = JSON.parse(JSON.stringify(spec).replaceAll('FOLDER', folder)) as object
    expect(made).toEqual([{ name: 'a', ...wanted }])
  })

  test.each<[string, unknown, RegExp]>([
    ['neither command nor URL', { a: {} }, /clients\.json:1:16: a: has neither a command nor a URL/],
    ['both', { a: { command: 'x', url: 'https://x' } }, /a: has both a command and a URL/],
    ['no map', { a: 'x' }, /a: is no map with command or url/],
    ['HTTP+SSE', { a: { type: 'sse', url: 'https://x' } }, /a: speaks HTTP\+SSE of 2024/],
    ['a variable that is not set', { a: { command: 'x', args: ['${NOPE}'] } }, /a: wants the variable NOPE, which is not set/],
    [
      'an input that was not given',
      { a: { command: 'x', env: { TOKEN: '${input:my-token}' } } },
      /a: wants the variable MY_TOKEN, which is not set/,
    ],
    [
      'a secret as argument',
      { a: { command: 'x', args: ['--api-key', 'planted'] } },
      /a: the value of api-key looks like a secret.*--plain api-key/,
    ],
    ['a key as argument', { a: { command: 'x', args: ['ghp_planted0123456789'] } }, /a: argument 1 looks like a secret/],
    [
      'a secret in a URL',
      { a: { url: 'https://x.example/mcp?api_key=planted' } },
      /a: the parameter api_key of its URL looks like a secret/,
    ],
    ['a password in a URL', { a: { url: 'https://me:planted@x.example/mcp' } }, /a: its URL has a password in it/],
    ['no name', { '--': { command: 'x' } }, /server\/ \/metadata\/name must be 1-63/],
    [
      'names that become one',
      { 'A b': { command: 'x' }, 'a-b': { command: 'y' } },
      /a second server would be called a-b, as the one at .*clients\.json:1:16; rename one of them/,
    ],
    ['a bad URL', { a: { url: 'nope' } }, /server\/a \/spec\/url\/url must be an http or https URL/],
    [
      'a variable with a bad name',
      { a: { command: 'x', env: { 'A-B': '1' } } },
      /server\/a \/spec\/env\/0\/name must be a name of an environment variable/,
    ],
    ['an envFile that is not there', { a: { command: 'x', envFile: 'none.env' } }, /a: its envFile cannot be read \(ENOENT\)/],
  ])('is refused with its reason: %s', async (_, entries, message) => {
    const done = await run([servers(entries)])
    expect(done).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) as string })
    expect(done.stderr).not.toContain('planted')
    expect(rest.seen).toEqual([])
  })

  test('comes with comments, trailing commas, a byte order mark, and without what is given twice', async () => {
    const file = write(
      'a.json',
      '\uFEFF// mine\n{ "mcpServers": {\n  "a": { "command": "x", /* why */ },\n  "b": {"command": "y"},\n  "a": { "command": "z" },\n}, }',
    )
    expect((await run([file])).stderr).toMatch(
      /error: 1 thing cannot be imported; nothing was written\.\n.*a\.json:5:3: a is given twice\nhint: .*--partial/,
    )
    const done = await run([file, '--partial'])
    expect(done).toMatchObject({ code: 0, stdout: 'server/a created\nserver/b created\n' })
    expect(done.stderr).toContain('left out: ')
    expect(rest.get('Server', 'a')?.spec).toEqual({ command: ['x'] })
  })

  test.each<[string, string, RegExp]>([
    ['broken JSON', '{ "mcpServers": { "a": } }', /x\.json:1:24: is no JSON: value expected/],
    ['nothing', '', /holds no servers that are known here/],
    ['other JSON', '{"a": 1}', /holds no servers that are known here[\s\S]*hint: what is read: mcpServers/],
  ])('cannot be read from %s', async (_, text, message) => {
    expect(await run([write('x.json', text)])).toMatchObject({ code: 2, stderr: expect.stringMatching(message) as string })
  })

  test('is chosen by name or glob, and what is wrong with the others does not matter', async () => {
    const file = servers({ 'git-a': { command: 'x' }, 'git-b': { command: 'x' }, other: {}, third: { command: '${NOPE}' } })
    expect(await run([file, 'git*'])).toMatchObject({ code: 0, stdout: 'server/git-a created\nserver/git-b created\n' })
    expect(await run([file, 'nope'])).toMatchObject({ code: 5, stderr: expect.stringContaining('has no server nope') as string })
  })
})

describe('secrets', () => {
  const file = () =>
    servers({
      github: {
        command: 'x',
        env: { GITHUB_TOKEN: 'ghp_planted', LOG_LEVEL: 'debug', DATABASE: 'postgres://me:planted@db/x', TEAM: 'core' },
      },
      web: { url: 'https://x.example/mcp', headers: { Authorization: 'Bearer ${WEB}', 'X-Team': 'core' } },
    })

  test('become keys of a secret and are never printed', async () => {
    const done = await run([file()], { WEB: 'planted-web' })
    expect(done).toMatchObject({
      code: 0,
      stdout: 'secret/github-credentials created\nserver/github created\nsecret/web-credentials created\nserver/web created\n',
    })
    expect(rest.get('Secret', 'github-credentials')?.spec).toEqual({
      data: { GITHUB_TOKEN: 'ghp_planted', DATABASE: 'postgres://me:planted@db/x' },
    })
    expect(rest.get('Secret', 'web-credentials')?.spec).toEqual({ data: { Authorization: 'Bearer planted-web' } })
    expect(rest.get('Server', 'github')?.spec['env']).toContainEqual({
      name: 'GITHUB_TOKEN',
      valueFrom: { secretRef: { name: 'github-credentials', key: 'GITHUB_TOKEN' } },
    })
    expect(JSON.stringify(rest.get('Server', 'web')?.spec)).not.toContain('planted')
    for (const args of [[], ['--dry-run'], ['--dry-run=client'], ['--dry-run=client', '-o', 'json']]) {
      const { stdout, stderr } = await run([file(), '--replace', ...args], { WEB: 'planted-web' })
      expect(stdout + stderr).not.toContain('planted')
    }
  })

  test('of a printed manifest come from variables, which are named', async () => {
    const { stdout, stderr } = await run([file(), '--dry-run=client'])
    expect(parse(stdout)).toMatchObject({
      secrets: [{ data: { GITHUB_TOKEN: { fromEnv: 'GITHUB_TOKEN' } } }, { data: { Authorization: { fromEnv: 'WEB_AUTHORIZATION' } } }],
    })
    expect(stderr).toContain('  GITHUB_TOKEN  (GITHUB_TOKEN of server/github)\n')
    expect(stderr).toContain('  WEB_AUTHORIZATION  (Authorization of server/web: Bearer ${WEB})\n')
    expect(rest.seen).toEqual([])
  })

  test('of two servers with one name and different values have variables of their own', async () => {
    const twice = servers({ a: { command: 'x', env: { TOKEN: 'planted-1' } }, b: { command: 'x', env: { TOKEN: 'planted-2' } } })
    expect((await printed([twice]))['secrets']).toMatchObject([
      { data: { TOKEN: { fromEnv: 'TOKEN' } } },
      { data: { TOKEN: { fromEnv: 'B_TOKEN' } } },
    ])
  })

  test('are what a person says', async () => {
    const { servers: made } = await printed([file(), 'github', '--secret', 'TE*', '--plain', 'GITHUB_TOKEN'])
    expect(made).toMatchObject([{ env: [{ value: 'ghp_planted' }, { value: 'debug' }, { valueFrom: {} }, { valueFrom: {} }] }])
  })

  test('come from an envFile, too', async () => {
    write('.env', 'API_KEY=planted\nMODE="fast"\n')
    const { servers: made } = await printed([servers({ a: { command: 'x', envFile: '${workspaceFolder}/.env' } })])
    expect(made).toMatchObject([
      {
        env: [
          { name: 'API_KEY', valueFrom: {} },
          { name: 'MODE', value: 'fast' },
        ],
      },
    ])
  })
})

describe('what is there', () => {
  test('is not replaced unless it is the same, or that was said', async () => {
    const file = servers({ a: { command: 'x' } })
    await run([file])
    expect(await run([file])).toMatchObject({ code: 0, stdout: 'server/a unchanged\n' })
    rest.put({ kind: 'Server', metadata: { name: 'a' }, spec: { command: ['mine'] } })
    expect(await run([file])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('server/a is there already and not the same; nothing was written') as string,
    })
    expect(rest.get('Server', 'a')?.spec).toEqual({ command: ['mine'] })
    expect(await run([file, '--replace'])).toMatchObject({ code: 0, stdout: 'server/a configured\n' })
  })

  test('and unknown keys are kept aside and listed', async () => {
    const file = write('a.json', { theme: 'dark', mcpServers: { a: { command: 'x', alwaysAllow: ['y'], apiKey: 'planted' } } })
    const { stderr } = await run([file])
    expect(stderr).toContain(
      'not taken over: theme\nnot taken over from server/a: alwaysAllow, apiKey\nwhat was not taken over is kept in ',
    )
    expect(stderr).not.toContain('planted')
    const kept = join(folder, 'state', 'imports', readdirSync(join(folder, 'state', 'imports'))[0]!)
    expect(statSync(kept).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(kept, 'utf8'))).toEqual({
      source: file,
      leftOut: [
        { of: '', fields: { theme: 'dark' } },
        { of: 'server/a', fields: { alwaysAllow: ['y'], apiKey: 'planted' } },
      ],
    })
  })
})

describe('the file of a client', () => {
  test.each([
    ['claude-code', '.claude.json', 'mcpServers'],
    ['claude-desktop', '.config/Claude/claude_desktop_config.json', 'mcpServers'],
    ['cursor', '.cursor/mcp.json', 'mcpServers'],
    ['vscode', '.config/Code/User/mcp.json', 'servers'],
    ['gemini', '.gemini/settings.json', 'mcpServers'],
    ['windsurf', '.codeium/windsurf/mcp_config.json', 'mcpServers'],
    ['zed', '.config/zed/settings.json', 'context_servers'],
  ])('of %s is found', async (client, path, key) => {
    write(path, { [key]: { a: { command: 'x', env: { P: '${env:P}' } } }, inputs: [] })
    expect(await run([client], { P: '1' })).toMatchObject({ code: process.platform === 'linux' ? 0 : (expect.anything() as number) })
    expect(rest.get('Server', 'a')?.spec).toEqual({ command: ['x'], env: [{ name: 'P', value: '1' }] })
  })

  test('that is missing is told with where it was looked for, as is what no client is', async () => {
    expect(await run(['cursor'])).toMatchObject({ code: 5, stderr: expect.stringContaining(join(folder, '.cursor', 'mcp.json')) as string })
    expect(await run(['nope'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no file nope, and no client of that name') as string,
    })
    expect(await run([folder])).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be read as text') as string })
  })

  const codex = `model = "x"

[mcp_servers.files] # mine
command = "npx"
args = ["-y", "@a/files", "/tmp"]
cwd = "work"
env = { LEVEL = "1" }
env_vars = ["LANG"]
startup_timeout_sec = 2.5
tool_timeout_sec = 90
enabled_tools = ["read"]

[mcp_servers."My Github"]
url = "https://x.example/mcp"
bearer_token_env_var = "GITHUB_TOKEN"
enabled = false
http_headers = { "X-Team" = "a" }
env_http_headers = { "X-Region" = "REGION" }
`

  test('of Codex is found, and read in its own words', async () => {
    write('.codex/config.toml', codex)
    const variables = { GITHUB_TOKEN: 'planted-token', REGION: 'eu' }
    const done = await run(['codex'], variables)
    expect(done).toMatchObject({
      code: 0,
      stdout: 'server/files created\nsecret/my-github-credentials created\nserver/my-github created\n',
    })
    expect(rest.get('Server', 'files')?.spec).toEqual({
      package: { runtime: 'node', name: '@a/files', args: ['/tmp'] },
      cwd: join(folder, '.codex', 'work'),
      env: [{ name: 'LEVEL', value: '1' }],
      inheritEnv: ['LANG'],
      startTimeout: '2500ms',
      callTimeout: '90s',
    })
    expect(rest.get('Server', 'my-github')?.spec).toEqual({
      url: {
        url: 'https://x.example/mcp',
        headers: [
          { name: 'X-Team', value: 'a' },
          { name: 'X-Region', value: 'eu' },
          { name: 'Authorization', valueFrom: { secretRef: { name: 'my-github-credentials', key: 'Authorization' } } },
        ],
      },
      state: 'stopped',
    })
    expect(rest.get('Secret', 'my-github-credentials')?.spec).toEqual({ data: { Authorization: 'Bearer planted-token' } })
    expect(done.stderr).toContain('not taken over: model\nnot taken over from server/files: enabled_tools')
    expect((await run(['-', 'files', '--dry-run=client'], {}, codex)).stdout).toContain('@a/files')
  })

  test('of Codex tells problems with their lines, and no text of it', async () => {
    write('.codex/config.toml', codex)
    expect((await run(['codex'])).stderr).toContain('config.toml:13:1: my-github: wants the variable GITHUB_TOKEN, which is not set')
    const file = write('wrong.toml', '[mcp_servers.a]\ncommand = "planted\n')
    const { code, stderr } = await run([file])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/wrong\.toml:2:\d+: is no TOML: /)])
    expect(stderr).not.toContain('planted')
  })

  test.each([
    ['a project', { url: 'https://gw.example:7845/mcp/projects/web', headers: { Authorization: 'Bearer ${env:MCPG_TOKEN}' } }],
    ['everything of a gateway here', { type: 'http', url: 'http://127.0.0.1:7846/mcp' }],
    ['one server of a gateway here', { url: 'http://localhost:7845/mcp/servers/files' }],
    ['a gateway behind the control plane', { url: 'https://cp.example/v1/orgs/default/workspaces/default/mcp?gateway=a' }],
    ['an endpoint through the bridge', { command: '/usr/bin/mcpg-ctl', args: ['mcp', '--url', 'http://127.0.0.1:7845/mcp'] }],
  ])('comes without what leads to %s', async (_, entry) => {
    const file = servers({ web: entry, other: { url: 'https://x.example/mcp' } })
    const { code, stdout, stderr } = await run([file])
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'server/other created\n',
      stderr: expect.stringContaining('note: web leads to an endpoint of mcpg and was left out\n') as string,
    })
    expect(await run([file, 'web'])).toMatchObject({ code: 0, stdout: '' })
  })

  test('that was connected to a project imports nothing of it', async () => {
    const file = write('.cursor/mcp.json', { mcpServers: { mine: { command: 'x' } } })
    const connect = ['project', 'connect', 'cursor', '-p', 'web', '--write', '--file', file, '--url', 'http://127.0.0.1:9/mcp/projects/web']
    expect((await ctl(connect, { variables: rest.variables })).code).toBe(0)
    const done = await run(['cursor'])
    expect([done.stdout, done.stderr]).toEqual(['server/mine created\n', expect.stringContaining('web leads to an endpoint of mcpg')])
  })

  test('may come on standard input', async () => {
    expect(await run(['-'], {}, '{"mcpServers": {"a": {"command": "x"}}}')).toMatchObject({ code: 0, stdout: 'server/a created\n' })
  })
})

describe('a stack.yaml', () => {
  const stack = `
version: "1"
name: s
gateway: { auth: { type: bearer, token: "\${GW}" } }
mcp-servers:
  - name: gh
    command: ["npx", "-y", "gh-mcp"]
    env: { GITHUB_TOKEN: "\${var:GH}" }
    tools: [a]
    protocol_generation: handshake
  - name: web
    url: https://w.example/mcp
    auth: { type: header, header: X-Api-Key, value: "\${TOK}" }
    ready_timeout: 30s
  - { name: img, image: x/y }
  - { name: far, ssh: { host: h, user: u }, command: [x] }
  - { name: api, openapi: { spec: x } }
  - { name: built, source: { type: git, url: x } }
  - { name: sse, url: "https://x", transport: sse }
groups:
  dev: { description: D, servers: [gh, img], tools: [gh__a], exclude: [gh__b], overrides: {} }
`

  test('becomes servers, and its groups projects; what is not there yet is named', async () => {
    const file = write('stack.yaml', stack)
    const refused = await run([file], { GH: 'planted', TOK: 'planted' })
    expect(refused).toMatchObject({ code: 2 })
    for (const reason of [
      'img: runs from a container image',
      'far: runs on another machine over ssh',
      'api: is made from an OpenAPI document',
      'built: is built from a source repository',
      'sse: speaks HTTP+SSE',
    ])
      expect(refused.stderr).toMatch(new RegExp(`stack\\.yaml:\\d+:\\d+: ${reason.replace('+', '\\+')}`))
    const done = await run([file, '--partial'], { GH: 'planted', TOK: 'planted' })
    expect(done.code).toBe(0)
    expect(rest.get('Server', 'gh')?.spec).toMatchObject({ package: { runtime: 'node', name: 'gh-mcp' }, era: 'legacy' })
    expect(rest.get('Secret', 'gh-credentials')?.spec).toEqual({ data: { GITHUB_TOKEN: 'planted' } })
    expect(rest.get('Server', 'web')?.spec).toMatchObject({ url: { headers: [{ name: 'X-Api-Key', valueFrom: {} }] }, startTimeout: '30s' })
    expect(rest.get('Project', 'dev')?.spec).toEqual({ description: 'D', servers: ['gh'], tools: { allow: ['gh__a'], deny: ['gh__b'] } })
    expect(done.stderr).toMatch(
      /note: project\/dev comes without img\nnot taken over from project\/dev: overrides\nnot taken over: gateway\nnot taken over from server\/gh: tools/,
    )
  })

  test.each<[string, string, RegExp]>([
    ['a name twice', 'mcp-servers: [{name: a, command: x}, {name: a, command: y}]', /a second server would be called a/],
    ['a key twice', 'mcp-servers: []\nmcp-servers: []', /s\.yaml:2:1: this name is given twice/],
    ['broken YAML', 'mcp-servers: [', /s\.yaml:1:\d+: is no YAML/],
    ['no name', 'mcp-servers: [{command: x}]', /is no server with a name/],
    ['no source', 'mcp-servers: [{name: a}]', /a: has neither a command nor a URL/],
  ])('is refused with %s', async (_, text, message) => {
    expect(await run([write('s.yaml', text)])).toMatchObject({ code: 2, stderr: expect.stringMatching(message) as string })
  })
})

describe('a manifest of mcpctl', () => {
  const manifest = `
secrets: [{ name: gh, data: { token: planted } }]
llms: [{ name: fast, type: ollama, model: m, extraThing: 1 }]
servers:
  - name: a
    transport: STDIO
    packageName: "@x/a@1.0.0"
    replicas: 2
    env: [{ name: A, value: b }, { name: T, valueFrom: { secretRef: { name: gh, key: token } } }]
    healthCheck: { tool: x }
  - { name: py, packageName: mcp-time, runtime: python, ownerId: 1 }
  - { name: r, externalUrl: "https://r.example/mcp", transport: STREAMABLE_HTTP }
  - { name: d, dockerImage: x }
  - { name: s, externalUrl: "https://x", transport: SSE }
  - { name: e }
projects: [{ name: web, servers: [a, d], gated: true, proxyModel: gate, color: red }]
serverattachments: [{ server: r, project: web }]
prompts: [{ name: p1, project: web, content: hi, priority: 3 }]
users: [{ email: x@example.com }]
---
kind: server
metadata: { name: k, labels: {} }
spec: { command: "x 'a b'" }
`

  test('becomes servers, secrets, models and projects with what is attached to them', async () => {
    const file = write('m.yaml', manifest)
    const refused = await run([file])
    expect(refused.stderr).toMatch(
      /d: runs from a container image[\s\S]*s: speaks HTTP\+SSE[\s\S]*e: has none of packageName, command and externalUrl/,
    )
    const done = await run([file, '--partial'])
    expect(done.code).toBe(0)
    expect(done.stdout + done.stderr).not.toContain('planted')
    expect(rest.get('Secret', 'gh')?.spec).toEqual({ data: { token: 'planted' } })
    expect(rest.get('Server', 'a')?.spec).toEqual({
      package: { runtime: 'node', name: '@x/a', version: '1.0.0' },
      env: [
        { name: 'A', value: 'b' },
        { name: 'T', valueFrom: { secretRef: { name: 'gh', key: 'token' } } },
      ],
    })
    expect(rest.get('Server', 'py')?.spec).toEqual({ package: { runtime: 'python', name: 'mcp-time' } })
    expect(rest.get('Server', 'r')?.spec).toEqual({ url: { url: 'https://r.example/mcp' } })
    expect(rest.get('Server', 'k')?.spec).toEqual({ command: ['x', 'a b'] })
    expect(rest.get('Llm', 'fast')?.spec).toEqual({ type: 'ollama', model: 'm' })
    expect(rest.get('Project', 'web')?.spec).toEqual({
      gated: true,
      proxyModel: 'gate',
      servers: ['a', 'r'],
      prompts: [{ name: 'p1', content: 'hi', priority: 3 }],
    })
    expect(done.stderr).toMatch(/not taken over: users\n/)
    expect(done.stderr).toMatch(/not taken over from server\/a: replicas, healthCheck\n/)
  })

  test('is printed without its values, and narrowed to a server with its secret', async () => {
    const { stdout } = await run([write('m.yaml', manifest), 'a', '--dry-run=client'])
    expect(parse(stdout)).toMatchObject({
      secrets: [{ name: 'gh', data: { token: { fromEnv: 'GH_TOKEN' } } }],
      servers: [{ name: 'a' }],
      projects: [{ servers: ['a'] }],
    })
    expect(stdout).not.toContain('planted')
  })

  test.each<[string, string, RegExp]>([
    ['an attachment to nothing', 'serverattachments: [{server: a, project: nope}]', /names the project nope, which is not in the file/],
    ['a secret without a name', 'secrets: [{data: {}}]', /is a Secret without a name/],
    ['a server without a name', 'servers: [{command: x}]', /is a server without a name/],
    ['an entry that is text', 'servers: [x]', /is no map with a name/],
  ])('is refused with %s', async (_, text, message) => {
    expect(await run([write('m.yaml', text)])).toMatchObject({ code: 2, stderr: expect.stringMatching(message) as string })
  })
})
