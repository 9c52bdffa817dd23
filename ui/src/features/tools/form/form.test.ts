import { describe, expect, it } from 'vitest'
import { check } from './check.ts'
import { argumentsOf, chosen, closeRaw, newDraft, openRaw, rawProblem, textAt, typed, withoutItem, writeRaw } from './draft.ts'
import { formOf, type Field } from './field.ts'

const field = (schema: unknown, others: object = {}): Field => formOf({ type: 'object', properties: { x: schema }, ...others }).fields[0]!
const required = (properties: Record<string, unknown>) => formOf({ type: 'object', properties, required: Object.keys(properties) })
const complaints = (form: ReturnType<typeof formOf>, value: Record<string, unknown>) =>
  check(form, { value, texts: {}, raw: undefined }).map((one) => `${one.pointer} ${one.message}`)

describe('form of a schema', () => {
  it.each([
    [{ type: 'string' }, 'text'],
    [{ type: 'integer' }, 'number'],
    [{ type: 'number' }, 'number'],
    [{ type: 'boolean' }, 'choice'],
    [{ enum: ['a', 'b'] }, 'choice'],
    [{ oneOf: [{ const: 'a', title: 'A' }] }, 'choice'],
    [{ type: 'array', items: { type: 'string' } }, 'list'],
    [{ type: 'array', items: { enum: ['a'] } }, 'choices'],
    [{ type: 'array', items: { anyOf: [{ const: 'a', title: 'A' }] } }, 'choices'],
    [{ type: 'object', properties: { y: { type: 'string' } } }, 'group'],
    [{ properties: { y: { type: 'string' } } }, 'group'],
    [{ type: 'object' }, 'json'],
    [{ type: 'array' }, 'json'],
    [{ type: 'array', prefixItems: [{ type: 'string' }] }, 'json'],
    [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, 'json'],
    [{ type: ['string', 'number'] }, 'json'],
    [{ allOf: [{ type: 'string' }, { minLength: 1 }] }, 'json'],
    [{ $ref: 'https://example.com/schema' }, 'json'],
    [{}, 'json'],
    [true, 'json'],
  ])('asks for %j by a %s field', (schema, kind) => expect(field(schema).kind).toBe(kind))

  it('takes off "or null" and remembers it', () => {
    for (const schema of [{ type: ['integer', 'null'] }, { anyOf: [{ type: 'integer' }, { type: 'null' }], default: null }])
      expect(field(schema)).toMatchObject({ kind: 'number', isInteger: true, isNullable: true, initial: undefined })
  })

  it('follows references within the schema, and words beside them win', () => {
    const $defs = { Color: { enum: ['red', 'green'], title: 'Color', description: 'Any' } }
    expect(field({ allOf: [{ $ref: '#/$defs/Color' }], description: 'Of the car', default: 'red' }, { $defs })).toMatchObject({
      kind: 'choice',
      label: 'Color',
      description: 'Of the car',
      initial: 'red',
    })
  })

  it('ends where a schema contains itself', () => {
    const form = formOf({ type: 'object', properties: { child: { $ref: '#' } } })
    let at: Field = form
    let depth = 0
    while (at.kind === 'group' && at.fields[0]) [at, depth] = [at.fields[0], depth + 1]
    expect([at.kind, depth]).toEqual(['json', 5])
    expect(field({ $ref: '#/properties/x' }).kind).toBe('json')
  })

  it('puts what is required first and shows titles of choices', () => {
    const form = formOf({ type: 'object', required: ['b'], properties: { a: {}, b: { enum: [1, 2], enumNames: ['One', 'Two'] } } })
    expect(form.fields.map((one) => one.key)).toEqual(['b', 'a'])
    expect(form.fields[0]).toMatchObject({
      choices: [
        { value: 1, label: 'One' },
        { value: 2, label: 'Two' },
      ],
    })
  })

  it('reads anything without breaking', () => {
    for (const schema of [undefined, null, [], 'x', 3, { type: 'string' }, { properties: 7, required: 'x' }])
      expect(formOf(schema).fields).toEqual([])
  })
})

describe('draft', () => {
  const form = formOf({
    type: 'object',
    required: ['n', 'place'],
    properties: {
      n: { type: 'number' },
      place: { type: 'object', properties: { city: { type: 'string' }, zip: { type: 'string' } } },
      more: { type: 'object', properties: { note: { type: 'string' } } },
      list: { type: 'array', items: { type: 'integer' } },
      mode: { enum: ['a', 'b'], default: 'b' },
    },
  })
  const one = (key: string) => form.fields.find((field) => field.key === key)!

  it('begins with the defaults and sends required groups even if they are empty', () => {
    expect(argumentsOf(form, newDraft(form))).toEqual({ mode: 'b', place: {} })
    expect(argumentsOf(required({ version: { const: 2 } }), newDraft(required({ version: { const: 2 } })))).toEqual({ version: 2 })
  })

  it('keeps a text that is no value as it was typed, and a number as it was written', () => {
    let draft = typed(newDraft(form), one('n'), ['n'], '1e')
    expect([draft.value['n'], textAt(draft, one('n'), ['n'])]).toEqual([undefined, '1e'])
    expect(check(form, draft)).toEqual([{ pointer: '/n', message: '“1e” is not a number.' }])
    draft = typed(draft, one('n'), ['n'], '1.50')
    expect([draft.value['n'], textAt(draft, one('n'), ['n'])]).toEqual([1.5, '1.50'])
  })

  it('removes what was emptied, and a group with its last value', () => {
    let draft = chosen(newDraft(form), ['more', 'note'], 'x')
    expect(draft.value['more']).toEqual({ note: 'x' })
    draft = chosen(draft, ['more', 'note'], undefined)
    expect('more' in draft.value).toBe(false)
  })

  it('moves the texts behind a removed item up', () => {
    const item = (one('list') as Extract<Field, { kind: 'list' }>).item
    let draft = chosen(newDraft(form), ['list'], [1, undefined, 3])
    draft = typed(draft, item, ['list', 1], 'abc')
    draft = withoutItem(draft, ['list'], 0)
    expect(textAt(draft, item, ['list', 0])).toBe('abc')
    expect(draft.value['list']).toEqual([undefined, 3])
  })

  it('loses nothing between form and JSON: neither unknown fields, nor half-typed ones, nor values of another type', () => {
    let draft = typed(newDraft(form), one('n'), ['n'], '12x')
    draft = openRaw(form, draft)
    draft = writeRaw(draft, '{"mode": "z", "unknown": [1], "list": "none", "n":')
    expect(rawProblem(draft)).toMatch(/^It is no JSON yet/)
    expect(closeRaw(draft).raw).toBe(draft.raw)
    draft = closeRaw(writeRaw(draft, '{"mode": "z", "unknown": [1], "list": "none"}'))
    expect([draft.raw, textAt(draft, one('n'), ['n'])]).toEqual([undefined, '12x'])
    expect(argumentsOf(form, draft)).toEqual({ mode: 'z', unknown: [1], list: 'none', place: {} })
    expect(textAt(draft, one('list'), ['list'])).toBe('"none"')
    draft = closeRaw(writeRaw(openRaw(form, draft), '{"n": 3}'))
    expect(textAt(draft, one('n'), ['n'])).toBe('3')
  })

  it('wants one object as the whole', () => {
    expect(rawProblem(writeRaw(newDraft(form), '[1]'))).toBe('Arguments are one JSON object: { … }.')
  })
})

describe('check', () => {
  it('names everything that is wrong at once, at its field', () => {
    const form = required({
      a: { type: 'string', minLength: 3 },
      b: { type: 'integer', minimum: 1 },
      c: { enum: ['x', 'y'] },
      d: { type: 'object', required: ['e'], properties: { e: { type: 'string', format: 'email' } } },
      f: { type: 'array', maxItems: 1, items: { type: 'number', multipleOf: 0.1 } },
      g: { type: 'string' },
    })
    expect(complaints(form, { a: 'no', b: 0, c: 'z', d: { e: 'nobody' }, f: [0.3, 0.35] })).toEqual([
      '/a It must have at least 3 characters.',
      '/b It must be at least 1.',
      '/c It must be one of "x", "y".',
      '/d/e It must be an e-mail address.',
      '/f It must have at most 1 items.',
      '/f/1 It must be a multiple of 0.1.',
      '/g It is required.',
    ])
    expect(complaints(form, { a: 'yes', b: 1, c: 'x', d: { e: 'a@b' }, f: [0.3], g: 'x' })).toEqual([])
  })

  it('lets optional groups be absent, and wants their required fields only when they are there', () => {
    const form = formOf({
      properties: { d: { type: 'object', required: ['e'], properties: { e: { type: 'string' }, f: { type: 'string' } } } },
    })
    expect(complaints(form, {})).toEqual([])
    expect(complaints(form, { d: { f: 'x' } })).toEqual(['/d/e It is required.'])
  })

  it.each([
    ['9007199254740993', '9007199254740993 would arrive rounded, as 9007199254740992.'],
    ['1e400', '1e400 is too big for a number.'],
    ['1.5', 'It must be a whole number.'],
  ])('refuses %s as a whole number', (text, message) => {
    const form = required({ n: { type: 'integer' } })
    expect(check(form, typed(newDraft(form), form.fields[0]!, ['n'], text))).toEqual([{ pointer: '/n', message }])
  })

  it.each([
    ['date', '2026-02-31', false],
    ['date', '2026-02-28', true],
    ['date-time', '2026-11-28T14:02:00Z', true],
    ['date-time', 'tomorrow', false],
    ['uri', '/relative', false],
    ['uuid', '3f2504e0-4f89-41d3-9a0c-0305e82c3301', true],
    ['ipv4', '256.0.0.1', false],
    ['ipv4', '10.0.0.1', true],
    ['a format of its own', 'anything', true],
  ])('takes %s %s: %s', (format, value, isRight) => {
    expect(complaints(required({ x: { type: 'string', format } }), { x: value }).length === 0).toBe(isRight)
  })

  it('counts characters, not their halves, and leaves patterns of other dialects to the server', () => {
    expect(complaints(required({ x: { type: 'string', maxLength: 2 } }), { x: '👍👍' })).toEqual([])
    expect(complaints(required({ x: { type: 'string', pattern: '(?i)abc' } }), { x: 'ABC' })).toEqual([])
    expect(complaints(required({ x: { type: 'string', pattern: '^a+$' } }), { x: 'b' })).toEqual(['/x It must match ^a+$.'])
  })
})
