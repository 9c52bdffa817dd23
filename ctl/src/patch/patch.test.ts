import { kinds } from '@mcpg/proto/kinds'
import { serverKind } from '@mcpg/proto/kinds/server'
import { kindExamples } from '@mcpg/proto/test/kind-examples'
import { beforeEach, describe, expect, test } from 'vitest'
import { ctl } from '../../test/env.ts'
import { fakeRest } from '../../test/fake-rest.ts'
import { readPatch } from './read-patch.ts'

describe('what a patch says', () => {
  const said = (...words: string[]) => readPatch(serverKind, words)

  test.each<[string, object]>([
    ['state=stopped', { spec: { state: 'stopped' } }],
    ['spec.required=false', { spec: { required: false } }],
    ['maxSessions=3', { spec: { maxSessions: 3 } }],
    ['cwd=null', { spec: { cwd: null } }],
    ['cwd=a=b', { spec: { cwd: 'a=b' } }],
    ['env=[{"name":"A","value":"1"}]', { spec: { env: [{ name: 'A', value: '1' }] } }],
    ['placement.gatewaySelector.mcpg.dev/role=edge', { spec: { placement: { gatewaySelector: { 'mcpg.dev/role': 'edge' } } } }],
    ['labels.mcpg.dev/tier=1', { metadata: { labels: { 'mcpg.dev/tier': '1' } } }],
    ['metadata.annotations."a.b"=null', { metadata: { annotations: { 'a.b': null } } }],
    ['url=https://x.example/mcp', { spec: { url: { url: 'https://x.example/mcp' }, command: null, package: null } }],
    ['url.transport=auto', { spec: { url: { transport: 'auto' }, command: null, package: null } }],
  ])('%s', (word, patch) => {
    expect(said(word)).toEqual({ patch, violations: [] })
  })

  test('tells everything that is wrong with it at once', () => {
    const { violations } = said('staet=running', 'env.0.value=a', 'url.url.x=1', 'metadata.name=x', 'a..b=1', 'placement=')
    expect(violations.map(({ pointer, detail }) => `${pointer} ${detail}`)).toEqual([
      'staet is an unknown field; did you mean state?',
      "env.0.value is inside a list, which is replaced as a whole: env='[…]'; single entries are changed by edit",
      'url.url.x is no field: url holds no others',
      'metadata.name cannot be changed; of the metadata only labels.<key> and annotations.<key> can',
      'a..b is no path of fields; write a.b or a."key.with.dots"',
      'placement must be JSON or field=value,field=value; fields: environments, gatewaySelector',
    ])
  })

  test.each(kinds.filter(({ virtual }) => !virtual))('reaches every field of $kind', (kind) => {
    const { base, flips } = kindExamples[kind.kind]!
    for (const pair of Object.values(flips))
      for (const flip of pair)
        for (const [field, value] of Object.entries(kind.oneOf.length > 0 ? flip : { ...base, ...flip })) {
          const { patch, violations } = readPatch(kind, [`${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`])
          expect([patch.spec?.[field], violations]).toEqual([value, []])
        }
  })
})

describe('patch', () => {
  let rest: Awaited<ReturnType<typeof fakeRest>>
  beforeEach(async () => {
    rest = await fakeRest()
    for (const name of ['git-a', 'git-b', 'other'])
      rest.put({ kind: 'Server', metadata: { name, labels: { team: name.at(-1)! } }, spec: { command: ['x'], state: 'running' } })
  })
  const run = (args: string[], more: Parameters<typeof ctl>[1] = {}) =>
    ctl(['patch', ...args], { ...more, variables: { ...rest.variables, ...more.variables } })
  const spec = (name: string) => rest.get('Server', name)?.spec

  test('changes what is named, by name, glob or label, and nothing else', async () => {
    expect(await run(['server/git-a', 'state=stopped'])).toMatchObject({ code: 0, stdout: 'server/git-a patched\n' })
    const both = await run(['servers', 'git*', 'state=stopped', 'labels.seen=yes'])
    expect(both).toMatchObject({ code: 0, stdout: 'server/git-a patched\nserver/git-b patched\n' })
    expect(spec('git-b')).toEqual({ command: ['x'], state: 'stopped' })
    expect(rest.get('Server', 'git-b')?.metadata.labels).toEqual({ team: 'b', seen: 'yes' })
    expect(await run(['servers', '-l', 'team=r', 'callTimeout=5s', '-o', 'name'])).toMatchObject({ code: 0, stdout: 'server/other\n' })
    expect(spec('other')).toEqual({ command: ['x'], state: 'running', callTimeout: '5s' })
  })

  test('says what is unchanged, and writes nothing on a dry run', async () => {
    expect(await run(['server', 'git-a', 'state=running'])).toMatchObject({ code: 0, stdout: 'server/git-a unchanged\n' })
    expect(await run(['server', 'git-a', 'state=stopped', '--dry-run'])).toMatchObject({
      code: 0,
      stdout: 'server/git-a would be patched\n',
    })
    expect(spec('git-a')).toEqual({ command: ['x'], state: 'running' })
  })

  test('tells what was refused, and does the rest', async () => {
    rest.put({ kind: 'Server', metadata: { name: 'git-a' }, spec: { command: 'refused' } })
    const done = await run(['servers', 'git*', 'state=stopped'])
    expect(done).toMatchObject({ code: 2, stdout: 'server/git-b patched\n' })
    expect(done.stderr).toMatch(
      /error: 1 of 2 objects was not changed\.\n {2}server\/git-a: It is invalid\.\n +\/spec\/command: is refused/,
    )
  })

  test.each([
    [['server', 'git-a'], /What to change is missing/],
    [['servers', 'state=stopped'], /No name is given[\s\S]*all of them: mcpg-ctl patch servers '\*' state=stopped/],
    [['server', 'git-a', 'nope=1'], /nope: is an unknown field/],
    [['gateway', 'x', 'a=b'], /Gateway objects are reported, not edited/],
  ])('refuses %j before anything is asked', async (args, message) => {
    expect(await run(args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) as string })
    expect(rest.seen).toEqual([])
  })

  test('takes a value of a secret from the environment, and warns of one that is typed', async () => {
    rest.put({ kind: 'Secret', metadata: { name: 'gh' }, spec: { data: { token: { keep: true } } } })
    await run(['secret', 'gh', 'data.token={"fromEnv":"GH"}'], { variables: { GH: 'planted' } })
    expect(rest.seen.at(-1)?.body).toEqual({ spec: { data: { token: 'planted' } } })
    const missing = await run(['secret', 'gh', 'data.token={"fromEnv":"NONE"}'])
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('wants the variable NONE, which is not set') as string })
    const typed = await run(['secret', 'gh', 'data.token=planted-2'], { tty: true })
    expect(typed.stderr).toContain('warning: a value of a secret on the command line can be read by others')
    expect(typed.stdout + typed.stderr).not.toContain('planted-2')
  })
})
