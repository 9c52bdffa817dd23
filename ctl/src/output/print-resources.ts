import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import type { Context } from '../context.ts'
import { relative } from './age.ts'
import { table } from './table.ts'

export type Listed = { kind: KindDeclaration; resources: Resource[] }

/** Prints lists in the wanted form. `isSingle`: one object was asked for by name, so JSON is that object and no list. */
export async function printResources(
  { settings, print, say }: Context,
  lists: Listed[],
  isSingle: boolean,
  withWorkspace = false,
): Promise<void> {
  const all = lists.flatMap(({ resources }) => resources)
  switch (settings.output) {
    case 'json':
      return print(JSON.stringify(isSingle && all.length === 1 ? all[0] : { items: all }, null, 2))
    case 'ndjson':
      return all.forEach((resource) => print(JSON.stringify(resource)))
    case 'yaml': {
      const { groupedYaml } = await import('../manifest/print-form.ts')
      return print(groupedYaml(all).trimEnd())
    }
    case 'name':
      return lists.forEach(({ kind, resources }) =>
        resources.forEach(({ metadata }) => print(`${kind.kind.toLowerCase()}/${metadata.name}`)),
      )
    default: {
      const filled = lists.filter(({ resources }) => resources.length > 0)
      if (filled.length === 0) say(`no ${lists.map(({ kind }) => kind.plural).join(', ')} found`)
      filled.forEach((list, index) => {
        if (index > 0) print('')
        printTable(list, settings.output === 'wide', withWorkspace, print)
      })
    }
  }
}

/** Header and cells of a kind's table. */
export function columnsOf(
  kind: KindDeclaration,
  isWide: boolean,
  withWorkspace = false,
): { header: string[]; cells: (resource: Resource) => string[] } {
  const columns = kind.columns.filter((column) => isWide || !column.wide)
  return {
    header: [...(withWorkspace ? ['workspace'] : []), ...columns.map(({ name }) => name)],
    cells: (resource) => [
      ...(withWorkspace ? [resource.metadata.workspace ?? ''] : []),
      ...columns.map(({ value }) => (isWide ? value(resource) : relative(value(resource)))),
    ],
  }
}

function printTable({ kind, resources }: Listed, isWide: boolean, withWorkspace: boolean, print: (line: string) => void): void {
  const { header, cells } = columnsOf(kind, isWide, withWorkspace)
  table(header, resources.map(cells)).forEach((line) => print(line))
}
