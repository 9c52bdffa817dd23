import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ctl } from '../test/env.ts'
import { fakeRest } from '../test/fake-rest.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
let folder: string
beforeEach(async () => {
  rest = await fakeRest()
  folder = mkdtempSync(join(tmpdir(), 'mcpg-ctl-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const run = (args: string[], variables: Record<string, string> = {}, stdin = '') =>
  ctl(args, { variables: { ...rest.variables, ...variables }, cwd: folder, stdin })
const file = (name: string, text: string) => writeFileSync(join(folder, name), text)

describe('a manifest of secrets', () => {
  test('takes values from the environment and from files beside it, and sends the values only', async () => {
    file('token.txt', 'planted-file\n')
    file(
      'm.yaml',
      'secrets:\n  - name: github\n    data:\n      token: { fromEnv: TOKEN }\n      key: { fromFile: token.txt }\n      old: { keep: true }\n      text: plain\n',
    )
    expect((await run(['apply', '-f', 'm.yaml'], { TOKEN: 'planted-env' })).code).toBe(0)
    expect(rest.seen.at(-1)?.body).toMatchObject({
      objects: [{ spec: { data: { token: 'planted-env', key: 'planted-file', old: { keep: true }, text: 'plain' } } }],
    })
  })

  test('names every missing variable and file at once, with line and column, and sends nothing', async () => {
    file('bin', '')
    writeFileSync(join(folder, 'bin'), Buffer.from([0xff, 0xfe]))
    file(
      'm.yaml',
      'secrets:\n  - name: github\n    data:\n      token: { fromEnv: TOKEN }\n      key: { fromFile: none.txt }\n      bin: { fromFile: bin }\n',
    )
    const { code, stderr } = await run(['apply', '-f', 'm.yaml'])
    expect(code).toBe(2)
    expect(stderr).toContain('m.yaml:4:7: secret/github key token wants the variable TOKEN, which is not set')
    expect(stderr).toContain('m.yaml:5:7: secret/github key key wants none.txt, which is not there')
    expect(stderr).toContain('m.yaml:6:7: secret/github key bin wants bin, which is not text in UTF-8')
    expect(stderr).toContain('hint: mcpg-ctl explain')
    expect(rest.seen).toEqual([])
    expect((await run(['delete', '-f', 'm.yaml', '--yes'])).stderr).not.toContain('TOKEN')
  })

  test('hints at the variables where nothing else is missing', async () => {
    file('m.yaml', 'secrets:\n  - name: a\n    data: { x: { fromEnv: ONE }, y: { fromEnv: TWO }, z: { fromEnv: ONE } }\n')
    const hint = 'hint: set ONE, TWO in the environment of this command (ONE=… mcpg-ctl …)'
    expect(await run(['apply', '-f', 'm.yaml'])).toMatchObject({ code: 2, stderr: expect.stringContaining(hint) as string })
    const made = await run(['create', 'secret', 'a', '--from-env', 'x=ONE'])
    expect(made.stderr).toContain('hint: set ONE in the environment of this command')
  })

  test('is compared without showing a value', async () => {
    file('m.yaml', 'secrets:\n  - name: github\n    data:\n      token: planted-text\n')
    const { code, stdout, stderr } = await run(['diff', '-f', 'm.yaml'])
    expect(code).toBe(1)
    expect(stdout + stderr).not.toContain('planted-text')
    expect(stdout).toContain('+      token: (changed)')
  })
})

describe('create secret', () => {
  test('takes values from everywhere, each key once', async () => {
    file('a.txt', 'planted-a')
    file('more.env', '# comment\nx=planted-x\n\ny=planted=y\n')
    const args = ['--from-file', 'k=a.txt', '--from-env', 'TOKEN', '--from-stdin', 'in', '--data', 'd=planted-d', '--data-file', 'more.env']
    const { code, stdout } = await run(['create', 'secret', 'github', ...args], { TOKEN: 'planted-env' }, 'planted-in\n')
    expect([code, stdout]).toEqual([0, 'secret/github created\n'])
    expect(rest.seen.at(-1)).toMatchObject({
      method: 'POST',
      path: '/v1/orgs/default/workspaces/default/secrets',
      body: {
        metadata: { name: 'github' },
        spec: { data: { k: 'planted-a', TOKEN: 'planted-env', in: 'planted-in', d: 'planted-d', x: 'planted-x', y: 'planted=y' } },
      },
    })
    const twice = await run(['create', 'secret', 'github', '--data', 'd=a', '--data', 'd=b', '--from-env', 'NONE'])
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('gives the key d a second time')])
    expect(twice.stderr).toContain('the variable NONE, which is not set')
  })

  test('warns a person once that --data can be read by others, and says what else there is when nothing is given', async () => {
    const options = { variables: rest.variables, cwd: folder, tty: true }
    expect((await ctl(['create', 'secret', 'github', '--data', 'd=planted'], options)).stderr).toMatch(
      /^warning: --data can be read by others/,
    )
    expect((await run(['create', 'secret', 'github'])).stderr).toContain('--from-env token=GITHUB_TOKEN')
  })
})

describe('secret reveal', () => {
  test('asks, and without a terminal wants --yes', async () => {
    rest.put({ kind: 'Secret', metadata: { name: 'github' }, spec: { data: { token: { keep: true } } } })
    const { code, stderr } = await run(['secret', 'reveal', 'github'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('--yes')])
    expect(rest.seen).toEqual([])
  })
})
