import { parseJson, isRecord, isSame, problemAt, rawProblem, type Draft } from './draft.ts'
import type { Field, GroupField, Rules } from './field.ts'
import { pointerOf, valueAt, type Path } from './place.ts'

/** One thing that the schema does not allow, by the pointer of its field; the pointer of the whole is empty. */
export type Violation = { pointer: string; message: string }

/** Everything that is wrong at once. The server has the last word: a schema may say less than its server demands. */
export function check(form: GroupField, draft: Draft): Violation[] {
  const problem = rawProblem(draft)
  if (problem) return [{ pointer: '', message: problem }]
  // In the JSON of the whole there are no half-typed fields.
  const texts = draft.raw === undefined ? draft.texts : {}
  return checkField({ ...draft, texts }, form, [])
}

function checkField(draft: Draft, field: Field, path: Path): Violation[] {
  const value = valueAt(draft.value, path)
  const at = (message: string | undefined) => (message ? [{ pointer: pointerOf(path), message }] : [])
  const problem = problemAt(draft, field, path)
  if (problem) return at(problem)
  if (value === undefined) {
    if (field.kind === 'group' && field.isRequired) return field.fields.flatMap((one) => checkField(draft, one, [...path, one.key]))
    return at(field.isRequired ? 'It is required.' : undefined)
  }
  if (value === null && field.isNullable) return []
  if (!fits(field, value)) return at(`It must be ${nounOf(field)}.`)
  switch (field.kind) {
    case 'text':
      return at(textProblem(value as string, field.rules))
    case 'number':
      return at(numberProblem(value as number, field.rules))
    case 'group':
      return field.fields.flatMap((one) => checkField(draft, one, [...path, one.key]))
    case 'list': {
      const items = value as unknown[]
      return [
        ...at(countProblem(items.length, field.rules)),
        ...items.flatMap((_, index) => checkField(draft, field.item, [...path, index])),
      ]
    }
    case 'choices':
      return at(countProblem((value as unknown[]).length, field.rules))
    default:
      return []
  }
}

/** Whether the editor of a field can show a value; one that it cannot show is shown as JSON, not thrown away. */
export function fits(field: Field, value: unknown): boolean {
  if (value === undefined || field.kind === 'json') return true
  switch (field.kind) {
    case 'text':
      return typeof value === 'string'
    case 'number':
      return typeof value === 'number' && (!field.isInteger || Number.isInteger(value))
    case 'choice':
      return field.choices.some((one) => isSame(one.value, value))
    case 'choices':
      return Array.isArray(value) && value.every((item) => field.choices.some((one) => isSame(one.value, item)))
    case 'list':
      return Array.isArray(value)
    case 'group':
      return isRecord(value)
  }
}

function nounOf(field: Field): string {
  switch (field.kind) {
    case 'text':
      return 'a text'
    case 'number':
      return field.isInteger ? 'a whole number' : 'a number'
    case 'choice':
      return `one of ${field.choices.map((one) => JSON.stringify(one.value)).join(', ')}`
    case 'choices':
      return `a list out of ${field.choices.map((one) => JSON.stringify(one.value)).join(', ')}`
    case 'list':
      return 'a list'
    default:
      return 'an object'
  }
}

function textProblem(value: string, { minLength, maxLength, pattern, format }: Rules): string | undefined {
  // JSON Schema counts characters, JavaScript halves of some.
  const { length } = Array.from(value)
  if (minLength !== undefined && length < minLength) return `It must have at least ${minLength} characters.`
  if (maxLength !== undefined && length > maxLength) return `It must have at most ${maxLength} characters, and has ${length}.`
  if (pattern !== undefined && !isMatch(pattern, value)) return `It must match ${pattern}.`
  const known = format === undefined ? undefined : formats[format]
  return known && !known.test(value) ? `It must be ${known.like}.` : undefined
}

function isMatch(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    // A pattern of another dialect: the server knows it.
    return true
  }
}

const matching = (pattern: RegExp) => (value: string) => pattern.test(value)
/** The parser takes 31 February for 3 March; what comes back differs then. */
const isDate = (value: string) =>
  /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)) && new Date(value).toISOString().startsWith(value)

/** Formats that can be told from the text alone; others are the server's. */
const formats: Record<string, { test: (value: string) => boolean; like: string }> = {
  email: { test: matching(/^[^\s@]+@[^\s@]+$/), like: 'an e-mail address' },
  uri: { test: (value) => URL.canParse(value), like: 'an absolute address such as https://example.com/' },
  date: { test: isDate, like: 'a date such as 2026-11-28' },
  'date-time': {
    test: (value) => /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)$/.test(value) && isDate(value.slice(0, 10)),
    like: 'a time such as 2026-11-28T14:02:00Z',
  },
  time: { test: matching(/^\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)?$/), like: 'a time of day such as 14:02:00Z' },
  uuid: { test: matching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i), like: 'a UUID' },
  ipv4: { test: matching(/^((25[0-5]|2[0-4]\d|1?\d?\d)(\.(?!$)|$)){4}$/), like: 'an IPv4 address' },
  regex: { test: (value) => canCompile(value), like: 'a regular expression' },
  json: { test: (value) => parseJson(value).problem === undefined, like: 'JSON' },
}

function canCompile(pattern: string): boolean {
  try {
    return Boolean(new RegExp(pattern, 'u'))
  } catch {
    return false
  }
}

function numberProblem(value: number, rules: Rules): string | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = rules
  if (minimum !== undefined && value < minimum) return `It must be at least ${minimum}.`
  if (maximum !== undefined && value > maximum) return `It must be at most ${maximum}.`
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return `It must be more than ${exclusiveMinimum}.`
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) return `It must be less than ${exclusiveMaximum}.`
  if (multipleOf !== undefined && multipleOf > 0 && !isMultiple(value, multipleOf)) return `It must be a multiple of ${multipleOf}.`
  return undefined
}

/** 0.3 is a multiple of 0.1, whatever binary fractions think. */
function isMultiple(value: number, of: number): boolean {
  const quotient = value / of
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.max(1, Math.abs(quotient))
}

function countProblem(count: number, { minItems, maxItems }: Rules): string | undefined {
  if (minItems !== undefined && count < minItems) return `It must have at least ${minItems} items.`
  if (maxItems !== undefined && count > maxItems) return `It must have at most ${maxItems} items.`
  return undefined
}
