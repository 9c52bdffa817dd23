import { expect, it } from 'vitest'
import { temporaryFolder } from '../harness/cleanup.ts'
import { databaseOf } from '../harness/database.ts'
import { legacySession, modernRequest } from '../harness/mcp.ts'
import { ctl, start } from '../harness/programs.ts'
import { until } from '../harness/until.ts'

const free = ['--bind-http', '127.0.0.1:0', '--bind-grpc', '127.0.0.1:0', '--no-browser']
// The gateway of quickstart takes a free port, so that the story does not meet another one on 7845.
const bind = { MCPG_BIND: '127.0.0.1:0' }

it('goes from nothing to a tool call, tells about itself when started twice, and ends with everything it started', async () => {
  const stateDir = temporaryFolder()
  const env = { ...bind, ...(await databaseOf(stateDir)) }
  // 1 one command
  const quickstart = start(['quickstart', ...free], { stateDir, env })
  const [, endpoint] = await until('it printed its endpoint', () => /(http:\/\/127\.0\.0\.1:\d+\/mcp)/.exec(quickstart.output()), 120_000)
  await until('it printed the line to paste', () => /claude mcp add --transport http/.test(quickstart.output()), 120_000)

  // 2 a tool of a real server, for clients of both eras
  const tools = await until(
    'the server is served',
    async () => {
      const session = await legacySession(endpoint!)
      const names = await session.tools()
      return names.includes('everything__echo') ? session : null
    },
    120_000,
  )
  expect(await tools.call('everything__echo', { message: 'hello' })).toMatchObject({ content: [{ type: 'text', text: 'Echo: hello' }] })
  expect(await modernRequest(endpoint!, 'tools/call', { name: 'everything__echo', arguments: { message: 'again' } })).toMatchObject({
    resultType: 'complete',
    content: [{ type: 'text', text: 'Echo: again' }],
  })
  await tools.close()
  await until('it said how many tools there are', () => /everything .*ready, [1-9]\d* tools/.test(quickstart.output()))

  // 3 a second start says what runs and where, and changes nothing
  const again = await ctl(['quickstart', ...free], { stateDir, env })
  expect(again.code).toBe(0)
  expect(again.stdout + again.stderr).toMatch(/already running/i)

  // 4 the state of this machine in one command
  const status = await ctl(['status', '-o', 'json'], { stateDir })
  expect(status.code).toBe(0)
  const doctor = await ctl(['doctor'], { stateDir })
  expect(doctor.stdout).toMatch(/ok/)

  // 5 Ctrl-C ends both, in order
  process.kill(quickstart.pid, 'SIGINT')
  expect([0, 130]).toContain(await quickstart.exited)
  await until(
    'the gateway ended too',
    async () =>
      !(await fetch(endpoint!).then(
        () => true,
        () => false,
      )),
  )
  const ended = await ctl(['status'], { stateDir })
  expect(ended.stdout).toMatch(/not running|stopped/i)
}, 300_000)
