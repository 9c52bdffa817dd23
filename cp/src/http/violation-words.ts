import type { z } from 'zod'

const formats: Record<string, string> = {
  email: 'must be an e-mail address, such as ada@example.com',
  url: 'must be a URL',
  datetime: 'must be a time in RFC 3339, such as 2026-01-31T12:00:00Z',
}
const types: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

/** What a schema says that says nothing of its own, as the end of a sentence that begins with the pointer. */
export function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_format':
      return formats[issue.format]
    case 'invalid_value':
      return issue.values.length === 1 ? `must be ${String(issue.values[0])}` : `must be one of ${issue.values.map(String).join(', ')}`
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : types[issue.expected] && `must be ${types[issue.expected]}`
    case 'too_small':
      if (issue.origin === 'string') return issue.minimum === 1 ? 'must not be empty' : `must have at least ${issue.minimum} characters`
      return issue.origin === 'number' ? `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}` : undefined
    case 'too_big':
      if (issue.origin === 'string') return `must have at most ${issue.maximum} characters`
      return issue.origin === 'number' ? `must be at most ${issue.maximum}` : undefined
    default:
      return undefined
  }
}
