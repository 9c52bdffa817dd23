import { recordOf } from '../../../lib/objects/reported.ts'

/** Where a value stands in the arguments: property names and positions in lists. */
export type Path = readonly (string | number)[]

/** RFC 6901. */
export const pointerOf = (path: Path) => path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

export function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const part of path) at = Array.isArray(at) ? at[Number(part)] : Object.hasOwn(recordOf(at), part) ? recordOf(at)[part] : undefined
  return at
}

/**
 * The same value with another one at a place; what lies around it is copied, what is missing on the way is made. `undefined` removes,
 * and a group that lost its last value goes with it: nobody filled it in.
 */
export function withValueAt(value: unknown, path: Path, next: unknown): unknown {
  const [part, ...rest] = path
  if (part === undefined) return next
  if (typeof part === 'number') {
    const list: unknown[] = Array.isArray(value) ? [...(value as unknown[])] : []
    list[part] = withValueAt(list[part], rest, next)
    return list
  }
  const inner = withValueAt(valueAt(value, [part]), rest, next)
  const { [part]: _, ...others } = recordOf(value)
  if (inner !== undefined && !(next === undefined && isEmptyGroup(inner))) return { ...recordOf(value), [part]: inner }
  return others
}

const isEmptyGroup = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
