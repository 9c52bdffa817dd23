import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { ctl } from '../test/env.ts'
import { fakeRest } from '../test/fake-rest.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
beforeEach(async () => {
  rest = await fakeRest()
  for (const name of ['git-a', 'git-b', 'other'])
    rest.put({ kind: 'Server', metadata: { name, labels: { team: name } }, spec: { command: ['x'] } })
  rest.put({ kind: 'Secret', metadata: { name: 'gh' }, spec: { data: { token: { keep: true } } } })
})
const run = (...args: string[]) => ctl(args, { variables: rest.variables })

async function written(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcpg-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'm.yaml'), text)
  return join(folder, 'm.yaml')
}

describe('get and describe', () => {
  test('take names of several kinds, and say the kind where there are several', async () => {
    expect((await run('get', 'server/git-a', 'secret/gh', 'server/other', '-o', 'name')).stdout).toBe(
      'server/git-a\nserver/other\nsecret/gh\n',
    )
    expect((await run('get', 'all')).stdout).toMatch(/^NAME +KEYS[\s\S]*\nsecret\/gh[\s\S]*\nserver\/git-a /)
    expect((await run('get', 'servers', 'git-a')).stdout).toMatch(/\ngit-a /)
    expect((await run('describe', 'server/git-a', 'secret/gh', '-o', 'name')).stdout).toBe('server/git-a\nsecret/gh\n')
    expect((await run('describe', 'servers', '-l', 'team=other')).stdout).toMatch(/^Kind: +Server\nName: +other\n/)
  })

  test('show all there is, and all that makes a project; as YAML only what can be applied', async () => {
    rest.put({ kind: 'Gateway', metadata: { name: 'edge' }, spec: {} })
    rest.put({ kind: 'Project', metadata: { name: 'web' }, spec: { servers: ['git-a'] } })
    rest.put({ kind: 'Prompt', metadata: { name: 'hi', project: 'web' }, spec: { content: 'x' } })
    rest.put({ kind: 'Prompt', metadata: { name: 'ho', project: 'other' }, spec: { content: 'x' } })
    expect((await run('get', 'all', '-o', 'name')).stdout).toMatch(/secret\/gh[\s\S]*gateway\/edge/)
    const { stdout } = await run('get', 'all', '-o', 'yaml')
    expect(stdout).not.toContain('gateways:')
    expect(await run('apply', '--dry-run=client', '-f', await written(stdout))).toMatchObject({ code: 0, stdout: '7 objects are valid\n' })
    expect((await run('get', 'all', '-p', 'web', '-o', 'name')).stdout).toBe('server/git-a\nproject/web\nprompt/hi\n')
    expect(await run('get', 'all', '-p', 'none')).toMatchObject({ code: 5 })
  })

  test('name every object that is not there, also beside globs', async () => {
    const unknown = { code: 5, stdout: '', stderr: 'error: There is no Server nope or none.\nhint: mcpg-ctl get servers\n' }
    expect(await run('get', 'servers', 'nope', 'git-a', 'none')).toEqual(unknown)
    expect(await run('get', 'servers', 'nope', 'git*', 'none')).toEqual(unknown)
    expect(await run('get', 'servers', 'x*')).toMatchObject({ code: 0, stderr: 'no servers found\n' })
  })

  test('show the status of a kind without words of its own in sections', async () => {
    const condition = { type: 'Ready', status: 'False', reason: 'Broken', message: 'no model', lastTransitionTime: '2026-01-01T00:00:00Z' }
    const links = [
      { prompt: 'a', state: 'alive' },
      { prompt: 'b', state: 'dead', reason: 'gone' },
    ]
    rest.put(
      { kind: 'Enrollment', metadata: { name: 'fast' }, spec: {} },
      { observedGeneration: 1, gateways: [], links, conditions: [condition] },
    )
    const { stdout } = await run('describe', 'enrollment', 'fast')
    expect(stdout).toMatch(/Links:\n +PROMPT +STATE +REASON\n +a +alive\n +b +dead +gone\n\nConditions:\n +TYPE .*\n +Ready +False +Broken/)
    expect(stdout).not.toMatch(/Observed|\[\]|\{\}/)
    expect(JSON.parse((await run('describe', 'enrollment', 'fast', '-o', 'json')).stdout)).toMatchObject({
      status: { observedGeneration: 1 },
    })
  })
})

describe('delete', () => {
  test('takes globs of several kinds, asks for them by name, and goes on where one waits for another', async () => {
    rest.put({ kind: 'Server', metadata: { name: 'git-a' }, spec: { command: ['x'], uses: 'gh' } })
    const asked = await run('delete', 'secrets,servers', 'g*')
    expect(asked.stderr).toContain('Delete secret/gh, server/git-a, server/git-b? Nobody can be asked here.')
    const done = await run('delete', 'secrets,servers', 'g*', '--yes')
    expect(done).toMatchObject({ code: 0, stdout: 'server/git-a deleted\nserver/git-b deleted\nsecret/gh deleted\n' })
  })

  test('names what was refused, with the code of the first', async () => {
    rest.put({ kind: 'Server', metadata: { name: 'other' }, spec: { command: ['x'], uses: 'gh' } })
    const done = await run('delete', 'secret/gh', 'server/git-a', '--yes')
    expect(done).toMatchObject({ code: 6, stdout: 'server/git-a deleted\n' })
    expect(done.stderr).toContain('error: 1 of 2 objects was not deleted.\n  secret/gh: Secret gh is used by Server other.')
    expect(await run('delete', 'secret/gh', '--cascade', '--yes')).toMatchObject({ code: 0, stdout: 'secret/gh deleted\n' })
  })

  test('writes nothing on a dry run, and takes what is gone for done if told so', async () => {
    expect(await run('delete', 'servers', '*', '--dry-run')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('other would be deleted') as string,
    })
    expect(rest.get('Server', 'other')).toBeDefined()
    expect(await run('delete', 'server', 'none', '--yes')).toMatchObject({ code: 5 })
    expect(await run('delete', 'server', 'none', '--yes', '--ignore-not-found')).toMatchObject({
      code: 0,
      stderr: 'nothing to delete: nothing matches server none\n',
    })
  })
})

test('objects of projects are found without -p, and changed only where it is clear which', async () => {
  rest.put({ kind: 'Prompt', metadata: { name: 'hi', project: 'web' }, spec: { content: 'x' } })
  expect((await run('get', 'prompt', 'hi', '-o', 'name')).stdout).toBe('prompt/hi\n')
  expect((await run('describe', 'prompt/hi')).stdout).toMatch(/Scope: +default\/default\/project web\n/)
  expect(await run('get', 'prompt', 'nope')).toMatchObject({ code: 5 })
  const list = rest.twin('Prompt', 'hi', 'other')
  expect(list).toBe(2)
  for (const line of [
    ['patch', 'prompt', 'hi', 'priority=3'],
    ['delete', 'prompt', 'hi', '--yes'],
    ['edit', 'prompt', 'hi'],
  ])
    expect(await run(...line)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('prompt/hi is in several projects: web, other') as string,
    })
})

test('wait takes a kind and names, and globs of what is there', async () => {
  rest.setStatus('Server', 'git-a', { gateways: [{ gateway: 'g', state: 'stopped' }] })
  expect(await run('wait', 'server', 'git-a', '--for=state=stopped')).toMatchObject({ code: 0, stdout: 'server/git-a condition met\n' })
  expect(await run('wait', 'server/*-a', '--for=state=stopped')).toMatchObject({ code: 0, stdout: 'server/git-a condition met\n' })
  expect(await run('wait', 'servers', 'x*', '--for=state=stopped')).toMatchObject({ code: 5 })
  expect(await run('wait', 'servers', 'x*', '--for=delete')).toMatchObject({ code: 0 })
  expect(await run('wait', 'servers', '--for=delete')).toMatchObject({ code: 2 })
})

test('explain lists the kinds, and shows metadata, status and fields inside fields', async () => {
  expect((await run('explain')).stdout).toMatch(/^NAME +KIND[\s\S]*\nservers +Server +server, srv /)
  expect((await run('explain', 'server', '-r')).stdout).toMatch(/\nurl\.headers\.valueFrom\.secretRef\.key \* +<text>/)
  expect((await run('explain', 'server.status.conditions')).stdout).toMatch(/field: status\.conditions[\s\S]*lastTransitionTime/)
  expect((await run('explain', 'secret.metadata')).stdout).toMatch(/resourceVersion/)
})

test('a wrong word is answered with the help of the command before it', async () => {
  expect((await run('frobnicate', 'server', 'x')).stderr).toContain('hint: mcpg-ctl --help')
  expect((await run('--org', 'a', 'server', 'frobnicate')).stderr).toContain('hint: mcpg-ctl server --help')
})
