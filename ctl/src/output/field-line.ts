import type { FieldDiff } from '@mcpg/proto/rest/apply'
import { oneLine } from './table.ts'

/** One field that differs, on one line. */
export function fieldLine({ path, before, after }: FieldDiff): string {
  if (before === undefined) return `+ ${path}: ${short(after)}`
  if (after === undefined) return `- ${path}: ${short(before)}`
  return `~ ${path}: ${short(before)} → ${short(after)}`
}

function short(value: unknown): string {
  const text = oneLine(JSON.stringify(value) ?? '')
  return text.length <= 160 ? text : `${text.slice(0, 159)}…`
}
