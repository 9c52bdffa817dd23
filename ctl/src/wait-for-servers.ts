import { gatewayKind } from '@mcpg/proto/kinds/gateway'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { serverKind } from '@mcpg/proto/kinds/server'
import type { Api } from './api/client.ts'
import { watch } from './api/watch.ts'
import type { Context } from './context.ts'
import { Interrupted } from './failure.ts'
import { ladder, type Phase } from './output/ladder.ts'
import { oneLine, table } from './output/table.ts'
import { workloadsOf, type Workload } from './workloads.ts'

/** How long a `failed` must stand unchanged: the report of the revision before may still be on its way. */
const settleMs = 3_000

const phases: Record<Workload['verdict'], Phase> = {
  ok: 'done',
  pending: 'running',
  failed: 'failed',
  offline: 'skipped',
  unplaced: 'skipped',
}

/** Waits until every gateway runs these servers, then prints what became of each. The answer is the exit code: 0, 7 failed, 8 gave up. */
export async function waitForServers(context: Context, api: Api, names: string[], timeoutMs: number): Promise<number> {
  if (names.length === 0) return 0
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
  return report(context, workloads, timeoutMs)

  function look(): void {
    if (!isComplete || done.signal.aborted) return
    workloads = names.flatMap((name) => {
      const server = servers.get(name)
      return server ? workloadsOf(server, gateways) : []
    })
    for (const one of workloads)
      progress.set(
        `${one.server}${one.gateway ? `@${one.gateway}` : ''}`,
        phases[one.verdict],
        oneLine([one.state, one.reason].filter(Boolean).join(' ')),
      )
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

function report({ settings, print, say }: Context, workloads: Workload[], timeoutMs: number): number {
  const of = (verdict: Workload['verdict']) => workloads.filter((one) => one.verdict === verdict)
  if (settings.output === 'json') print(JSON.stringify({ workloads }, null, 2))
  else if (settings.output !== 'name') {
    const rows = workloads.map(({ server, gateway, state, reason, message }) => [server, gateway || '-', state, reason, message])
    table(['server', 'gateway', 'state', 'reason', 'message'], rows).forEach((line) => print(line))
  }
  for (const { server, gateway, lastLogLines } of of('failed')) {
    if (lastLogLines.length > 0) say(`\nlast lines of ${server} on ${gateway}:`)
    lastLogLines.slice(-10).forEach((line) => say(`  ${oneLine(line)}`))
  }
  for (const { server, message } of of('unplaced')) say(`${server} is Unplaced: ${message || 'no gateway matches its placement'}`)
  for (const { server, gateway, state } of of('offline'))
    say(`${gateway} is ${state.replace('_', ' ')}: it gets ${server} when it comes back`)
  if (of('failed').length > 0) {
    say(`hint: mcpg-ctl describe server ${of('failed')[0]!.server}`)
    return 7
  }
  if (of('pending').length > 0) {
    say(`gave up after ${timeoutMs / 1000} s; the work goes on`)
    return 8
  }
  return of('unplaced').length > 0 ? 7 : 0
}
