// An agent of nothing but process trees, to be killed with -9.
//
//   node tree-agent.ts <gateway folder> <tier 1|2> <forks.ts> <pid file> <shape> …
//
// Prints "started" when the trees of all shapes are complete.
import { existsSync } from 'node:fs'
import { systemClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { probeSupervision } from '../tree/probe.ts'
import { processTrees } from '../tree/trees.ts'

const [folder = '', tier = '1', forks = '', pidFile = '', ...shapes] = process.argv.slice(2)
const probed = await probeSupervision()
const log = createLog({ level: 'silent', json: true })
const trees = processTrees({
  gatewayId: 'gw-test',
  folder,
  timers: { stdinGrace: 100 },
  clock: systemClock,
  log,
  supervision: tier === '1' ? { ...probed, active: 1 } : probed,
})
const env = { PATH: process.env['PATH'] ?? '' }
for (const shape of shapes)
  await trees.start(`shape-${shape}`, { argv: [process.execPath, forks, shape, `${pidFile}.${shape}`], cwd: folder, env })
const waiting = setInterval(() => {
  if (!shapes.every((shape) => existsSync(`${pidFile}.${shape}`))) return
  clearInterval(waiting)
  process.stdout.write('started\n')
}, 10)
