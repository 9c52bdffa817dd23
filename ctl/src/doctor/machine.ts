import type { Env } from '../env.ts'
import { portHolder } from '@mcpg/core/port-holder'
import { serverTime } from '@mcpg/core/tls-trust'
import { whyNoBrowser } from '../local/browser.ts'
import { whyNotBindable } from '../local/bindable.ts'
import { fail, ok, warn, type Check } from './check.ts'

/** Below this better-sqlite3 crashes instead of failing. */
const minNode = [22, 19] as const
/** Seconds between two clocks from which tokens and logs become confusing. */
const maxSkewSeconds = 30

export function checkNode(version: string = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isEnough = major > minNode[0] || (major === minNode[0] && minor >= minNode[1])
  return isEnough ? ok('node', `Node ${version}`) : fail('node', `Node ${version} is too old`, `install Node ${minNode.join('.')} or later`)
}

export function checkBrowser(env: Env): Check {
  const why = whyNoBrowser(env)
  return why ? ok('browser', `none is opened: ${why}`) : ok('browser', 'the console can be opened')
}

/** The clock of the control plane, if it answers; this machine's alone cannot be judged beyond the absurd. */
export async function checkClock(origin: string): Promise<Check> {
  const before = Date.now()
  const date = (await serverTime(origin, AbortSignal.timeout(2000))) ?? Number.NaN
  if (new Date(before).getUTCFullYear() < 2026)
    return fail('clock', `this machine believes it is ${new Date(before).toISOString()}`, 'set the clock, e.g. timedatectl set-ntp true')
  if (Number.isNaN(date)) return ok('clock', new Date(before).toISOString())
  const skew = Math.round((date - (before + Date.now()) / 2) / 1000)
  if (Math.abs(skew) <= maxSkewSeconds) return ok('clock', 'agrees with the control plane')
  return warn(
    'clock',
    `${Math.abs(skew)} s ${skew > 0 ? 'behind' : 'ahead of'} the control plane`,
    'synchronize it, e.g. timedatectl set-ntp true',
  )
}

/** A port: free, held by one of ours (`own` are their pids), or by somebody who is in the way. */
export async function checkPort(name: string, flag: string, address: string, own: ReadonlySet<number>, isMovable: boolean): Promise<Check> {
  const match = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(address)
  if (!match || Number(match[3]) > 65_535) return fail(name, `"${address}" is no address`, `write it like 127.0.0.1:7843 (${flag})`)
  const port = Number(match[3])
  const why = await whyNotBindable(match[1] ?? match[2] ?? '', port)
  if (why === null) return ok(name, `${address} is free`)
  if (why !== 'EADDRINUSE') return fail(name, `${address} cannot be bound (${why})`, `choose another address with ${flag}`)
  const holder = portHolder(port)
  if (holder && own.has(holder.pid)) return ok(name, `${address} is held by our own process ${holder.pid}`)
  const who = holder ? `process ${holder.pid} (${holder.command})` : 'a process that cannot be seen from here'
  if (isMovable) return warn(name, `${address} is held by ${who}`, 'nothing to do: the gateway takes the next free port and says which')
  return fail(
    name,
    `${address} is held by ${who}`,
    holder ? `end it (kill ${holder.pid}), or choose another address with ${flag}` : `choose another address with ${flag}`,
  )
}
