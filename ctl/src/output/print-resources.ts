import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import type { Found } from '../api/targets.ts'
import type { Context } from '../context.ts'
import { relative } from './age.ts'
import { table } from './table.ts'

export type PrintOptions = {
  /** One object was asked for by name, so JSON is that object and no list. */
  isSingle?: boolean
  withWorkspace?: boolean
  /** Every kind was asked for, so that an empty answer does not list them. */
  isAll?: boolean
}

/** Prints lists in the wanted form; in tables of several kinds each name says its kind. */
export async function printResources(
  { settings, print, say }: Context,
  lists: Found[],
  { isSingle = false, withWorkspace = false, isAll = false }: PrintOptions = {},
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
      if (filled.length === 0) say(`${isAll ? 'nothing' : `no ${lists.map(({ kind }) => kind.plural).join(', ')}`} found`)
      const columns = { isWide: settings.output === 'wide', withWorkspace, withKind: lists.length > 1 }
      filled.forEach((list, index) => {
        if (index > 0) print('')
        printTable(list, columns, print)
      })
    }
  }
}

type Columns = { isWide: boolean; withWorkspace?: boolean; withKind?: boolean }

/** Header and cells of a kind's table. */
export function columnsOf(
  kind: KindDeclaration,
  { isWide, withWorkspace = false, withKind = false }: Columns,
): { header: string[]; cells: (resource: Resource) => string[] } {
  const columns = kind.columns.filter((column) => isWide || !column.wide)
  const prefix = (name: string) => (withKind && name === 'name' ? `${kind.kind.toLowerCase()}/` : '')
  return {
    header: [...(withWorkspace ? ['workspace'] : []), ...columns.map(({ name }) => name)],
    cells: (resource) => [
      ...(withWorkspace ? [resource.metadata.workspace ?? ''] : []),
      ...columns.map(({ name, value }) => `${prefix(name)}${isWide ? value(resource) : relative(value(resource))}`),
    ],
  }
}

function printTable({ kind, resources }: Found, columns: Columns, print: (line: string) => void): void {
  const { header, cells } = columnsOf(kind, columns)
  table(header, resources.map(cells)).forEach((line) => print(line))
}
