import { expect, it } from 'vitest'
import { failureOf, readAnswer } from './answer-text.ts'

it.each([
  ['id first', '{"jsonrpc":"2.0","id":7,"result":{"a":1}}', { id: 7, json: '{"a":1}' }],
  ['result first', '{"result":{"a":1},"jsonrpc":"2.0","id":7}', { id: 7, json: '{"a":1}' }],
  ['with a carriage return', '{"jsonrpc":"2.0","id":7,"result":{}}\r', { id: 7, json: '{}' }],
  ['with the text of an answer inside', '{"result":{"t":",\\"jsonrpc\\":\\"2.0\\",\\"id\\":9}"},"jsonrpc":"2.0","id":7}', { id: 7 }],
])('keeps the text of a result: %s', (_name, line, expected) => {
  const answer = readAnswer(line)
  expect(answer).toMatchObject(expected)
  expect(JSON.parse(answer!.json)).toEqual(answer!.result)
})

it.each([
  ['an error', '{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no"}}'],
  ['a request', '{"jsonrpc":"2.0","id":7,"method":"ping"}'],
  ['a string as id', '{"jsonrpc":"2.0","id":"7","result":{}}'],
  ['a result that is no object', '{"jsonrpc":"2.0","id":7,"result":[1]}'],
  ['fields behind the result', '{"jsonrpc":"2.0","id":7,"result":{},"id":8}'],
  ['two results', '{"result":{},"result":{"b":1},"jsonrpc":"2.0","id":7}'],
  ['spaces', '{ "jsonrpc": "2.0", "id": 7, "result": {} }'],
  ['half a line', '{"jsonrpc":"2.0","id":7,"result":{"a":'],
  ['nothing', ''],
])('leaves %s to the full parser', (_name, line) => {
  expect(readAnswer(line)).toBeNull()
})

it('gives an error the shape a careless server left out', () => {
  expect(failureOf('boom')).toMatchObject({ code: -32603 })
  expect(failureOf({ code: 5, message: 'x', data: { y: 1 } })).toEqual({ code: 5, message: 'x', data: { y: 1 } })
})
