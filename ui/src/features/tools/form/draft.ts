import { recordOf } from '../../../lib/objects/reported.ts'
import type { Field, GroupField } from './field.ts'
import { pointerOf, valueAt, withValueAt, type Path } from './place.ts'

/**
 * What somebody has filled in so far. `value` is the truth of every view of it, so that changing views loses nothing, fields no form
 * knows included; `texts` are what was typed by pointer, for what is no value yet (`1e`) or was written its own way (`1.50`);
 * `raw` is the text of the whole while it is edited as JSON.
 */
export type Draft = { value: Record<string, unknown>; texts: Record<string, string>; raw: string | undefined }

/** `problem` says what is wrong with a text that is no value. */
export type Parsed = { value: unknown; problem?: never } | { problem: string; value?: never }

export const newDraft = (form: GroupField): Draft => ({ value: recordOf(initialOf(form)), texts: {}, raw: undefined })

/** Defaults of the schema, and what a required field can only be. */
export function initialOf(field: Field): unknown {
  if (field.initial !== undefined) return field.initial
  if (field.kind === 'choice' && field.isRequired && field.choices.length === 1) return field.choices[0]!.value
  if (field.kind !== 'group' || !field.isRequired) return undefined
  const entries = field.fields.flatMap((one) => {
    const value = initialOf(one)
    return value === undefined ? [] : [[one.key, value] as const]
  })
  return Object.fromEntries(entries)
}

/** What is sent: required groups are there even if nothing in them was filled in. */
export function completed(field: Field, value: unknown): unknown {
  if (field.kind !== 'group') return value
  if (value === undefined && !field.isRequired) return undefined
  if (value !== undefined && !isRecord(value)) return value
  const filled = field.fields.flatMap((one) => {
    const inner = completed(one, valueAt(value, [one.key]))
    return inner === undefined ? [] : [[one.key, inner] as const]
  })
  return { ...value, ...Object.fromEntries(filled) }
}

export const argumentsOf = (form: GroupField, draft: Draft) => recordOf(completed(form, draft.value))

export function parseText(field: Field, text: string): Parsed {
  if (field.kind === 'text') return { value: text === '' && field.key !== '' ? undefined : text }
  const trimmed = text.trim()
  if (trimmed === '') return { value: undefined }
  if (field.kind === 'number') return parseNumber(trimmed, field.isInteger)
  return parseJson(trimmed)
}

function parseNumber(text: string, isInteger: boolean): Parsed {
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return { problem: `“${text}” is not a number.` }
  const value = Number(text)
  if (!Number.isFinite(value)) return { problem: `${text} is too big for a number.` }
  if (isInteger && !Number.isInteger(value)) return { problem: 'It must be a whole number.' }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return { problem: `${text} would arrive rounded, as ${value}.` }
  return { value }
}

export function parseJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    return { problem: `It is no JSON yet: ${(error as Error).message}` }
  }
}

/** Somebody typed into a field; a text that is no value yet is kept as a text. */
export function typed(draft: Draft, field: Field, path: Path, text: string): Draft {
  const { value } = parseText(field, text)
  const next = chosen(draft, path, value)
  return field.kind === 'text' ? next : { ...next, texts: { ...next.texts, [pointerOf(path)]: text } }
}

/** A field got a value as a whole; `undefined` empties it. */
export function chosen(draft: Draft, path: Path, value: unknown): Draft {
  const pointer = pointerOf(path)
  const texts = Object.fromEntries(Object.entries(draft.texts).filter(([key]) => key !== pointer && !key.startsWith(`${pointer}/`)))
  return { ...draft, texts, value: recordOf(withValueAt(draft.value, path, value)) }
}

/** Takes an item out of a list; the texts typed into those behind it move up with them. */
export function withoutItem(draft: Draft, path: Path, index: number): Draft {
  const list = valueAt(draft.value, path)
  const kept = Array.isArray(list) ? list.filter((_, at) => at !== index) : []
  const prefix = `${pointerOf(path)}/`
  const texts = Object.entries(draft.texts).flatMap(([key, text]): [string, string][] => {
    if (!key.startsWith(prefix)) return [[key, text]]
    const [at = '', ...rest] = key.slice(prefix.length).split('/')
    if (Number(at) === index) return []
    return [[Number(at) > index ? [`${prefix}${Number(at) - 1}`, ...rest].join('/') : key, text]]
  })
  return { ...draft, texts: Object.fromEntries(texts), value: recordOf(withValueAt(draft.value, path, kept)) }
}

/** What a field shows: the text as it was typed as long as it means the value that is there, else that value. */
export function textAt(draft: Draft, field: Field, path: Path): string {
  const value = valueAt(draft.value, path)
  const text = draft.texts[pointerOf(path)]
  if (text !== undefined && isSame(parseText(field, text).value, value)) return text
  if (value === undefined) return ''
  if (field.kind === 'text' && typeof value === 'string') return value
  return JSON.stringify(value, null, 2)
}

/** The text of a field that is no value, and what is wrong with it. */
export function problemAt(draft: Draft, field: Field, path: Path): string | undefined {
  const text = draft.texts[pointerOf(path)]
  return text === undefined || valueAt(draft.value, path) !== undefined ? undefined : parseText(field, text).problem
}

export const openRaw = (form: GroupField, draft: Draft): Draft => ({
  ...draft,
  raw: JSON.stringify(argumentsOf(form, draft), null, 2),
})

/** Everything as JSON was edited; the value follows whenever the text is one. */
export function writeRaw(draft: Draft, raw: string): Draft {
  const { value } = parseJson(raw)
  return isRecord(value) ? { ...draft, raw, value } : { ...draft, raw }
}

/** Why the text of the whole cannot be shown as a form; undefined when it can. */
export function rawProblem({ raw }: Draft): string | undefined {
  if (raw === undefined) return undefined
  const { value, problem } = parseJson(raw)
  return problem ?? (isRecord(value) ? undefined : 'Arguments are one JSON object: { … }.')
}

export const closeRaw = (draft: Draft): Draft => (rawProblem(draft) ? draft : { ...draft, raw: undefined })

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
