import type { DocumentEntry } from './compile.ts'

/**
 * How long new and changed servers must stay ready: 0 where there is nothing to go back to, and for a config that only takes servers
 * away or stops them.
 */
export function probationFor(
  lkg: ReadonlyMap<string, DocumentEntry> | 'none' | 'unknown',
  next: ReadonlyMap<string, DocumentEntry>,
  probationMs: number,
): number {
  if (lkg === 'none') return 0
  if (lkg === 'unknown') return probationMs
  const gates = [...next.values()].some((entry) => !entry.stopped && lkg.get(entry.name)?.subHash !== entry.subHash)
  return gates ? probationMs : 0
}
