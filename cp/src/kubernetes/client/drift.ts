import type { KubernetesObject } from '../objects/workload.ts'

/** Written by the server with every change, and no wish of ours. */
const bookkeeping = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink']

/** Where two states of an object differ, as JSON pointers; what only the server writes is left out. */
export function differences(found: KubernetesObject, wanted: KubernetesObject): string[] {
  return [...walk(bare(found), bare(wanted), '')]
}

function bare(object: KubernetesObject): unknown {
  const metadata = Object.entries(object.metadata).filter(([key]) => !bookkeeping.includes(key))
  return { ...object, status: undefined, metadata: Object.fromEntries(metadata) }
}

function* walk(a: unknown, b: unknown, pointer: string): Generator<string> {
  if (a === b) return
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b))
    return void (yield pointer)
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)]))
    yield* walk(left[key], right[key], `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
}
