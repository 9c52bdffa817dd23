import { isObject, type Params } from './protocol.ts'
import type { McpFailure } from './connection.ts'

/** A successful answer, with the exact text of its result so that nobody has to write it again. */
export type ReadAnswer = { id: number; result: Params; json: string }

const idFirst = '{"jsonrpc":"2.0","id":'
const resultFirst = '{"result":'
const idLast = ',"jsonrpc":"2.0","id":'

/**
 * Reads the two spellings of a successful answer that practically every server uses, parsing only the result. Null for anything else,
 * which is then parsed whole. The slice between known text must be one JSON value by itself, so nothing can hide beside it.
 */
export function readAnswer(text: string): ReadAnswer | null {
  const end = text.charCodeAt(text.length - 1) === 13 ? text.length - 1 : text.length
  if (text.charCodeAt(end - 1) !== 125) return null
  if (text.startsWith(idFirst)) {
    const comma = text.indexOf(',', idFirst.length)
    if (!text.startsWith(',"result":{', comma)) return null
    return cut(text, idFirst.length, comma, comma + 10, end - 1)
  }
  if (!text.startsWith(resultFirst)) return null
  const tail = text.lastIndexOf(idLast)
  return tail === -1 ? null : cut(text, tail + idLast.length, end - 1, resultFirst.length, tail)
}

function cut(text: string, idStart: number, idEnd: number, start: number, end: number): ReadAnswer | null {
  const id = readId(text, idStart, idEnd)
  if (id === -1) return null
  const json = text.slice(start, end)
  try {
    const result = JSON.parse(json) as unknown
    return isObject(result) ? { id, result, json } : null
  } catch {
    return null
  }
}

/** Digits only: all our ids are small positive integers. -1 for anything else. */
function readId(text: string, start: number, end: number): number {
  if (end <= start || end - start > 15) return -1
  let id = 0
  for (let index = start; index < end; index++) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9) return -1
    id = id * 10 + digit
  }
  return id
}

/** The error of an answer, with what a careless server left out. */
export function failureOf(error: unknown): McpFailure {
  if (!isObject(error)) return { code: -32603, message: 'The server answered with an error that has no shape.' }
  const code = Number.isInteger(error['code']) ? (error['code'] as number) : -32603
  const message = typeof error['message'] === 'string' ? error['message'] : 'The server gave no message.'
  return error['data'] === undefined ? { code, message } : { code, message, data: error['data'] }
}
