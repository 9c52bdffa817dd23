import { accessSync, constants } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { startTimeOf } from '@mcpg/core/process-identity'
import { canScan, killQuietly } from './marker.ts'
import { canReap, spawnUnderReaper } from './reaper.ts'

export type SupervisionTier = {
  tier: 1 | 2
  name: string
  available: boolean
  /** What is ended with a server and with an agent that was killed with -9. */
  holds: string
  /** Why it is not available, or what it cannot do here, and the remedy. */
  missing?: string
}

export type Supervision = { tiers: SupervisionTier[]; active: 1 | 2; perl?: string; shell?: string }

/** Tries on this machine what the supervisor relies on; about 50 ms. */
export async function probeSupervision(env: NodeJS.ProcessEnv = process.env): Promise<Supervision> {
  const shell = findProgram('sh', env['PATH'] ?? '')
  const basic: SupervisionTier = {
    tier: 1,
    name: 'process group, environment marker, watchdog',
    available: true,
    holds: 'every process below a server but those that empty their environment and leave the process group',
    ...limits(shell),
  }
  const { perl, missing } = await probeReaper(env)
  const reaper: SupervisionTier = {
    tier: 2,
    name: 'sub-reaper per server',
    available: missing === undefined,
    holds: 'every process below a server',
    ...(missing === undefined ? {} : { missing }),
  }
  return { tiers: [basic, reaper], active: reaper.available ? 2 : 1, ...(perl && { perl }), ...(shell && { shell }) }
}

function limits(shell: string | undefined): { missing?: string } {
  if (process.platform === 'win32') return { missing: 'on Windows processes below a server may survive a crash of the agent' }
  if (!shell) return { missing: 'no sh on PATH: servers survive an agent that is killed with -9 until its next start' }
  if (!canScan()) return { missing: 'no /proc: processes that leave the process group of a server are not found' }
  return {}
}

async function probeReaper(env: NodeJS.ProcessEnv): Promise<{ perl?: string; missing?: string }> {
  if (!canReap()) return { missing: `not on ${process.platform} ${process.arch}` }
  const perl = findProgram('perl', env['PATH'] ?? '')
  if (!perl) return { missing: 'perl is not on PATH: install perl-base' }
  return (await holdsAnOrphan(perl)) ? { perl } : { missing: `${perl} could not become a sub-reaper here (seccomp?)` }
}

/** A shell that leaves an orphan behind and ends: a working reaper ends the orphan. */
async function holdsAnOrphan(perl: string): Promise<boolean> {
  const order = { argv: ['/bin/sh', '-c', 'sleep 60 >/dev/null 2>&1 & echo $!'], cwd: tmpdir(), env: { PATH: process.env['PATH'] ?? '' } }
  const tree = spawnUnderReaper(perl, { ...order, marker: 'probe' })
  const line = new Promise<string>((resolve) =>
    createInterface({ input: tree.stdout })
      .once('line', resolve)
      .once('close', () => resolve('')),
  )
  const late = setTimeout(() => tree.kill(), 5_000)
  const [exit, orphan] = await Promise.all([tree.exited, line.then(Number), tree.released])
  clearTimeout(late)
  for (const stream of [tree.stdin, tree.stdout, tree.stderr]) stream.destroy()
  if (!(orphan > 1)) return false
  const held = exit.code === 0 && startTimeOf(orphan) === null
  if (!held) killQuietly(orphan)
  return held
}

/** The absolute path of an executable file on PATH. */
export function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
