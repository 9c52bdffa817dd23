import type { FieldDiff } from '@mcpg/proto/rest/apply'

/**
 * The one differ: every difference between two JSON values as pointers, over whatever fields they have. Objects are compared by key,
 * arrays by index; an element that is only on one side is one difference.
 */
export function differences(before: unknown, after: unknown, pointer = ''): FieldDiff[] {
  if (Object.is(before, after)) return []
  if (Array.isArray(before) && Array.isArray(after))
    return Array.from({ length: Math.max(before.length, after.length) }).flatMap((_, index) =>
      differences(before[index], after[index], `${pointer}/${index}`),
    )
  if (isRecord(before) && isRecord(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...keys].flatMap((key) => differences(own(before, key), own(after, key), `${pointer}/${escapePointer(key)}`))
  }
  return [{ path: pointer, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
}

/** RFC 6901. */
export const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const own = (record: Record<string, unknown>, key: string): unknown => (Object.hasOwn(record, key) ? record[key] : undefined)
