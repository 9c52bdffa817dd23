import { afterEach, describe, expect, it } from 'vitest'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigServer, type ConfigServerInput } from '@mcpg/proto/gateway-config'
import { loadPolicy, policyOf, PolicyFile } from './policy.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function load(text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'mcpg-policy-'))
  folders.push(folder)
  await writeFile(join(folder, 'policy.yaml'), text)
  return loadPolicy(join(folder, 'policy.yaml'))
}

function rule(rules: Partial<PolicyFile>, server: Omit<ConfigServerInput, 'name'>): string | undefined {
  return policyOf(PolicyFile.parse(rules)).check(ConfigServer.parse({ name: 's', ...server }))?.rule
}

const run = (...command: string[]) => ({ command })
const node = (name: string, more = {}) => ({ package: { runtime: 'node' as const, name, ...more } })
const remote = (url: string) => ({ url: { url } })

describe('a policy file', () => {
  it('allows everything but install scripts when it is absent', async () => {
    const { rules } = await loadPolicy('/nowhere/policy.yaml')
    expect(rules).toEqual({ allowRemoteCalls: true, allowInstallScripts: false })
    expect((await load('')).rules).toEqual(rules)
  })

  it.each([
    ['an unknown field', 'comands: []', 'comands'],
    ['a word where a list belongs', 'commands: npx', 'commands'],
    ['something that is not YAML', 'a: [', 'not YAML'],
    ['a key given twice', 'urls: []\nurls: []', 'not YAML'],
  ])('is refused with %s', async (_, text, named) => {
    await expect(load(text)).rejects.toMatchObject({ code: 'invalid', reason: 'invalid_policy', message: expect.stringContaining(named) })
  })
})

describe('a rule', () => {
  it.each<[string | undefined, Partial<PolicyFile>, Omit<ConfigServerInput, 'name'>]>([
    [undefined, {}, run('anything', '/etc/passwd')],
    ['runtimes', { runtimes: ['node', 'python'] }, run('npx')],
    [undefined, { runtimes: ['node', 'python'] }, node('x')],
    ['runtimes', { runtimes: [] }, remote('https://a.example.com/mcp')],
    [undefined, { commands: ['/usr/bin/*'] }, run('/usr/bin/env')],
    ['commands', { commands: ['/usr/bin/*'] }, run('/usr/bin/sub/env')],
    ['commands', { commands: ['env'] }, run('/tmp/env')],
    [undefined, { commands: [] }, node('x')],
    [undefined, { packages: ['@scope/*'] }, node('@scope/server')],
    ['packages', { packages: ['@scope/*'] }, node('@other/server')],
    [undefined, { packages: ['@scope/server@1.2.*'] }, node('@scope/server', { version: '1.2.3' })],
    ['packages', { packages: ['@scope/server@1.2.*'] }, node('@scope/server')],
    ['allowInstallScripts', {}, node('x', { allowScripts: true })],
    [undefined, { allowInstallScripts: true }, node('x', { allowScripts: true })],
    [undefined, { urls: ['https://*.example.com/**'] }, remote('https://api.example.com/v1/mcp?x=1')],
    ['urls', { urls: ['https://*.example.com/**'] }, remote('https://evil.org/.example.com/')],
    ['urls', { urls: ['https://*.example.com/**'] }, remote('https://evil.org?.example.com/')],
    ['urls', { urls: ['https://*.example.com/**'] }, remote('https://x.example.com@evil.org/mcp')],
    ['urls', { urls: ['https://*.example.com/**'] }, remote('http://api.example.com/mcp')],
    [undefined, { paths: ['/srv/**'] }, run('server', '/srv/data', '--verbose')],
    ['paths', { paths: ['/srv/**'] }, run('server', '/srv/../etc')],
    ['paths', { paths: ['/srv/**'] }, run('server', '--root=/etc')],
    ['paths', { paths: ['/srv/**'] }, { ...run('server', '../../etc'), cwd: '/srv/data' }],
    ['paths', { paths: ['/srv/**'] }, { ...run('server'), cwd: '/home/me' }],
    ['paths', { paths: ['/srv/**'] }, node('x', { args: ['file:///etc/passwd'] })],
    ['paths', { paths: ['/srv/**'] }, node('x', { args: ['~/secrets'] })],
  ])('answers %s to %o for %o', (expected, rules, server) => {
    expect(rule(rules, server)).toBe(expected)
  })

  it('is named with its server', () => {
    const violation = policyOf(PolicyFile.parse({ commands: [] })).check(ConfigServer.parse({ name: 'shell', command: ['sh'] }))
    expect(violation).toEqual({ server: 'shell', rule: 'commands', message: expect.stringMatching(/server shell.*sh.*"commands"/) })
  })
})
