import type { Violation } from '@mcpg/proto/errors'
import type { Flag } from './flags.ts'
import { mapValues } from './schema.ts'
import { asJson, BadValue, isObject, readValue, splitOnce } from './value.ts'

export type Typed = { flag: Flag; value: string | boolean | string[] }

/**
 * The spec that the flags say on top of another, and everything that cannot be read in them. Flags of whole objects come before those of
 * their fields.
 */
export function readSpec(typed: Typed[], base: Record<string, unknown> = {}): { spec: Record<string, unknown>; violations: Violation[] } {
  const spec = structuredClone(base)
  const violations: Violation[] = []
  for (const one of typed) {
    try {
      set(spec, one.flag.path, read(one))
    } catch (error) {
      if (!(error instanceof BadValue)) throw error
      violations.push({ pointer: `--${one.flag.flag}`, detail: error.message })
    }
  }
  return { spec, violations }
}

function read({ flag: { takes, schema, path }, value }: Typed): unknown {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string') return takes === 'value' ? readOne(value) : value
  if (takes === 'map') return Object.assign({}, ...value.map(readPair)) as unknown
  const [first = ''] = value
  if (value.length === 1) return asJson(first, Array.isArray) ?? readSingle(first)
  return value.map((text) => readValue(itemsOf(), text))

  /** An object may be called like the most important of its fields. */
  function readOne(text: string): unknown {
    const field = path.at(-1) ?? ''
    const same = schema.properties?.[field]
    return same && asJson(text, isObject) === undefined && !text.startsWith(`${field}=`)
      ? { [field]: readValue(same, text) }
      : readValue(schema, text)
  }

  /** Where a field takes a text or a list, one text is the text. */
  function readSingle(text: string): unknown {
    return schema.anyOf?.some(({ type }) => type === 'string') ? text : [readValue(itemsOf(), text)]
  }

  function itemsOf() {
    return (schema.type === 'array' ? schema : schema.anyOf?.find(({ type }) => type === 'array'))?.items ?? {}
  }

  function readPair(text: string): Record<string, unknown> {
    const whole = asJson(text, isObject)
    if (whole) return whole
    const [key, rest] = splitOnce(text)
    if (key === undefined) throw new BadValue(`holds "${text}", which is not key=value`)
    return { [key]: readValue(mapValues(schema) ?? {}, rest) }
  }
}

function set(target: Record<string, unknown>, [field = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) target[field] = mergeNamed(target[field], value)
  else set((target[field] ??= {}) as Record<string, unknown>, rest, value)
}

/** What has a name takes the place of what was called so before; every other list, and all else, is replaced whole. */
function mergeNamed(before: unknown, after: unknown): unknown {
  if (!Array.isArray(before) || !Array.isArray(after)) return after
  const nameOf = (one: unknown) => (isObject(one) && typeof one['name'] === 'string' ? one['name'] : undefined)
  const names = new Set(after.map(nameOf))
  if ([...before, ...after].some((one) => nameOf(one) === undefined)) return after
  return [...(before as unknown[]).filter((one) => !names.has(nameOf(one))), ...(after as unknown[])]
}

/** `/spec/package/name` of a violation as the flag that said it. */
export function asFlag({ pointer, detail }: Violation, flags: Flag[]): Violation {
  const [, ...path] = pointer.split('/').slice(1)
  const meant = flags
    .filter((flag) => flag.path.every((part, index) => part === path[index]))
    .sort((a, b) => b.path.length - a.path.length)[0]
  if (!meant) return { pointer: pointer === '/metadata/name' ? 'name' : pointer.replace(/^\/spec$/, ''), detail }
  const inner = path.slice(meant.path.length).join('/')
  return { pointer: `--${meant.flag}`, detail: inner === '' ? detail : `${inner} ${detail}` }
}
