import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { shareWithFile } from '../harness/cleanup.ts'
import { legacySession, modernRequest } from '../harness/mcp.ts'
import { ctl, fastTimers } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { applied, fixture, serving, startFleet } from '../scenarios/fleet.ts'

const env = { MCPG_TIMERS: fastTimers }
const manifest = (more = '') => `projects:
  - name: web
    servers: [first]
    tools: { deny: ["*__touch"] }
    instructions: The web team.
    prompt: Be brief.
    prompts:
      - { name: rules, content: None., priority: 10 }
      - { name: counter, link: "docs/second:test://counter" }
${more}`
const docs = `  - name: docs
    servers: [second]
`

describe('a project', () => {
  let fleet: Awaited<ReturnType<typeof startFleet>>
  let folder = ''
  beforeAll(async () => {
    fleet = await shareWithFile(() => startFleet([fixture('first', 'list-changes'), fixture('second', 'list-changes')], env))
    folder = fleet.folder
    await applied(fleet.rest, () => apply(manifest(docs)))
  })
  const run = async (args: string[], stdin?: string) => {
    const { stateDir, http } = fleet.controlPlane
    return await ctl(args, { stateDir, env: { MCPG_CP_URL: http, HOME: folder }, ...(stdin !== undefined && { stdin }) })
  }
  const apply = async (text: string) => {
    const file = join(folder, 'projects.yaml')
    writeFileSync(file, text)
    expect(await run(['apply', '-f', file])).toMatchObject({ code: 0 })
  }
  const path = (name: string) => `${fleet.gateway.endpoint}/projects/${name}`

  it('is served beside everything else with its tools, instructions and prompts, to clients of both eras', async () => {
    await serving(path('web'))
    const session = await legacySession(path('web'))
    const tools = await session.tools()
    expect(tools).toContain('first__echo')
    expect(tools.filter((name) => !name.startsWith('first__') || name.endsWith('__touch'))).toEqual([])
    await expect(session.call('first__touch')).rejects.toThrow('Unknown tool: first__touch')
    expect(session.initialized['instructions']).toMatch(/^The web team\.\n\nBe brief\./)
    expect(await modernRequest(path('web'), 'prompts/get', { name: 'rules' })).toMatchObject({ messages: [{ content: { text: 'None.' } }] })
    expect(await session.request('prompts/get', { name: 'counter' })).toMatchObject({
      messages: [{ content: { text: expect.stringContaining('touched') } }],
    })
    await session.close()
  })

  it('is reached through the control plane too', async () => {
    const url = `${fleet.controlPlane.http}/v1/orgs/default/workspaces/default/mcp/projects/web`
    const through = (await modernRequest(url, 'tools/list'))['tools']
    expect(through).toEqual((await modernRequest(path('web'), 'tools/list'))['tools'])
  })

  it('changes its tools without touching a process of its servers', async () => {
    const session = await legacySession(path('web'))
    const pid = await session.call('first__pid')
    await applied(fleet.rest, () => apply(manifest(docs).replace('["*__touch"]', '["*__echo"]')))
    await until('the policy', async () => !(await session.tools()).includes('first__echo'))
    expect(await session.call('first__pid')).toEqual(pid)
    await session.close()
    await applied(fleet.rest, () => apply(manifest(docs)))
  })

  it('lists a prompt that is an object of its own, proposed by one and approved by another', async () => {
    const session = await legacySession(path('web'))
    expect((await run(['create', 'prompt', 'greet', '-p', 'web', '--content', 'Say hello.', '--priority', '9'])).stdout).toContain(
      'created',
    )
    const names = async () => ((await session.request('prompts/list', {}))['prompts'] as { name: string }[]).map(({ name }) => name)
    await until('the prompt', async () => (await names()).includes('greet'))
    expect((await names()).slice(0, 2)).toEqual(['rules', 'greet'])
    expect(await run(['create', 'promptrequest', 'bye', '-p', 'web', '--content', 'Say bye.', '--reason', 'Manners.'])).toMatchObject({
      code: 0,
    })
    expect(await run(['reject', 'promptrequest', 'bye', '-p', 'web', '--reason', 'Not yet.'])).toMatchObject({
      code: 0,
      stdout: 'promptrequest/bye rejected\n',
    })
    expect((await run(['get', 'promptrequests', '-o', 'wide'])).stdout).toMatch(/bye +web +rejected.*Not yet\./)
    expect((await run(['approve', 'promptrequest/bye', '-p', 'web'])).stdout).toContain('prompt/bye is written')
    await until('the approved one', async () => (await names()).includes('bye'))
    expect(await run(['delete', 'prompt', 'greet', 'bye', '-p', 'web', '--yes'])).toMatchObject({ code: 0 })
    await until('both to go', async () => !(await names()).some((name) => name === 'greet' || name === 'bye'))
    await session.close()
  })

  it('says where it is served and which of its links lead nowhere', async () => {
    await apply(manifest(docs.replace('[second]', '[]')))
    const { status } = await fleet.rest.get('projects', 'web')
    expect(status).toMatchObject({
      gateways: [{ gateway: 'here', servers: ['first'], url: path('web') }],
      links: [{ prompt: 'counter', health: 'server-missing', message: 'The Project docs has no server second.' }],
    })
    await apply(manifest(docs))
    expect((await fleet.rest.get('projects', 'web')).status).toMatchObject({ links: [{ health: 'ok' }] })
  })

  it('comes out of get as it went in', async () => {
    const { stdout } = await run(['get', 'project', 'web', '-o', 'yaml'])
    const file = join(folder, 'again.yaml')
    writeFileSync(file, stdout)
    expect((await run(['apply', '-f', file])).stdout).toContain('unchanged')
    writeFileSync(file, stdout.replace('name: web', 'name: copy'))
    expect((await run(['apply', '-f', file])).stdout).toMatch(/project\/copy\s+created/)
    await serving(path('copy'))
    expect((await modernRequest(path('copy'), 'tools/list'))['tools']).toEqual((await modernRequest(path('web'), 'tools/list'))['tools'])
  })

  it('is made by flags, and from another one', async () => {
    expect(await run(['create', 'prompt', 'own', '-p', 'web', '--content', 'Mine.'])).toMatchObject({ code: 0 })
    const flags = ['--server', 'first', '--deny-tool', '*__touch', '--instructions', 'The web team.', '--prompt', 'Be brief.']
    expect((await run(['create', 'project', 'typed', ...flags])).stdout).toContain('project/typed created')
    expect(await run(['create', 'project', 'cloned', '--from', 'web', '-d', 'A copy'])).toMatchObject({
      code: 0,
      stdout: 'project/cloned created\n',
      stderr: 'with prompt/own\n',
    })
    expect(await run(['create', 'project', 'cloned', '--from', 'web'])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('The Project cloned exists already.') as string,
    })
    const [web, typed, cloned] = await Promise.all(
      ['web', 'typed', 'cloned'].map(async (name) => (await fleet.rest.get('projects', name)).spec),
    )
    const { prompts: _, ...withoutPrompts } = web!
    expect(typed).toEqual(withoutPrompts)
    expect(cloned).toEqual({ ...web, description: 'A copy' })
    expect((await run(['get', 'prompts', '-p', 'cloned', '-o', 'name'])).stdout).toBe('prompt/own\n')
  })

  it('is described in sections, and takes servers on and off by attachments', async () => {
    const { stdout } = await run(['describe', 'project', 'web'])
    expect(stdout).toMatch(/Servers:\n +NAME +GATEWAYS.*\n +first +here/)
    expect(stdout).toMatch(/Tool policy:\n.*\n +every server +everything +\*__touch/)
    expect(stdout).toMatch(/Prompts:\n.*\n +rules +10 +the project/)
    expect(stdout).toMatch(/Links:\n.*\n +counter +docs\/second:test:\/\/counter +ok/)
    const attached = await run(['apply', '-f', '-'], 'serverattachments: [{ name: second, project: web }]')
    expect(attached.stdout).toContain('project/web configured')
    expect((await run(['get', 'sa', '-p', 'web', '-o', 'name'])).stdout).toBe('serverattachment/first\nserverattachment/second\n')
    const printed = await run(['get', 'sa', '-p', 'web', '-o', 'yaml'])
    expect((await run(['apply', '-f', '-'], printed.stdout)).stdout).toContain('unchanged')
    const detach = async () => await run(['delete', 'sa', 'second', '-p', 'web', '--yes'])
    expect(await detach()).toMatchObject({ code: 0 })
    expect((await fleet.rest.get('projects', 'web')).spec).toMatchObject({ servers: ['first'] })
    const made = { code: 0, stdout: 'serverattachment/second created in web\n', stderr: '' }
    expect(await run(['create', 'serverattachment', 'web/second'])).toEqual(made)
    expect((await fleet.rest.get('projects', 'web')).spec).toMatchObject({ servers: ['first', 'second'] })
    const again = await run(['create', 'sa', 'second', '-p', 'web'])
    expect([again.code, again.stderr]).toEqual([6, expect.stringContaining('second is a server of web already.')])
    expect(await run(['create', 'sa', 'web/none'])).toMatchObject({ code: 5, stderr: expect.stringContaining('Server none') as string })
    expect(await detach()).toMatchObject({ code: 0 })
    expect((await run(['create', 'sa', 'second', '-p', 'web', '-o', 'name'])).stdout).toBe('serverattachment/second\n')
    expect(await detach()).toMatchObject({ code: 0 })
  })

  it('has a default one beside it from the start, whose system prompts come back', async () => {
    const prompt = async () => (await run(['get', 'prompt', 'session-greeting', '-p', 'default', '-o', 'json'])).stdout
    const original = (JSON.parse(await prompt()) as { spec: object }).spec
    expect(await run(['patch', 'prompt', 'session-greeting', '-p', 'default', 'content=Mine.'])).toMatchObject({ code: 0 })
    expect(await run(['delete', 'prompt', 'session-greeting', '-p', 'default', '--yes'])).toMatchObject({
      code: 0,
      stdout: 'prompt/session-greeting reset\n',
    })
    expect((JSON.parse(await prompt()) as { spec: object }).spec).toEqual(original)
    expect((await run(['get', 'templates', '-o', 'name'])).stdout).toContain('template/filesystem')
  })

  it('is connected to a client, and leads there', async () => {
    const file = join(folder, 'mcp.json')
    const shown = await run(['project', 'connect', 'cursor', '-p', 'web'])
    expect(shown.stderr).toContain('--write puts it there')
    expect(JSON.parse(shown.stdout)).toEqual({ mcpServers: { web: { url: path('web') } } })
    expect((await run(['project', 'connect', 'cursor', '-p', 'web', '--write', '--file', file])).stdout).toContain(
      `Cursor: web created in ${file}`,
    )
    const { mcpServers } = JSON.parse(readFileSync(file, 'utf8')) as { mcpServers: { web: { url: string } } }
    await serving(mcpServers.web.url)
    expect(await run(['project', 'connect', 'cursor', '-p', 'none'])).toMatchObject({ code: 5 })
  })
})
