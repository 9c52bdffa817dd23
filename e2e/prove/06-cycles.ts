import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { command, count, type Row } from './row.ts'

const cycles = join(import.meta.dirname, '../../gateway-agent/src/servers/cycles.prove.ts')

type Facts = {
  tier: number
  cycles: number
  crashes: number
  leftAfterCycles: number
  fdBefore: number
  fdAfter: number
  kills: number
  aliveAtKills: number
  leftAfterKills: number
  seconds: number
}

export const row: Row = {
  asked:
    '300 start/stop/crash cycles and 20 agents killed with -9, with servers that fork, setsid and ignore SIGTERM: 0 processes left, file descriptors flat',
  command: command(6),
  async run(counts) {
    const args = [count(counts, 300, 7), count(counts, 20, 2)].map(String)
    const child = spawn(process.execPath, [cycles, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => counts.say(chunk.toString().trimEnd()))
    const [code] = (await once(child, 'close')) as [number | null]
    const facts = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Facts
    return {
      measured:
        `${facts.cycles} cycles with ${facts.crashes} crashes: ${facts.leftAfterCycles} processes left, file descriptors ${facts.fdBefore} → ${facts.fdAfter}; ` +
        `${facts.kills} × kill -9 with ${facts.aliveAtKills} processes alive: ${facts.leftAfterKills} left; tier ${facts.tier}, ${facts.seconds} s`,
      ok: code === 0,
    }
  },
}
