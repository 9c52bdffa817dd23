import type { Field } from './field.ts'

/** What the schema demands beyond the type, so that one knows before one is refused: `At least 1, at most 10.` */
export function rulesInWords({ rules, isNullable, initial, kind }: Field): string {
  const of = (value: number | undefined, words: string, unit = '') => (value === undefined ? '' : `${words} ${value}${unit}`)
  const parts = [
    of(rules.minimum, 'at least'),
    of(rules.exclusiveMinimum, 'more than'),
    of(rules.maximum, 'at most'),
    of(rules.exclusiveMaximum, 'less than'),
    of(rules.multipleOf, 'a multiple of'),
    of(rules.minLength || undefined, 'at least', ' characters'),
    of(rules.maxLength, 'at most', ' characters'),
    of(rules.minItems || undefined, 'at least', ' items'),
    of(rules.maxItems, 'at most', ' items'),
    rules.format && kind === 'text' ? `format ${rules.format}` : '',
    rules.pattern ? `must match ${rules.pattern}` : '',
    isNullable ? 'may be null' : '',
    initial === undefined ? '' : `by default ${JSON.stringify(initial)}`,
  ].filter(Boolean)
  const text = parts.join(', ')
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
