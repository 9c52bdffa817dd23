import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../harness/cleanup.ts'
import { ctl as run, fastTimers, startControlPlane } from '../harness/programs.ts'
import { probeAccess } from '../scenarios/access-probe.ts'
import { probeMcp } from '../scenarios/mcp-probe.ts'

it('tells nobody what they may not know, whichever operation they try', async () => {
  const { wrong, cells, requests } = await probeAccess({ every: 7 })
  expect(wrong).toEqual([])
  expect(Math.min(cells, requests)).toBeGreaterThan(100)
}, 180_000)

it('shows everybody what of MCP is theirs, at the endpoint and through the control plane', async () => {
  const { wrong, cells } = await probeMcp({ every: 3, env: { MCPG_TIMERS: fastTimers } })
  expect(wrong).toEqual([])
  expect(cells).toBeGreaterThan(300)
}, 180_000)

it('lets an admin bring somebody in, give them a role through a group, see what that gives, and take it away', async () => {
  const stateDir = temporaryFolder()
  const controlPlane = await startControlPlane({ stateDir, args: ['--auth-mode', 'local'] })
  const ada = (args: string[], stdin?: string) => run(args, { stateDir, ...(stdin === undefined ? {} : { stdin }) })
  const laptop = temporaryFolder()
  const eve = (args: string[], stdin?: string) =>
    run([...args, '--cp-url', controlPlane.http], { stateDir: laptop, ...(stdin === undefined ? {} : { stdin }) })
  const done = async (args: string[], stdin?: string) => {
    const { code, stderr, stdout } = await ada(args, stdin)
    expect([args, code, stderr]).toEqual([args, 0, expect.any(String)])
    return stdout
  }
  expect(readFileSync(join(stateDir, 'setup-code'), 'utf8')).toMatch(/./)
  await done(['login', '--username', 'ada@example.com', '--password-stdin'], 'correct horse battery\n')

  // 1 somebody new signs in and may do nothing
  const wrongName = await ada(['create', 'user', 'Eve@Example.com'])
  expect([wrongName.code, wrongName.stderr]).toEqual([2, expect.stringContaining('must be an e-mail in lower case')])
  await done(['create', 'user', 'eve@example.com', '--display-name', 'Eve'])
  await done(['passwd', 'eve@example.com', '--password-stdin'], 'another long password\n')
  expect((await eve(['login', '--username', 'eve@example.com', '--password-stdin'], 'another long password\n')).code).toBe(0)
  expect([(await eve(['get', 'servers'])).code, (await eve(['get', 'all'])).code]).toEqual([3, 3])
  expect(await eve(['can-i', 'view', 'servers'])).toMatchObject({ code: 1, stdout: 'no\n' })

  // 2 a group, and a role for it in one workspace
  await done(['create', 'group', 'dev', '--member', 'eve@example.com'])
  const binding = ['create', 'rolebinding', 'devs', '--role', 'runner', '--subject', 'kind=Group,name=dev']
  const wider = await ada([...binding, '--workspace', 'default'])
  expect([wider.code, wider.stderr]).toEqual([2, expect.stringContaining('--spec-workspace instead')])
  await done([...binding, '--spec-workspace', 'default'])
  expect((await eve(['get', 'servers'])).code).toBe(0)
  expect((await eve(['get', 'all'])).code).toBe(0)
  expect([(await eve(['can-i', 'run', 'servers'])).code, (await eve(['can-i', 'edit', 'servers'])).code]).toEqual([0, 1])
  expect((await eve(['create', 'server', 'mine', '--command', 'x'])).code).toBe(3)
  expect((await eve(['can-i', '--list'])).stdout).toMatch(/default\/default +view,run +servers/)

  // 3 who may what, both ways round
  expect(await done(['describe', 'user', 'eve@example.com'])).toMatch(
    /Access:\n[^]*runner +workspace default +rolebinding\/devs +group\/dev/,
  )
  expect(await done(['describe', 'group', 'dev'])).toMatch(/runner +workspace default +rolebinding\/devs/)
  expect(await done(['can-i', 'run', 'servers', '--who'])).toMatch(/user\/eve@example\.com +runner +devs +dev/)

  // 4 as somebody else, in one command: what both may do
  const whoami = await done(['whoami', '--as', 'eve@example.com'])
  expect(whoami).toMatch(/you are: +ada@example\.com\nacting for: +eve@example\.com \(Eve\)/)
  expect((await ada(['create', 'server', 'mine', '--command', 'x', '--as', 'eve@example.com'])).code).toBe(3)
  expect((await ada(['can-i', 'edit', 'servers', '--as', 'eve@example.com'])).stdout).toBe('no\n')
  expect(await done(['status', '--as', 'eve@example.com'])).toContain('signed in as ada@example.com, acting for eve@example.com')
  const notAllowed = await eve(['get', 'servers', '--as', 'ada@example.com'])
  expect([notAllowed.code, notAllowed.stderr]).toEqual([
    3,
    expect.stringContaining('eve@example.com may not do this: it needs the operation impersonate'),
  ])
  expect((await eve(['whoami'])).stdout).toMatch(
    /you are: +eve@example\.com \(Eve\)\nsigned in: +with a session, until .*\ngroups: +default\/dev\n/,
  )

  // 5 it is gone with the member
  await done(['patch', 'group', 'dev', 'members=null'])
  expect((await eve(['get', 'servers'])).code).toBe(3)
  expect((await ada(['delete', 'user', 'ada@example.com', '--yes'])).code).toBe(6)
}, 120_000)
