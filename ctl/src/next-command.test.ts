import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { McpgError } from '@mcpg/proto/errors'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { ctl, testEnv } from '../test/env.ts'
import { fakeRest } from '../test/fake-rest.ts'
import { runProgram } from './program.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
let folder: string
beforeEach(async () => {
  rest = await fakeRest()
  folder = mkdtempSync(join(tmpdir(), 'mcpg-next-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})
const run = (...args: string[]) => ctl(args, { variables: rest.variables })
const withoutControlPlane = (...args: string[]) => ctl(args, { variables: { MCPG_CP_URL: 'http://127.0.0.1:1', MCPG_STATE_DIR: folder } })
const says = (code: number, ...words: string[]) => ({
  code,
  stderr: expect.stringMatching(new RegExp(words.map((word) => word.replace(/[.+*?^${}()|[\]\\]/g, '\\$&')).join('[^]*'))) as string,
})

test('a log is found on this machine while the control plane is away', async () => {
  expect((await withoutControlPlane('logs', 'control-plane')).stderr).not.toContain('on this machine')
  mkdirSync(join(folder, 'logs/control-plane'), { recursive: true })
  mkdirSync(join(folder, 'gateways/x/agent-log'), { recursive: true })
  writeFileSync(join(folder, 'logs/control-plane.log'), '')
  const files = ['logs/control-plane.log', 'logs/control-plane'].map((file) => join(folder, file))
  expect(await withoutControlPlane('logs', 'control-plane')).toMatchObject(says(4, 'on this machine', files.join(' and ')))
  expect(await withoutControlPlane('logs', 'gateway/x')).toMatchObject(says(4, join(folder, 'gateways/x/agent-log')))
})

test('status says how to go on without a control plane', async () => {
  expect((await withoutControlPlane('status')).stdout).toContain('\nnext: ')
})

test('a name that is nearly right is guessed', async () => {
  for (const name of ['files', 'github']) rest.put({ kind: 'Server', metadata: { name }, spec: { command: ['x'] } })
  expect(await run('get', 'server', 'fiels')).toMatchObject(says(5, 'did you mean files?', 'mcpg-ctl get servers'))
  expect(await run('get', 'servers', 'files', 'githab')).toMatchObject(says(5, 'did you mean github?'))
  expect(await run('delete', 'servers', 'githab', 'git*', '--yes')).toMatchObject(says(5, 'did you mean github?'))
})

test('what matches nothing is named', async () => {
  expect(await run('delete', 'servers', 'a*', '-l', 'x=y', '--yes')).toMatchObject(says(0, 'nothing matches servers a* -l x=y'))
  expect(await run('patch', 'servers', 'a*', 'state=stopped')).toMatchObject(says(0, 'nothing matches servers a*'))
})

test('edit needs a terminal or an editor that is named', async () => {
  rest.put({ kind: 'Server', metadata: { name: 'files' }, spec: { command: ['x'] } })
  expect(await run('edit', 'server', 'files')).toMatchObject(says(2, 'nobody can be asked here', 'mcpg-ctl patch server files'))
})

test('passwords are asked for only where there are any', async () => {
  rest.signInBy('none')
  expect(await run('passwd')).toMatchObject(says(6, 'Nobody signs in at'))
  expect(await run('passwd', 'ada@example.test')).toMatchObject(says(6, 'Nobody signs in at'))
  expect(rest.seen.map(({ path }) => path)).toEqual(['/v1/auth/status', '/v1/auth/status'])
  rest.signInBy('local')
  expect(await run('login', '--no-browser')).toMatchObject(says(2, '--no-browser: people sign in with e-mail and password here.'))
})

test('can-i takes the word of a command for a verb that is meant, and says nothing before it refuses', async () => {
  const { stderr, code } = await run('can-i', 'get', 'servers', '--as', 'ada@example.test')
  expect(code).toBe(2)
  expect(stderr).toMatch(/^error: /)
  expect(stderr).toContain('that is view: mcpg-ctl can-i view servers')
})

test('a manifest that is not there', async () => {
  expect(await run('apply', '-f', '/nope.yaml')).toMatchObject(says(2, 'hint: name a file'))
})

test('provision delete names all that is missing, and takes --name', async () => {
  expect(await run('provision', 'delete', '--org', 'a')).toMatchObject(
    says(2, '--workspace, --env, --instance-uid are missing', 'MCPG_INSTANCE_UID'),
  )
  await run('provision', 'delete', '--org', 'a', '--workspace', 'b', '--env', 'c', '--name', 'edge')
  expect(rest.seen.at(-1)).toMatchObject({ method: 'DELETE', path: '/v1/orgs/a/workspaces/b/environments/c/gateways/edge' })
})

test('provision begins nothing before all it was given can be read', async () => {
  const place = ['--org', 'a', '--workspace', 'b', '--env', 'c']
  for (const command of [
    ['create', ...place, '--name', 'edge'],
    ['delete', ...place, '--instance-uid', 'edge'],
    ['watch', 'op'],
  ])
    expect(await run('provision', ...command, '--timeout', 'soon')).toMatchObject(says(2, '--timeout soon is no duration'))
  expect(rest.seen).toEqual([])
})

test('what is looked at by a command of its own', async () => {
  expect(await run('get', 'clusters')).toMatchObject(says(2, 'mcpg-ctl cluster list'))
  expect(await run('describe', 'operation', 'x')).toMatchObject(says(2, 'mcpg-ctl provision history --org <org>'))
  expect(await run('get', 'domains')).toMatchObject(says(2, 'mcpg-ctl domain list'))
})

test('provision create is refused in the words of its flags', async () => {
  const violations = [
    { pointer: '/imageTag', detail: 'must be at most 128 characters' },
    { pointer: '/replicas', detail: 'must be at least 1' },
  ]
  const message = `2 things are wrong with the request, the first: /imageTag ${violations[0]!.detail}.`
  rest.failWhen(({ method }) => method === 'POST', {
    status: 400,
    error: new McpgError('invalid', 'invalid_request', message, { violations }),
  })
  const { code, stderr } = await run('provision', 'create', '--org', 'a', '--workspace', 'b', '--env', 'c', '--name', 'edge')
  expect([code, stderr]).toEqual([2, expect.stringMatching(/the first: --image-tag must[^]*\n {2}--replicas: must be at least 1\n/)])
})

test('a URL to enroll by that leads to this machine only says so', async () => {
  expect((await run('enroll', 'create')).stderr).toContain('only on this machine')
})

test('cluster set is refused in the words of its flags', async () => {
  const violations = [{ pointer: '/gatewaysMax', detail: 'must be at least 1' }]
  rest.failWhen(({ method }) => method === 'PATCH', {
    status: 400,
    error: new McpgError('invalid', 'invalid_request', '/gatewaysMax must be at least 1.', { violations }),
  })
  expect(await run('cluster', 'set', 'local', '--gateways-max', '0')).toMatchObject(says(2, 'error: --gateways-max must be at least 1.'))
})

test('Ctrl-C before the answer tells where what may have begun is seen', async () => {
  const { env, stderr, interrupt } = testEnv({ variables: rest.variables })
  const atRequest = () => {
    interrupt()
    return false
  }
  rest.failWhen(atRequest, { status: 500 })
  const code = await runProgram(['provision', 'create', '--org', 'a', '--workspace', 'b', '--env', 'c', '--name', 'edge'], env)
  expect([code, stderr()]).toEqual([130, 'the work may have begun: mcpg-ctl provision history --org a\n'])
})
