import { sameJson } from '../resources/content.ts'
import { escapePointer, isRecord } from '../resources/differ.ts'

export type Merged = { value: unknown; conflicts: string[] }

/**
 * What both sides made of `base`. A side that changed nothing gives way to the other; objects are merged by key, everything else,
 * lists too, as a whole. Where both changed something differently `mine` stays and the pointer is a conflict.
 */
export function threeWay(base: unknown, mine: unknown, theirs: unknown, pointer = ''): Merged {
  if (same(mine, theirs) || same(base, theirs)) return { value: mine, conflicts: [] }
  if (same(base, mine)) return { value: theirs, conflicts: [] }
  if (!isRecord(mine) || !isRecord(theirs)) return { value: mine, conflicts: [pointer] }
  const before = isRecord(base) ? base : {}
  const merged: Record<string, unknown> = {}
  const conflicts: string[] = []
  for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    const one = threeWay(before[key], mine[key], theirs[key], `${pointer}/${escapePointer(key)}`)
    if (one.value !== undefined) merged[key] = one.value
    conflicts.push(...one.conflicts)
  }
  return { value: merged, conflicts }
}

const same = (one: unknown, other: unknown): boolean => (one === undefined || other === undefined ? one === other : sameJson(one, other))
