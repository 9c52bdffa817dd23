/**
 * Status is what programs of other versions reported, so nothing in it is certain to be there: these read a value of the expected
 * shape or its empty one.
 */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
export const numberOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)
export const findNumber = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
export const textsOf = (value: unknown): string[] => listOf(value).filter((one) => typeof one === 'string')
export const recordOf = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
export const recordsOf = (value: unknown): Record<string, unknown>[] => listOf(value).map(recordOf)
export const labelsOf = (value: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(recordOf(value)).flatMap(([key, one]) => (typeof one === 'string' ? [[key, one]] : [])))
