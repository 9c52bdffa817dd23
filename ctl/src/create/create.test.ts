import { McpgError } from '@mcpg/proto/errors'
import { kinds } from '@mcpg/proto/kinds'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import { argumentsOf } from '@mcpg/proto/test/kind-arguments'
import { kindExamples } from '@mcpg/proto/test/kind-examples'
import { beforeEach, describe, expect, test } from 'vitest'
import { ctl } from '../../test/env.ts'
import { fakeRest } from '../../test/fake-rest.ts'
import { flagsOf } from './flags.ts'
import { specSchema, type Schema } from './schema.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
beforeEach(async () => {
  rest = await fakeRest()
})
const run = (args: string[], variables: Record<string, string> = {}) => ctl(args, { variables: { ...rest.variables, ...variables } })
const said = async (args: string[]) => {
  const { code, stdout, stderr } = await run(['create', ...args, '--dry-run=client', '-o', 'json'])
  expect([code, stderr]).toEqual([0, ''])
  return (JSON.parse(stdout) as { spec: unknown }).spec
}

/** Every example, each of its fields once with either value. */
const specsOf = ({ kind, oneOf }: KindDeclaration) => {
  const { base, flips } = kindExamples[kind]!
  return Object.entries(flips).flatMap(([field, pair]) => pair.map((one) => (oneOf.includes(field) ? one : { ...base, ...one })))
}
const flagged = kinds.filter(({ virtual, kind }) => !virtual && kind !== 'Secret')

describe.each(flagged)('create $kind', (kind) => {
  test.each(specsOf(kind).map((spec) => [JSON.stringify(spec), spec]))('says %s by flags', async (_, spec) => {
    const name = kindExamples[kind.kind]!.named?.('x') ?? 'x'
    expect(await said([kind.kind.toLowerCase(), name, ...argumentsOf(kind, spec)])).toEqual(spec)
  })

  test('has flags of different names, and none of them is one of every command', () => {
    const names = flagsOf(kind).map(({ flag }) => flag)
    expect(new Set(names).size).toBe(names.length)
    expect(names).not.toContain('version')
    expect(names.length).toBeGreaterThan(0)
  })

  test('is explained down to its last field', async () => {
    for (const path of pathsOf(specSchema(kind))) {
      const { code, stdout, stderr } = await run(['explain', `${kind.kind.toLowerCase()}.${path}`])
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(new RegExp(`^field: ${path.replaceAll('.', '\\.')}  <.+>$`, 'm'))
    }
  })
})

function pathsOf(schema: Schema): string[] {
  const { additionalProperties: values } = schema
  const inner = [schema, schema.items, ...(schema.anyOf ?? []), typeof values === 'object' ? values : undefined].find(
    (one) => one?.properties,
  )
  return Object.entries(inner?.properties ?? {}).flatMap(([field, one]) => [field, ...pathsOf(one).map((rest) => `${field}.${rest}`)])
}

describe('create server', () => {
  test('takes the published flags, and shows what it made', async () => {
    const flags = ['--package-name', '@a/files', '--env', 'ROOT=/a=b', '--env', 'TOKEN=secret:github/token', '--label', 'tier=edge']
    const done = await run(['create', 'server', 'files', ...flags, '--placement-gateway-selector', 'role=edge', '-o', 'yaml'])
    expect(done.stdout).toBe(
      [
        'servers:',
        '  - name: files',
        '    labels:',
        '      tier: edge',
        '    package:',
        '      runtime: node',
        '      name: "@a/files"',
        '    env:',
        '      - name: ROOT',
        '        value: /a=b',
        '      - name: TOKEN',
        '        valueFrom:',
        '          secretRef:',
        '            name: github',
        '            key: token',
        '    placement:',
        '      gatewaySelector:',
        '        role: edge',
        '',
      ].join('\n'),
    )
    expect(await run(['get', 'servers', '-o', 'name'])).toMatchObject({ stdout: 'server/files\n' })
  })

  test.each([
    [
      'a URL and its headers',
      ['--url', 'https://a.example/mcp?a=b', '--header', 'Authorization=secret:a/b', '--transport', 'STREAMABLE_HTTP'],
    ],
    [
      'the fields of an object',
      ['--url', 'url=https://a.example/mcp?a=b,transport=streamable-http', '--url-header', 'Authorization=secret:a/b'],
    ],
  ])('takes %s', async (_, flags) => {
    expect(await said(['server', 'x', ...flags])).toEqual({
      url: {
        url: 'https://a.example/mcp?a=b',
        transport: 'streamable-http',
        headers: [{ name: 'Authorization', valueFrom: { secretRef: { name: 'a', key: 'b' } } }],
      },
    })
  })

  test('takes a command behind --, by words and as a text', async () => {
    expect(await said(['srv', 'x', '--command', 'npx -y a'])).toEqual({ command: 'npx -y a' })
    expect(await said(['servers', 'x', '--command', 'npx', '--command', '-y'])).toEqual({ command: ['npx', '-y'] })
    const { stdout } = await run(['create', 'server', 'x', '--dry-run=client', '-ojson', '--no-required', '--', 'npx', '-y', 'a'])
    expect(JSON.parse(stdout)).toMatchObject({ spec: { command: ['npx', '-y', 'a'], required: false } })
  })

  test.each([
    [['--docker-image', 'a:1'], 'Servers from container images are not there yet'],
    [['--command', 'x', '--replicas', '3'], 'Several replicas of a server come with container images'],
    [['--command', 'x', '--transport', 'SSE'], 'no gateway speaks the HTTP+SSE'],
    [['--url', 'https://a.example', '--transport', 'stdio'], 'does not speak on standard input'],
    [['--command', 'x', '--start-timeout', 'soon'], '--start-timeout: must be a whole number with a unit'],
    [['--command', 'x', '--max-sessions', 'many', '--env', 'A'], '--env: must be NAME=value'],
    [['--command', 'x', '--max-sessions', 'many'], '--max-sessions: must be a number'],
    [['--command', 'refused'], '--command: is refused'],
    [['--command', 'x', '--', 'y'], 'given twice'],
    [['--package-nam', 'x'], 'did you mean --package-name?'],
    [[], 'exactly one of command, package, url is needed'],
  ])('%j is a matter of usage', async (flags, message) => {
    const done = await run(['create', 'server', 'x', ...flags])
    expect(done).toMatchObject({ code: 2, stdout: '' })
    expect(done.stderr).toContain(message)
    expect(rest.get('Server', 'x')).toBeUndefined()
  })

  test('tells everything that is wrong at once', async () => {
    const { stderr } = await run(['create', 'server', 'x', '--command', 'x', '--era', 'old', '--call-timeout', '1', '--env', '1=2'])
    expect(stderr).toMatch(/--env: .*\n.*--era: .*\n.*--call-timeout: /)
  })

  test('begins with another one, whose source and variables flags replace', async () => {
    const env = ['--env', 'A=1', '--env', 'B=2']
    await run(['create', 'server', 'a', '--package-name', 'x', '--package-version', '1', ...env, '--label', 'tier=edge'])
    await run(['create', 'server', 'b', '--from', 'server/a', '--package-version', '2', '--env', 'B=3', '--dry-run'])
    expect(rest.get('Server', 'b')).toBeUndefined()
    await run(['create', 'server', 'b', '--from', 'server/a', '--package-version', '2', '--env', 'B=3'])
    expect(rest.get('Server', 'b')).toMatchObject({
      metadata: { labels: { tier: 'edge' } },
      spec: {
        package: { name: 'x', version: '2' },
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '3' },
        ],
      },
    })
    await run(['create', 'server', 'c', '--from', 'a', '--command', 'y'])
    expect(rest.get('Server', 'c')?.spec).not.toHaveProperty('package')
    expect(await run(['create', 'server', 'c', '--command', 'y'])).toMatchObject({ code: 6 })
  })
})

describe('create for other kinds', () => {
  test('takes short forms of small objects, and lists of objects by their fields', async () => {
    expect(
      await said(['llm', 'x', '--type', 'ollama', '--model', 'm', '--api-key-ref', 'a/b', '--extra', 'n=1', '--extra', 's="1"']),
    ).toEqual({
      type: 'ollama',
      model: 'm',
      apiKeyRef: { name: 'a', key: 'b' },
      extra: { n: 1, s: '1' },
    })
    const flags = ['--allow-tool', 'a__*', '--llm', 'small/llama3:8b', '--prompts', 'name=p,content=Look, then say,priority=3', '--gated']
    expect(await said(['project', 'x', '-d', 'd', ...flags])).toEqual({
      description: 'd',
      tools: { allow: ['a__*'] },
      prompts: [{ name: 'p', content: 'Look, then say', priority: 3 }],
      llm: { name: 'small', model: 'llama3:8b' },
      gated: true,
    })
  })

  test('lists the kinds and the flags of each in its help', async () => {
    expect((await ctl(['create', '--help'])).stdout).toMatch(/server\|servers[^]*project\|projects/)
    expect((await ctl(['help', 'create'])).stdout).toContain('template|')
    const { stdout } = await ctl(['create', 'llm', '--help'])
    expect(stdout).toMatch(/--type <anthropic\|openai\|.*>\s+whose API it speaks/)
    expect(await ctl(['create', 'serverr', 'x'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean server') as string,
    })
  })

  test('never shows the values of a secret', async () => {
    const done = await run(['create', 'secret', 'x', '--from-env', 'token=TOKEN', '--label', 'a=b', '--dry-run=client'], {
      TOKEN: 'planted',
    })
    expect(done).toMatchObject({ code: 2, stderr: expect.stringContaining('--dry-run=server') as string })
  })
})

describe('create rolebinding, user and group', () => {
  test('take subjects and rights as scripts say them', async () => {
    expect(await said(['rbac', 'x', '--role', 'editor', '--subject', 'user:ann@example.com', '--subject', 'Group:team'])).toEqual({
      role: 'editor',
      subjects: [
        { kind: 'User', name: 'ann@example.com' },
        { kind: 'Group', name: 'team' },
      ],
    })
    expect(await said(['group', 'team', '-d', 'D', '--member', 'ann@example.com', '--member', 'bob@example.com'])).toEqual({
      description: 'D',
      members: ['ann@example.com', 'bob@example.com'],
    })
    expect(await said(['user', 'ann@example.com', '--name', 'Ann'])).toEqual({ displayName: 'Ann' })
  })

  test('make a role of its own for --role-binding, both or neither', async () => {
    const rules = [
      '--role-binding',
      'role:edit,resource:servers',
      '--role-binding',
      'role:view,resource:secrets,name:gh',
      '--role-binding',
      'action:logs',
    ]
    const line = ['create', 'rolebinding', 'team', '--subject', 'group:team', ...rules]
    expect(await run(line)).toMatchObject({ code: 0, stdout: 'role/team created\nrolebinding/team created\n' })
    expect(rest.get('Role', 'team')?.spec).toEqual({
      rules: [{ verbs: ['edit'], kinds: ['servers'] }, { verbs: ['view'], kinds: ['secrets'], names: ['gh'] }, { operations: ['logs'] }],
    })
    expect(rest.get('RoleBinding', 'team')?.spec).toEqual({ role: 'team', subjects: [{ kind: 'Group', name: 'team' }] })
    expect(await run(line)).toMatchObject({ code: 6, stderr: expect.stringContaining('The Role team exists already') as string })
    expect(await run([...line, '--role', 'editor'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('do not go together') as string,
    })
    expect(await run(['create', 'rbac', 'x', '--subject', 'group:team', '--role-binding', 'edit servers'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--role-binding: "edit servers" is no binding') as string,
    })
    expect(
      (await run(['create', 'rbac', 'x', '--subject', 'group:team', '--role-binding', 'action:logs', '--dry-run=client'])).stdout,
    ).toMatch(/^roles:\n {2}- name: x\n[\s\S]*rolebindings:\n/)
  })

  test('set the password of a user that was made, which is not shown', async () => {
    const done = await run(['create', 'user', 'ann@example.com'], { MCPG_PASSWORD: 'planted-password' })
    expect(done).toMatchObject({ code: 0, stdout: 'user/ann@example.com created\n' })
    expect(rest.seen.at(-1)).toMatchObject({
      method: 'POST',
      path: '/v1/orgs/default/users/ann%40example.com/password',
      body: { password: 'planted-password' },
    })
  })

  test.each([
    ['none', 'planted-password', 'There are no passwords here: nobody signs in. Nothing was written.', 6],
    ['oidc', 'planted-password', 'There are no passwords here: people sign in at the issuer. Nothing was written.', 6],
    ['local', 'short', '--password: must have at least 10 characters', 2],
  ])('write nothing in mode %s with the password %s', async (mode, password, message, code) => {
    rest.signInBy(mode)
    const done = await run(['create', 'user', 'ann@example.com'], { MCPG_PASSWORD: password })
    expect(done).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) as string })
    expect(rest.seen.filter(({ method }) => method !== 'GET')).toEqual([])
  })

  test('say that a user is there whose password was refused after all, and how to go on', async () => {
    const refused = { status: 403, error: new McpgError('forbidden', 'not_allowed', 'You may not.') }
    rest.failWhen(({ path }) => path.endsWith('/password'), refused)
    const done = await run(['create', 'user', 'ann@example.com'], { MCPG_PASSWORD: 'planted-password' })
    expect(done.stderr).toContain('ann@example.com was created without a password: You may not.')
    expect(done).toMatchObject({ code: 3, stderr: expect.stringContaining('mcpg-ctl passwd ann@example.com') as string })
  })
})

describe('create project --from', () => {
  test('makes it with the prompts that live in the other one by one request', async () => {
    rest.put({ kind: 'Project', metadata: { name: 'web' }, spec: { servers: ['a'] } })
    rest.put({ kind: 'Prompt', metadata: { name: 'own', project: 'web', labels: { tier: 'x' } }, spec: { content: 'Mine.' } })
    const done = await run(['create', 'project', 'copy', '--from', 'web', '-d', 'A copy'])
    expect(done).toEqual({ code: 0, stdout: 'project/copy created\n', stderr: 'with prompt/own\n' })
    const writes = rest.seen.filter(({ method }) => method !== 'GET')
    expect(writes.map(({ path, body }) => [path, body])).toEqual([
      [
        '/v1/orgs/default/workspaces/default/apply',
        {
          objects: [
            { kind: 'Project', metadata: { name: 'copy', resourceVersion: '' }, spec: { servers: ['a'], description: 'A copy' } },
            {
              kind: 'Prompt',
              metadata: { name: 'own', project: 'copy', labels: { tier: 'x' }, annotations: {} },
              spec: { content: 'Mine.' },
            },
          ],
        },
      ],
    ])
    expect(await run(['create', 'project', 'copy', '--from', 'web'])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('The Project copy exists already.') as string,
    })
  })
})
