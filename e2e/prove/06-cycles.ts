import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { command, type Row } from './row.ts'

const cycles = join(import.meta.dirname, '../../gateway-agent/src/servers/cycles.prove.ts')

export const row: Row = {
  asked:
    '300 start/stop/crash cycles and 20 agents killed with -9, with servers that fork, setsid and ignore SIGTERM: 0 processes left, file descriptors flat',
  command: command(6),
  async run({ isQuick, say }) {
    if (!existsSync(cycles)) return { measured: `${cycles.split('/').slice(-4).join('/')} does not exist`, ok: false }
    const child = spawn(process.execPath, [cycles, ...(isQuick ? ['--quick'] : [])], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => say(chunk.toString().trimEnd()))
    const [code] = (await once(child, 'close')) as [number | null]
    // Its last line is one JSON object; the exit code is its verdict.
    const facts = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>
    const measured = Object.entries(facts)
      .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
      .join(', ')
    return { measured: code === 0 ? measured : `exit ${code}: ${measured}`, ok: code === 0 }
  },
}
