import { beforeEach, expect, test } from 'vitest'
import { ctl } from '../../test/env.ts'
import { fakeRest } from '../../test/fake-rest.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
beforeEach(async () => {
  rest = await fakeRest()
})
const run = (...args: string[]) => ctl(args, { variables: rest.variables })

test('says what a token of an MCP client needs before anything is asked', async () => {
  const homeless = await run('create', 'mcptoken', 'claude')
  expect([homeless.code, homeless.stderr]).toEqual([2, expect.stringContaining('-p <project>')])
  const unreadable = await run('create', 'mcptoken', 'claude', '-p', 'web', '--bind', 'view servers', '--bind', 'role:own,resource:servers')
  expect(unreadable.code).toBe(2)
  expect(unreadable.stderr).toContain('"view servers" is no binding')
  expect(unreadable.stderr).toContain('"role:own,resource:servers" is no binding')
  expect((await run('token', 'revoke', 'claude')).stderr).toContain('--yes')
  expect(rest.seen).toEqual([])
})

test('sends what the flags say', async () => {
  const flags = [
    '--ttl',
    'never',
    '--rbac',
    'clone',
    '--force',
    '--bind',
    'role:run,resource:tools,name:files__read',
    '--bind',
    'operation:logs',
  ]
  await run('create', 'mcptoken', 'claude', '-p', 'web', ...flags)
  await run('token', 'create', 'ci')
  expect(rest.seen.map(({ method, path, body }) => [method, path, body])).toEqual([
    [
      'POST',
      '/v1/orgs/default/workspaces/default/projects/web/tokens',
      {
        name: 'claude',
        ttl: 'never',
        rbac: 'clone',
        force: true,
        bind: [{ role: 'run', resource: 'tools', name: 'files__read' }, { operation: 'logs' }],
      },
    ],
    ['POST', '/v1/orgs/default/tokens', { name: 'ci', ttl: '30d' }],
  ])
})

test('tells clients to show a token where the endpoint wants one', async () => {
  const connect = (client: string, host: string) => run('project', 'connect', client, '-p', 'web', '--url', `${host}:7845/mcp/projects/web`)
  const far = await connect('claude-code', 'https://edge.example')
  expect(far.stdout).toContain('Bearer ${MCPG_TOKEN}')
  expect(far.stderr).toContain('wants a token: mcpg-ctl create mcptoken claude-code -p web')
  for (const client of ['zed', 'claude-desktop']) {
    const { stdout, stderr } = await connect(client, 'https://edge.example')
    expect([stdout.includes('"--url"'), stderr.includes('MCPG_TOKEN')]).toEqual([true, true])
  }
  const near = await connect('claude-code', 'http://127.0.0.1')
  expect([near.stdout.includes('Bearer'), near.stderr.includes('wants a token')]).toEqual([false, false])
})

test('refuses a way into an endpoint that is none', async () => {
  const { code, stderr } = await run('endpoint-access', 'sometimes')
  expect([code, stderr]).toEqual([2, expect.stringContaining('auto, required, open')])
})
