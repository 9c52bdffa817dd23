import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { serverFile } from '../fixtures/start.ts'
import { api, type Api } from '../harness/api.ts'
import { shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { ctl, startControlPlane, startGateway, type ControlPlane, type Gateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'

let controlPlane: ControlPlane
let gateway: Gateway
let rest: Api
let files: string

beforeAll(async () => {
  await shareWithFile(async () => {
    const stateDir = temporaryFolder()
    files = temporaryFolder()
    controlPlane = await startControlPlane({ stateDir })
    rest = api(controlPlane.http)
    const { url } = await rest.enroll({ name: 'here', labels: { role: 'edge' } })
    gateway = await startGateway({ stateDir, url })
  })
}, 120_000)

const run = (args: string[], stdin?: string) =>
  ctl(args, { stateDir: controlPlane.stateDir, env: { MCPG_CP_URL: controlPlane.http }, ...(stdin === undefined ? {} : { stdin }) })

function manifest(name: string, text: string): string {
  const path = join(files, name)
  writeFileSync(path, text)
  return path
}

const echo = (extra = '') => `
servers:
  - name: echo
    labels: { team: tools }
    command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(serverFile('echo'))}]
    placement: { gatewaySelector: { role: edge } }
${extra}`

it('applies, waits for the proof, round-trips, shows each change before it happens, and takes it back', async () => {
  // 1 what would happen, then that it happened, proven
  const path = manifest('echo.yaml', echo())
  const plan = await run(['plan', '-f', path])
  expect(plan).toMatchObject({ code: 0 })
  expect(plan.stdout).toMatch(/echo/)
  expect(plan.stdout).toMatch(/create/)
  const applied = await run(['apply', '-f', path, '--wait', '--timeout', '60s'])
  expect({ code: applied.code, stderr: applied.stderr }).toMatchObject({ code: 0 })
  expect(applied.stdout).toMatch(/echo.*created|created.*echo/i)
  expect(applied.stdout).toMatch(/here/)
  const session = await legacySession(gateway.endpoint)
  expect(await session.tools()).toContain('echo__echo')

  // 2 what get prints is what apply reads
  const printed = await run(['get', 'servers', '-o', 'yaml'])
  expect((await run(['apply', '-f', '-'], printed.stdout)).stdout).toMatch(/unchanged/)
  expect((await run(['diff', '-f', path])).code).toBe(0)
  expect((await run(['plan', '-f', path, '--exit-code'])).code).toBe(0)

  // 3 a change is seen by plan and diff field by field, and does nothing until it is applied
  const changed = manifest('changed.yaml', echo('    env: [{ name: GREETING, value: hi }]\n    callTimeout: 30s\n'))
  expect((await run(['plan', '-f', changed, '--exit-code'])).code).toBe(1)
  expect((await run(['plan', '-f', changed])).stdout).toMatch(/env[\s\S]*callTimeout|callTimeout[\s\S]*env/)
  expect((await run(['diff', '-f', changed])).code).toBe(1)
  expect((await run(['apply', '-f', changed, '--wait', '--timeout', '60s'])).code).toBe(0)
  const environment = (await session.call('echo__env')) as { content: { text: string }[] }
  expect(environment.content[0]?.text).toContain('GREETING')

  // 4 stopped on purpose is neither a failure nor gone
  expect((await run(['server', 'stop', 'echo'])).code).toBe(0)
  await until('its tools are gone', async () => !(await session.tools()).includes('echo__echo'))
  expect((await run(['get', 'server', 'echo', '-o', 'json'])).stdout).toMatch(/"stopped"/)
  expect((await run(['server', 'start', 'echo'])).code).toBe(0)
  await until('its tools are back', async () => (await session.tools()).includes('echo__echo'))

  // 5 deleted: refused without a word of consent, then gone everywhere
  const careful = await run(['delete', 'server', 'echo'])
  expect(careful.code).toBe(2)
  expect(careful.stderr).toMatch(/--yes/)
  expect((await run(['delete', 'server', 'echo', '--yes'])).code).toBe(0)
  await until('its tools are gone', async () => !(await session.tools()).includes('echo__echo'))
  expect((await run(['get', 'server', 'echo'])).code).toBe(5)
  await session.close()
}, 180_000)

it('says that a server nobody runs is Unplaced, and does not wait for it in vain', async () => {
  const path = manifest(
    'nowhere.yaml',
    'servers:\n  - name: nowhere\n    command: ["true"]\n    placement: { gatewaySelector: { role: moon } }\n',
  )
  const applied = await run(['apply', '-f', path, '--wait', '--timeout', '30s'])
  expect(applied.stdout + applied.stderr).toMatch(/Unplaced/)
  await run(['delete', 'server', 'nowhere', '--yes'])
})

it('reports a thousand errors at once, writes nothing, and ends with exit code 2', async () => {
  const bad = Array.from({ length: 1_000 }, (_, index) => `  - { name: bad-${index}, command: x, era: old }`).join('\n')
  const done = await run(['apply', '-f', manifest('bad.yaml', `servers:\n${bad}\n  - { name: good, command: x }\n`)])
  expect(done.code).toBe(2)
  expect(done.stderr).toMatch(/1,?000/)
  expect(done.stderr).toMatch(/bad\.yaml:2/)
  expect((await run(['get', 'server', 'good'])).code).toBe(5)
})
