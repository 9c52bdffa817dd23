import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { ctl } from '../../test/env.ts'
import { fakeRest } from '../../test/fake-rest.ts'
import { cachedNames } from './name-cache.ts'
import { ownFunction } from './own-function.ts'
import { scripts } from './scripts.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
let folder: string
beforeEach(async () => {
  rest = await fakeRest()
  folder = mkdtempSync(join(tmpdir(), 'mcpg-complete-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const name of ['git-a', 'git-b', 'other']) rest.put({ kind: 'Server', metadata: { name }, spec: { command: ['x'] } })
  rest.put({ kind: 'Gateway', metadata: { name: 'edge' }, spec: {} })
  rest.put({ kind: 'Template', metadata: { name: 'tpl' }, spec: {} })
})
/** These machines are busy. */
const patient = { MCPG_PATIENCE: '20000' }
/** The state dir is a fresh folder, so that one test's names are not the next one's. */
const complete = async (...words: string[]) =>
  (await ctl(['__complete', '--', ...words], { variables: { ...rest.variables, MCPG_STATE_DIR: folder, ...patient } })).stdout
    .split('\n')
    .filter(Boolean)

describe('what may follow', () => {
  test.each<[string, string[]]>([
    ['get serve', ['serverattachments', 'servers']],
    ['get srv git', ['git-a', 'git-b']],
    ['get servers git-a ot', ['other']],
    ['get server/o', ['server/other']],
    ['get secrets,servers', ['secrets,servers']],
    ['get work', ['workspaces']],
    ['delete al', ['all']],
    ['edit server git', ['git-a', 'git-b']],
    ['patch server git-a st', ['startTimeout=', 'state=', 'stopGrace=']],
    ['patch server/git-a req', ['required=']],
    ['wait server/git', ['server/git-a', 'server/git-b']],
    ['wait server/git-a --for d', ['delete']],
    ['explain server.pla', ['server.placement']],
    ['explain server.url.headers.', ['server.url.headers.name', 'server.url.headers.value', 'server.url.headers.valueFrom']],
    ['create tem', ['template']],
    ['create server x --from-t', ['--from-template']],
    ['create server x --from-template t', ['tpl']],
    ['create server x --from git', ['git-a', 'git-b']],
    ['logs gateway/', ['gateway/edge']],
    ['rollback ', ['gateway/edge']],
    ['import cur', ['cursor']],
    ['can-i rev', ['reveal-secrets']],
    ['can-i view servers', ['servers']],
    ['project connect vs', ['vscode']],
    ['get servers -o j', ['json']],
    ['get servers --output=j', ['--output=json']],
    ['get servers --outp', ['--output']],
    ['nonsense x', []],
    ['get nonsense x', []],
  ])('%s', async (line, words) => {
    expect(await complete(...line.split(' '))).toEqual(words)
  })

  test('an empty word of PowerShell', async () => {
    expect(await complete('get', 'servers', '""')).toEqual(['git-a', 'git-b', 'other'])
  })

  test('every name over all pages', async () => {
    for (let index = 0; index < 510; index++) rest.put({ kind: 'Server', metadata: { name: `many-${index}` }, spec: { command: ['x'] } })
    expect(await complete('get', 'servers', 'many-')).toHaveLength(510)
  })

  test('nothing where something else answers, or nobody in time', async () => {
    const server = createServer((_request, response) => void response.end('<html>')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const asked = (port: number, patience: string) =>
      ctl(['__complete', '--patience', patience, '--', 'get', 'servers', ''], {
        variables: { MCPG_STATE_DIR: folder, MCPG_CP_URL: `http://127.0.0.1:${port}` },
      })
    const { port } = server.address() as AddressInfo
    expect(await asked(port, '5000')).toEqual({ code: 0, stdout: '', stderr: '' })
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    onTestFinished(() => (silent.closeAllConnections(), void silent.close()))
    await once(silent, 'listening')
    expect(await asked((silent.address() as AddressInfo).port, '50')).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('is looked for where the words before say', async () => {
    await complete('get', 'servers', '--org', 'acme', '--workspace=shop', '')
    expect(rest.seen.at(-1)?.path).toBe('/v1/orgs/acme/workspaces/shop/servers')
  })
})

describe('names', () => {
  test('are kept for a moment, so that a second key needs no answer', async () => {
    expect(await complete('get', 'servers', 'g')).toEqual(['git-a', 'git-b'])
    const asked = rest.seen.length
    expect(await complete('get', 'servers', '')).toEqual(['git-a', 'git-b', 'other'])
    expect(rest.seen).toHaveLength(asked)
    const [file = ''] = readdirSync(join(folder, 'cache', 'completion'))
    expect(readFileSync(join(folder, 'cache', 'completion', file), 'utf8')).toContain('"git-a"')
  })

  test('that are old serve while there is no answer, and are asked for again', async () => {
    const list = async (names: string[] | null, now: number) => await cachedNames(folder, ['k'], async () => names, now)
    expect(await list(['a'], 0)).toEqual(['a'])
    expect(await list(['b'], 1_000)).toEqual(['a'])
    expect(await list(null, 6_000)).toEqual(['a'])
    expect(await list(['b'], 6_000)).toEqual(['b'])
    expect(await list(null, 90_000_000)).toEqual([])
    expect(await cachedNames(folder, ['another'], async () => null, 0)).toEqual([])
  })

  test('make no state dir', async () => {
    expect(await cachedNames(join(folder, 'none'), ['k'], async () => ['a'])).toEqual(['a'])
    expect(readdirSync(folder)).toEqual([])
  })
})

const shells = (['bash', 'zsh', 'fish'] as const).map((shell) => ({ shell, isMissing: spawnSync(shell, ['-c', 'true']).status !== 0 }))

/** A program that puts the line into the shell as it stands before the cursor, and prints what the shell would offer. */
const drivers = {
  bash: (line: string, parts: string[]) =>
    `${scripts.bash}\nCOMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=(${parts.map((part) => `'${part}'`).join(' ')}) COMP_CWORD=${parts.length - 1}
    _mcpg_ctl; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: (_line: string, _parts: string[], words: string[]) =>
    `compdef() { :; }; _files() { print FILES; }; compadd() { local array=\${@[-1]}; print -l -- \${(P)array}; }
    ${scripts.zsh}\nwords=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length}; _mcpg_ctl`,
  fish: (line: string) => `${scripts.fish}\ncomplete -C '${line}'`,
}

describe.each(shells)('completion in $shell', ({ shell, isMissing }) => {
  async function offered(line: string, parts = line.split(' ')): Promise<string[]> {
    const bin = join(folder, 'bin')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, 'mcpg-ctl'), `#!/bin/sh\nexec '${process.execPath}' '${join(import.meta.dirname, '../main.ts')}' "$@"\n`)
    chmodSync(join(bin, 'mcpg-ctl'), 0o755)
    const env = { PATH: `${bin}:${process.env['PATH']}`, HOME: folder, ...rest.variables, MCPG_STATE_DIR: folder, ...patient }
    const child = spawn(shell, [...(shell === 'zsh' ? ['-f'] : []), '-c', drivers[shell](line, parts, line.split(' '))], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
    return output.split('\n').filter(Boolean).sort()
  }

  test.skipIf(isMissing)('names of the control plane are offered', async () => {
    expect(await offered('mcpg-ctl get servers gi')).toEqual(['git-a', 'git-b'])
    // Bash takes the word apart at the = and wants only what comes behind.
    const isBash = shell === 'bash'
    const parts = isBash ? ['mcpg-ctl', 'get', '--output', '=', 'js'] : undefined
    expect(await offered('mcpg-ctl get --output=js', parts)).toEqual([isBash ? 'json' : '--output=json'])
  })

  test.skipIf(isMissing)('a script of a clone brings the program along', async () => {
    const self = [process.execPath, join(import.meta.dirname, '../main.ts')]
    const { stdout, stderr } = await ctl(['completion', shell], { variables: { PATH: folder } })
    expect(stdout.trim().split('\n').at(-1)).toBe(ownFunction(shell, self))
    expect(stderr).toContain('no mcpg-ctl is on PATH')
    const odd = [process.execPath, '-e', `console.log('it\\'s', process.argv.at(-1))`]
    const child = spawn(shell, [...(shell === 'zsh' ? ['-f'] : []), '-c', `${ownFunction(shell, odd)}\nmcpg-ctl 'a b'`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect(output).toBe("it's a b\n")
  })
})
