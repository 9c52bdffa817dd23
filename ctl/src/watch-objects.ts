import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import { parseSelector, selects } from '@mcpg/proto/selectors'
import type { Api } from './api/client.ts'
import type { Filter } from './api/objects.ts'
import { watch } from './api/watch.ts'
import type { Context } from './context.ts'
import { Interrupted } from './failure.ts'
import { columnsOf } from './output/print-resources.ts'
import { table } from './output/table.ts'

/** Prints objects and then every change, until Ctrl-C: a line of the table for each, or with -o json|ndjson one event a line. */
export async function watchObjects(
  context: Context,
  api: Api,
  kinds: KindDeclaration[],
  { selector, names = [], environment }: Filter,
): Promise<void> {
  const { settings, print, say, stopping } = context
  const terms = parseSelector(selector ?? '')
  const isJson = settings.output === 'json' || settings.output === 'ndjson'
  const patterns = names.map(
    (name) =>
      new RegExp(
        `^${name
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
      ),
  )
  let headed = ''
  for await (const { type, object } of watch(api, { kinds: kinds.map(({ kind }) => kind), signal: stopping, say })) {
    if (!object || !isWanted(object)) continue
    if (isJson) print(JSON.stringify({ type, object }))
    else if (settings.output === 'name') print(`${object.kind.toLowerCase()}/${object.metadata.name}`)
    else printRow(type, object)
  }
  throw new Interrupted(`stopped watching; go on with: ${context.commandLine}`)

  function isWanted({ metadata }: Resource): boolean {
    if (!selects(terms, metadata.labels)) return false
    if (environment && metadata.environment && metadata.environment !== environment) return false
    return patterns.length === 0 || patterns.some((pattern) => pattern.test(metadata.name))
  }

  function printRow(type: string, object: Resource): void {
    const kind = kinds.find((one) => one.kind === object.kind)
    if (!kind) return
    const { header, cells } = columnsOf(kind, settings.output === 'wide')
    // A line is printed once and never moved, so the columns have a width of their own.
    const [head = '', row = ''] = table(['event', ...header], [[type, ...cells(object)].map((cell) => cell.padEnd(14))])
    if (headed !== kind.kind) print(head)
    headed = kind.kind
    print(row)
  }
}
