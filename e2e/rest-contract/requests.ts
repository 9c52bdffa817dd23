import fc, { type Arbitrary } from 'fast-check'
import type { Operation } from './operations.ts'
import { mutated, valuesOf } from './schema-values.ts'

export type Request = { path: string; body: { text: string; type: string } | null }

/** Names that stand for something, by the parameter of the path; a name of an object by the plural before it. */
export type Known = (operation: Operation, parameter: string) => string[]

const odd = fc.constantFrom('..', '%00', 'no such', 'Ünïcode', '-', 'x'.repeat(300), "a' OR 1=1 --", 'new', '*', '__proto__')

/** Requests to an operation: most with what its schemas ask for, some with something wrong in them. */
export function requestsTo(operation: Operation, known: Known): Arbitrary<Request> {
  const path = operation.parameters
    .filter((one) => one.in === 'path')
    .map(({ name }) => {
      const names = known(operation, name)
      const wrong = fc.oneof(fc.string({ minLength: 1, maxLength: 30 }), odd)
      const value =
        names.length > 0 ? fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: wrong }) : wrong
      return value.map((text): [string, string] => [name, text])
    })
  const query = operation.parameters
    .filter((one) => one.in === 'query')
    .map(({ name, required, schema }) => {
      const wrong = fc.string({ maxLength: 30 })
      const value = fc.oneof({ weight: 3, arbitrary: valuesOf(schema).map(String) }, { weight: 1, arbitrary: wrong })
      return fc.option(value, { freq: required ? 20 : 1 }).map((text): [string, string | null] => [name, text])
    })
  return fc.tuple(fc.tuple(...path), fc.tuple(...query), bodyOf(operation)).map(([places, asked, body]) => {
    const filled = places.reduce((url, [name, text]) => url.replace(`{${name}}`, encodeURIComponent(text)), operation.path)
    const given = new URLSearchParams(asked.filter((pair): pair is [string, string] => pair[1] !== null))
    return { path: given.size > 0 ? `${filled}?${given}` : filled, body }
  })
}

function bodyOf({ method, body }: Operation): Arbitrary<Request['body']> {
  if (!body || method === 'GET') return fc.constant(null)
  const json = (value: unknown) => ({ text: JSON.stringify(value) ?? 'null', type: 'application/json' })
  const valid = valuesOf(body)
  return fc.oneof(
    { weight: 5, arbitrary: valid.map(json) },
    { weight: 3, arbitrary: valid.chain(mutated).map(json) },
    { weight: 1, arbitrary: fc.constantFrom('{', '', '[', '"', '{"a":1}}', '\u0000').map((text) => ({ text, type: 'application/json' })) },
    { weight: 1, arbitrary: valid.map((value) => ({ ...json(value), type: 'text/plain' })) },
  )
}
