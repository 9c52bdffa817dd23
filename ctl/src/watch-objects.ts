import { McpgError } from '@mcpg/proto/errors'
import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import { parseSelector, selects } from '@mcpg/proto/selectors'
import type { Api } from './api/client.ts'
import { globOf, type Filter } from './api/objects.ts'
import type { Target } from './api/targets.ts'
import { watch } from './api/watch.ts'
import type { Context } from './context.ts'
import { Interrupted } from './failure.ts'
import { columnsOf } from './output/print-resources.ts'
import { growingTable } from './output/table.ts'

/** Prints objects and then every change, until Ctrl-C: a line of the table for each, or with -o json|ndjson|yaml the event. */
export async function watchObjects(context: Context, api: Api, targets: Target[], filter: Filter): Promise<void> {
  const { say, stopping } = context
  const kinds = targets.map(({ kind }) => kind)
  const isWanted = matcher(targets, filter)
  const show = printer(context, kinds)
  for await (const { type, object } of watch(api, { kinds: kinds.map(({ kind }) => kind), signal: stopping, say })) {
    if (type === 'BOOKMARK') show.settled()
    if (object && isWanted(object)) show.event(type, object)
  }
  throw new Interrupted(`stopped watching; go on with: ${context.commandLine}`)
}

function matcher(targets: Target[], { selector, environment }: Filter): (object: Resource) => boolean {
  const terms = termsOf(selector ?? '')
  const patterns = new Map(targets.map(({ kind, names }) => [kind.kind, names.map(globOf)]))
  return ({ kind, metadata }) => {
    const own = patterns.get(kind) ?? []
    return (
      selects(terms, metadata.labels) &&
      !(environment && metadata.environment && metadata.environment !== environment) &&
      (own.length === 0 || own.some((pattern) => pattern.test(metadata.name)))
    )
  }
}

function termsOf(selector: string) {
  try {
    return parseSelector(selector)
  } catch (error) {
    throw new McpgError('invalid', 'bad_selector', (error as Error).message)
  }
}

/** What is there at first is held until all of it is known, so that the columns fit. */
function printer({ settings, print }: Context, kinds: KindDeclaration[]) {
  const { output } = settings
  const tables = new Map(kinds.map((kind) => [kind.kind, { ...columnsOf(kind, { isWide: output === 'wide' }), ...growingTable() }]))
  let first: { type: string; object: Resource }[] | null = []
  let headed = ''
  return { event, settled }

  function event(type: string, object: Resource): void {
    if (output === 'json' || output === 'ndjson') print(JSON.stringify({ type, object }))
    else if (output === 'yaml')
      void import('./manifest/print-form.ts').then(({ toYaml }) => print(`---\n${toYaml({ type, object }).trimEnd()}`))
    else if (output === 'name') print(`${object.kind.toLowerCase()}/${object.metadata.name}`)
    else if (first) first.push({ type, object })
    else row(type, object)
  }

  function settled(): void {
    const held = first
    first = null
    for (const { type, object } of held ?? []) tables.get(object.kind)?.measure([type, ...tables.get(object.kind)!.cells(object)])
    held?.forEach(({ type, object }) => row(type, object))
  }

  function row(type: string, object: Resource): void {
    const found = tables.get(object.kind)
    if (!found) return
    if (headed !== object.kind) print(found.line(['EVENT', ...found.header.map((name) => name.toUpperCase())]))
    headed = object.kind
    print(found.line([type, ...found.cells(object)]))
  }
}
