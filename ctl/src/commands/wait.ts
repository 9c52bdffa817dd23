import { McpgError } from '@mcpg/proto/errors'
import { enrollmentStates } from '@mcpg/proto/kinds/enrollment'
import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import { connectionStates, instanceStates, serverStates } from '@mcpg/proto/status'
import { findObject, isGlob, listObjects } from '../api/objects.ts'
import { readTargets, shown } from '../api/targets.ts'
import { refuseTenancy } from '../api/tenancy.ts'
import { watch } from '../api/watch.ts'
import type { Context } from '../context.ts'
import { durationOption } from '../duration-option.ts'
import { Interrupted } from '../failure.ts'

export type WaitOptions = { for?: string; timeout: string }

const allStates = new Set<string>([serverStates, instanceStates, connectionStates, enrollmentStates, ['pending', 'unknown']].flat())

/** `spec.state` says running; what is reported once it runs is ready. */
const desiredWords: ReadonlyMap<string, string> = new Map([['running', 'ready']])

/** True when an object, or its absence (null), is what is waited for. */
type Wanted = (object: Resource | null) => boolean

export async function run(context: Context, args: string[], options: WaitOptions): Promise<number> {
  const { print, say, stopping } = context
  const timeoutMs = durationOption('--timeout', options.timeout)
  const isWanted = wantedOf(options.for)
  const api = await context.api()
  const open = new Map((await wanted(args)).map((one) => [shown(one.kind, one.name), one]))
  for (const [arg, { kind, name }] of open) settle(arg, await required(await findObject(api, kind, name), arg))
  if (open.size === 0) return 0
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)])
  const kinds = [...new Set([...open.values()].map(({ kind }) => kind.kind))]
  for await (const { type, object } of watch(api, { kinds, signal, say })) {
    for (const [arg, { kind, name }] of open)
      if (object?.kind === kind.kind && object.metadata.name === name) settle(arg, type === 'DELETED' ? null : object)
    // What was deleted between the look and the watch is not in its list, nor is its deletion.
    if (type === 'BOOKMARK') for (const [arg, { kind, name }] of open) settle(arg, await findObject(api, kind, name))
    if (open.size === 0) return 0
  }
  if (stopping.aborted) throw new Interrupted(`stopped waiting; wait again with: ${context.commandLine}`)
  throw new McpgError(
    'timeout',
    'gave_up_waiting',
    `Gave up after ${options.timeout}: ${[...open.keys()].join(', ')} ${open.size === 1 ? 'is' : 'are'} not there yet.`,
    {
      hint: `mcpg-ctl describe ${[...open.keys()][0]}`,
    },
  )

  async function wanted(words: string[]): Promise<{ kind: KindDeclaration; name: string }[]> {
    const found = readTargets(words).map(async ({ kind, names }) => {
      refuseTenancy(kind, 'wait')
      if (names.length === 0)
        throw new McpgError('invalid', 'usage', `Which ${kind.plural} to wait for is missing.`, {
          hint: `mcpg-ctl wait ${kind.kind.toLowerCase()}/<name> --for=…`,
        })
      const globs = names.filter(isGlob)
      const there = globs.length > 0 ? await listObjects(api, kind, { names: globs }) : []
      if (globs.length > 0 && there.length === 0 && options.for !== 'delete')
        throw new McpgError('not_found', 'object_unknown', `There is no ${kind.kind} ${globs.join(', ')}.`, {
          hint: `mcpg-ctl get ${kind.plural}`,
        })
      return [...names.filter((name) => !isGlob(name)), ...there.map(({ metadata }) => metadata.name)].map((name) => ({ kind, name }))
    })
    return (await Promise.all(found)).flat()
  }

  function settle(arg: string, object: Resource | null): void {
    if (!open.has(arg) || !isWanted(object)) return
    open.delete(arg)
    print(`${arg} ${options.for === 'delete' ? 'deleted' : 'condition met'}`)
  }

  async function required(object: Resource | null, arg: string): Promise<Resource | null> {
    if (object || options.for === 'delete') return object
    throw new McpgError('not_found', 'object_unknown', `There is no ${arg}.`, { hint: `mcpg-ctl get ${arg.split('/')[0]}` })
  }
}

function wantedOf(text: string | undefined): Wanted {
  if (text === 'delete') return (object) => object === null
  const condition = /^condition=([A-Za-z]+)(?:=(True|False|Unknown))?$/i.exec(text ?? '')
  if (condition) {
    const type = condition[1]!.toLowerCase()
    const value = (condition[2] ?? 'True').toLowerCase()
    return (object) =>
      conditionsOf(object).some((one) => one.type.toLowerCase() === type && one.status.toLowerCase() === value) && isObserved(object)
  }
  const state = /^state=([a-z_]+)$/i.exec(text ?? '')?.[1]?.toLowerCase()
  if (state) {
    const wanted = desiredWords.get(state) ?? state
    if (!allStates.has(wanted))
      throw new McpgError('invalid', 'usage', `--for=state=${state}: no object has a state of that name.`, { hint: 'mcpg-ctl wait --help' })
    return (object) => object !== null && statesOf(object).length > 0 && statesOf(object).every((one) => one === wanted)
  }
  throw new McpgError('invalid', 'usage', text ? `--for=${text} is not understood.` : 'What to wait for is missing: --for (MCPG_FOR).', {
    hint: '--for=condition=Ready, --for=condition=Ready=False, --for=delete or --for=state=<state>',
  })
}

function conditionsOf(object: Resource | null): { type: string; status: string }[] {
  const { conditions } = (object?.status ?? {}) as { conditions?: { type: string; status: string }[] }
  return conditions ?? []
}

/** A status of an older revision answers no question about this one. */
function isObserved(object: Resource | null): boolean {
  const observed = object?.status['observedGeneration']
  return typeof observed !== 'number' || observed >= (object?.metadata.generation ?? 0)
}

/** `state` of an instance or enrollment, `connection` of a gateway, the state on every gateway of a server. */
function statesOf({ status }: Resource): string[] {
  const { state, connection, gateways } = status as { state?: string; connection?: string; gateways?: { state?: string }[] }
  if (state) return [state]
  if (connection) return [connection]
  return (gateways ?? []).flatMap((one) => (typeof one === 'object' && one.state ? [one.state] : []))
}
