import { enrollmentStates } from '@mcpg/proto/kinds/enrollment'
import { connectionStates, instanceStates, serverStates } from '@mcpg/proto/status'
import { describe, expect, test } from 'vitest'
import { ctl } from '../test/env.ts'
import { fakeRest } from '../test/fake-rest.ts'

test('help and version are results; a bare call is help', async () => {
  expect(await ctl(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string, stderr: '' })
  expect(await ctl(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('quickstart') as string })
  expect(await ctl([])).toMatchObject({ code: 0, stdout: expect.stringContaining('quickstart') as string })
  expect(await ctl(['enroll'])).toMatchObject({ code: 2, stdout: '' })
})

test.each([
  [['sttaus'], 'did you mean status?'],
  [['get', 'servers', '--wacth'], 'did you mean --watch?'],
  [['server', 'restrat', 'x'], 'did you mean restart?'],
  [['get'], 'mcpg-ctl get --help'],
  [['enroll', 'xyz'], 'mcpg-ctl enroll --help'],
  [['delete', 'servers', 'a', '-p', 'x'], 'leave out --project'],
  [['logout', '--as', 'eve@example.com'], 'leave out --as'],
  [['mcp', '--as', 'eve@example.com'], 'leave out --as'],
  [['wait', 'servers/x', '--for=state=redy'], 'mcpg-ctl wait --help'],
  [['can-i', 'fly'], 'mcpg-ctl can-i edit'],
  [['can-i', 'edit', 'sever'], 'mcpg-ctl can-i edit'],
  [['get', 'servers', '-o', 'xml'], 'mcpg-ctl get --help'],
  [['apply', '-f', 'x', '--wait', '--timeout', 'soon'], 'write it like 500ms'],
])('%j is exit code 2 with the hint "%s"', async (args, hint) => {
  const done = await ctl(args)
  expect(done.code).toBe(2)
  expect(done.stderr).toMatch(/^error: .+\nhint: .+\n$/)
  expect(done.stderr).toContain(hint)
})

test('the help of a command shows the flags of all, and wait those states that there are', async () => {
  expect((await ctl(['enroll', 'create', '--help'])).stdout).toMatch(/Global Options:[^]*--state-dir/)
  const help = (await ctl(['wait', '--help'])).stdout
  for (const state of [...serverStates, ...instanceStates, ...connectionStates, ...enrollmentStates]) expect(help).toContain(state)
})

test('a wrong command line is one problem object with -o json, and never a stack without --debug', async () => {
  const done = await ctl(['sttaus', '-o', 'json'])
  expect(JSON.parse(done.stderr)).toMatchObject({ code: 'invalid', reason: 'usage', hint: 'did you mean status?' })
  expect((await ctl(['sttaus', '--debug'])).stderr).toMatch(/\n {4}at /)
})

describe('global flags', () => {
  test('are accepted before and after the command; a flag wins over its variable, a variable over the default', async () => {
    const rest = await fakeRest()
    const paths = async (args: string[], variables: Record<string, string> = {}) => {
      await ctl(args, { variables: { ...rest.variables, ...variables } })
      return rest.seen.at(-1)?.path
    }
    expect(await paths(['--workspace', 'a', 'get', 'servers'])).toContain('/workspaces/a/')
    expect(await paths(['get', 'servers', '--workspace', 'b'])).toContain('/workspaces/b/')
    expect(await paths(['get', 'servers'], { MCPG_WORKSPACE: 'c' })).toContain('/workspaces/c/')
    expect(await paths(['get', 'servers', '--workspace=d'], { MCPG_WORKSPACE: 'c' })).toContain('/workspaces/d/')
    expect(await paths(['get', 'servers'])).toContain('/workspaces/default/')
  })

  test('variables of switches, choices and lists are read as such', async () => {
    expect(JSON.parse((await ctl(['sttaus'], { variables: { MCPG_JSON: 'true' } })).stderr)).toMatchObject({ code: 'invalid' })
    expect((await ctl(['version'], { variables: { MCPG_OUTPUT: 'xml', MCPG_CP_URL: 'http://127.0.0.1:1' } })).stderr).toContain(
      'MCPG_OUTPUT=xml',
    )
    expect((await ctl(['version'], { variables: { MCPG_QUIET: 'perhaps' } })).stderr).toContain('neither true nor false')
    expect((await ctl(['apply'], { variables: { MCPG_FILE: '/nope-1.yaml' } })).stderr).toContain('/nope-1.yaml')
  })

  test('a secret typed as a flag is warned about once, on a terminal only, and never printed', async () => {
    const args = ['get', 'servers', '--token', 'mcpg_pat_secret', '--cp-url', 'http://127.0.0.1:1']
    const onTerminal = await ctl(args, { tty: true })
    expect(onTerminal.stderr.match(/warning: --token .* use MCPG_TOKEN/g)).toHaveLength(1)
    expect(onTerminal.stderr).not.toContain('mcpg_pat_secret')
    expect((await ctl(args)).stderr).not.toContain('warning')
  })
})

test('version answers without a control plane and with one', async () => {
  const rest = await fakeRest()
  expect((await ctl(['version'], { variables: rest.variables })).stdout).toContain('9.9.9')
  expect(await ctl(['version', '--cp-url', 'http://127.0.0.1:1'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('not reached') as string,
  })
})

describe('completion', () => {
  const complete = async (...words: string[]) =>
    (await ctl(['__complete', '--', ...words], { variables: { MCPG_CP_URL: 'http://127.0.0.1:1' } })).stdout.split('\n').filter(Boolean)

  test('knows commands, flags, values and kinds without a control plane', async () => {
    expect(await complete('st')).toEqual(['status', 'stop'])
    expect(await complete('server', '')).toEqual(['restart', 'start', 'stop', 'upgrade'])
    expect(await complete('apply', '--dr')).toEqual(['--dry-run'])
    expect(await complete('get', 'servers', '-o', 'j')).toEqual(['json'])
    expect(await complete('get', 'serv')).toEqual(expect.arrayContaining(['servers', 'serviceaccounts']))
    expect(await complete('--workspace', 'x', 'get', 'to')).toEqual(['tokens', 'tools'])
    expect(await complete('get', 'servers', '')).toEqual([])
  })

  test('knows names from the control plane', async () => {
    const rest = await fakeRest()
    rest.put({ kind: 'Server', metadata: { name: 'echo' }, spec: {} })
    const words = async (...args: string[]) => (await ctl(['__complete', '--', ...args], { variables: rest.variables })).stdout
    expect(await words('describe', 'server', 'e')).toBe('echo\n')
    expect(await words('wait', 'servers/')).toBe('servers/echo\n')
    expect(await words('server', 'restart', '')).toBe('echo\n')
    expect(await words('logs', '')).toBe('control-plane\necho\ngateway/\ninstance/\n')
    expect(await words('logs', 'server/')).toBe('server/echo\n')
  })

  test.each(['bash', 'zsh', 'fish', 'powershell'])('prints a script for %s', async (shell) => {
    expect((await ctl(['completion', shell])).stdout).toContain('mcpg-ctl __complete --')
  })
})

test('explain shows the fields of a kind, down to one, and guesses', async () => {
  expect((await ctl(['explain', 'server.spec.package'])).stdout).toMatch(/runtime \* +<node \| python>/)
  expect(await ctl(['explain', 'server.pakage'])).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('did you mean package?') as string,
  })
})
