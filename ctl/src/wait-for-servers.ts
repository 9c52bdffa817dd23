import { gatewayKind } from '@mcpg/proto/kinds/gateway'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { serverKind } from '@mcpg/proto/kinds/server'
import type { Api } from './api/client.ts'
import { watch } from './api/watch.ts'
import type { Context } from './context.ts'
import { Interrupted } from './failure.ts'
import { ladder } from './output/ladder.ts'
import { oneLine, table } from './output/table.ts'
import { phases, stateText, workloadsOf, type Workload } from './workloads.ts'

/** How long a `failed` must stand unchanged: the report of the revision before may still be on its way. */
const settleMs = 3_000

/** What became of each, and the exit code that says so: 0, 7 failed or Unplaced, 8 gave up. */
export type Waited = { workloads: Workload[]; exitCode: number }

/** Waits until every gateway runs these servers. */
export async function waitForServers(context: Context, api: Api, names: string[], timeoutMs: number): Promise<Waited> {
  if (names.length === 0) return { workloads: [], exitCode: 0 }
  const servers = new Map<string, Resource>()
  const gateways = new Map<string, Resource>()
  const failedSince = new Map<string, number>()
  const progress = ladder(context)
  const done = new AbortController()
  const timer = setTimeout(() => done.abort(), timeoutMs)
  const recheck = setInterval(look, 500)
  let workloads: Workload[] = []
  let isComplete = false
  try {
    const signal = AbortSignal.any([context.stopping, done.signal])
    for await (const { type, object } of watch(api, { kinds: [serverKind.kind, gatewayKind.kind], signal, say: context.say })) {
      const objects = object?.kind === serverKind.kind ? servers : gateways
      if (type === 'BOOKMARK') isComplete = true
      else if (type === 'EXPIRED') [servers, gateways].forEach((one) => one.clear())
      else if (object && type === 'DELETED') objects.delete(object.metadata.name)
      else if (object) objects.set(object.metadata.name, object)
      look()
    }
  } finally {
    clearTimeout(timer)
    clearInterval(recheck)
  }
  if (context.stopping.aborted) throw new Interrupted(`stopped waiting, the work goes on; wait again with: ${context.commandLine}`)
  return { workloads, exitCode: exitCodeOf(workloads) }

  function look(): void {
    if (!isComplete || done.signal.aborted) return
    workloads = names.flatMap((name) => {
      const server = servers.get(name)
      return server ? workloadsOf(server, gateways) : []
    })
    for (const one of workloads) {
      if (one.gateway) progress.remove(one.server)
      progress.set(one.gateway ? `${one.server}@${one.gateway}` : one.server, phases[one.verdict], oneLine(stateText(one)))
    }
    if (workloads.every(hasEnded)) done.abort()
  }

  function hasEnded(one: Workload): boolean {
    const key = `${one.server}@${one.gateway}`
    if (one.verdict !== 'failed') failedSince.delete(key)
    if (one.verdict === 'pending') return false
    // A held back revision is the last word; a failed state may be that of the revision before.
    if (one.verdict !== 'failed' || one.state === 'HeldBack') return true
    if (!failedSince.has(key)) failedSince.set(key, Date.now())
    return Date.now() - (failedSince.get(key) ?? 0) >= settleMs
  }
}

const of = (workloads: Workload[], verdict: Workload['verdict']) => workloads.filter((one) => one.verdict === verdict)

function exitCodeOf(workloads: Workload[]): number {
  if (of(workloads, 'failed').length > 0) return 7
  if (of(workloads, 'pending').length > 0) return 8
  return of(workloads, 'unplaced').length > 0 ? 7 : 0
}

/** The workload table, and what to know about those that are not simply well. */
export function printWaited({ print, say }: Context, { workloads, exitCode }: Waited, timeout: string): void {
  const rows = workloads.map(({ server, gateway, state, reason, message }) => [server, gateway || '-', state, reason, message])
  table(['server', 'gateway', 'state', 'reason', 'message'], rows).forEach((line) => print(line))
  const failed = of(workloads, 'failed')
  for (const { server, gateway, lastLogLines } of failed) {
    if (lastLogLines.length > 0) say(`\nlast lines of ${server} on ${gateway}:`)
    lastLogLines.slice(-10).forEach((line) => say(`  ${oneLine(line)}`))
  }
  for (const { server, message } of of(workloads, 'unplaced'))
    say(`${server} is Unplaced: ${message || 'no gateway matches its placement'}`)
  const away = of(workloads, 'offline')
  for (const { server, gateway, message } of away) say(`${message.replace('gateway', gateway)}: it gets ${server} when it comes back`)
  for (const pinned of new Set(of(workloads, 'pinned').map(({ message }) => message))) say(pinned)
  if (away.length > 0 && exitCode === 0)
    say(
      of(workloads, 'ok').length > 0
        ? 'exit code 0: every gateway that is there runs it'
        : 'exit code 0: it is stored, and no gateway that should run it is there now',
    )
  if (failed[0]) say(`hint: mcpg-ctl describe server ${failed[0].server}`)
  else if (of(workloads, 'pending').length > 0) say(`gave up after ${timeout}; the work goes on`)
}
