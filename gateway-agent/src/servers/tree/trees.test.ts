import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { startTimeOf } from '@mcpg/core/process-identity'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../test-servers/until.ts'
import { probeSupervision, type Supervision } from './probe.ts'
import { processTrees } from './trees.ts'

const forks = fileURLToPath(new URL('../../../../e2e/fixtures/servers/forks.ts', import.meta.url))
const agent = fileURLToPath(new URL('../test-servers/tree-agent.ts', import.meta.url))
const log = createLog({ level: 'silent', json: true })
const env = { PATH: process.env['PATH'] ?? '' }
const shapes = ['A', 'B', 'C', 'D', 'E', 'F', 'G'] as const
let folder: string
let probed: Supervision

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mcpg-trees-'))
  probed = await probeSupervision()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(process.platform !== 'linux')('process trees', () => {
  it('finds a working sub-reaper and watchdog where perl and sh are', () => {
    expect(probed).toMatchObject({ active: 2, perl: expect.stringContaining('perl'), shell: expect.stringContaining('sh') })
  })

  it('says what is missing when PATH holds neither perl nor sh', async () => {
    const { active, tiers } = await probeSupervision({ PATH: '/nonexistent' })
    expect(active).toBe(1)
    expect(tiers[0]?.missing).toContain('no sh on PATH')
    expect(tiers[1]).toMatchObject({ available: false, missing: expect.stringContaining('perl') })
  })

  // An empty environment hides from the marker, so F needs the reaper.
  describe.each([
    [2, shapes],
    [1, shapes.filter((shape) => shape !== 'F')],
  ] as const)('tier %i', (tier, held) => {
    it('leaves nothing of any shape behind on stop, five times', { timeout: 60_000 }, async () => {
      for (let round = 0; round < 5; round++) {
        const trees = open(tier)
        const started = await Promise.all(held.map(async (shape) => ({ ...(await start(trees, shape, round)), shape })))
        for (const { pids } of started) expect(aliveOf(pids)).toEqual(pids)
        await Promise.all(started.map(({ tree }) => tree.stop(50)))
        for (const { pids, shape } of started) expect({ shape, left: aliveOf(pids) }).toEqual({ shape, left: [] })
        await trees.stop()
        expect(readdirSync(join(folder, 'run/instances'))).toEqual([])
      }
    })

    it('leaves nothing of any shape behind when the agent is killed with -9, five times', { timeout: 60_000 }, async () => {
      for (let round = 0; round < 5; round++) {
        const pidFile = join(folder, `agent-${tier}-${round}`)
        const args = [agent, folder, String(tier), forks, pidFile, ...held]
        const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
        await once(child.stdout, 'data')
        const pids = held.flatMap((shape) => pidsOf(`${pidFile}.${shape}`))
        expect(aliveOf(pids)).toEqual(pids)
        child.kill('SIGKILL')
        await until(`tier ${tier} round ${round}: all of ${pids.join(' ')} are gone`, () => aliveOf(pids).length === 0)
      }
    })
  })

  it('ends what a killed agent left when the next one starts, without any help from outside', async () => {
    const trees = processTrees({ ...deps(), supervision: { tiers: [], active: 1 } })
    const { pids } = await start(trees, 'E', 99)
    // No stop: as far as this folder knows, that agent is gone.
    await open(1).ready
    expect(aliveOf(pids)).toEqual([])
    await trees.stop()
  })

  it('reports how a server ended through the reaper: code, signal, not found, not executable', async () => {
    const trees = open(2)
    const ends = await Promise.all(
      [['/bin/sh', '-c', 'exit 7'], ['/bin/sh', '-c', 'kill -SEGV $$'], ['/nonexistent/program'], ['/etc/passwd']].map(
        async (argv, index) => {
          const tree = await trees.start(`end-${index}`, { argv, cwd: folder, env })
          const exit = await tree.exited
          await tree.stop(0)
          return exit
        },
      ),
    )
    expect(ends).toEqual([
      { code: 7, signal: null },
      { code: null, signal: 'SIGSEGV' },
      { code: null, signal: null, error: 'ENOENT' },
      { code: null, signal: null, error: 'EACCES' },
    ])
    await trees.stop()
  })

  it('still ends the tree when somebody kills the reaper', async () => {
    const trees = open(2)
    const { tree, pids } = await start(trees, 'E', 100)
    process.kill(parentOf((await tree.pid) ?? 0), 'SIGKILL')
    await tree.exited
    await tree.stop(0)
    expect(aliveOf(pids)).toEqual([])
    await trees.stop()
  })

  it('gives the server its variables, the marker, and nothing of its own', async () => {
    const trees = open(2)
    const tree = await trees.start('env', { argv: ['/usr/bin/env'], cwd: folder, env: { ...env, PERL5OPT: '-Mstrict', LC_ALL: 'xx_XX' } })
    const text = (await tree.stdout.setEncoding('utf8').toArray()).join('')
    expect(text.trim().split('\n').sort()).toEqual(['LC_ALL=xx_XX', 'MCPG_INSTANCE=gw-test/env', `PATH=${env.PATH}`, 'PERL5OPT=-Mstrict'])
    expect((await tree.stderr.setEncoding('utf8').toArray()).join('')).toBe('')
    await tree.stop(0)
    await trees.stop()
  })
})

const deps = () => ({ gatewayId: 'gw-test', folder, timers: { stdinGrace: 50 }, clock: systemClock, log })
const open = (tier: 1 | 2) => processTrees({ ...deps(), supervision: { ...probed, active: tier } })

async function start(trees: ReturnType<typeof processTrees>, shape: string, round: number) {
  const pidFile = join(folder, `pids-${shape}-${round}`)
  rmSync(pidFile, { force: true })
  const argv = [process.execPath, forks, shape, pidFile, ...(shape === 'G' ? ['600000'] : [])]
  const tree = await trees.start(`${shape.toLowerCase()}-${round}`, { argv, cwd: folder, env })
  tree.stderr.resume()
  await until(`${shape} has started`, () => existsSync(pidFile))
  return { tree, pids: pidsOf(pidFile) }
}

const pidsOf = (file: string) => Object.values(JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>)
const aliveOf = (pids: number[]) => pids.filter((pid) => startTimeOf(pid) !== null)
const parentOf = (pid: number) => Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1])
