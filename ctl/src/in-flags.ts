import { McpgError } from '@mcpg/proto/errors'
import { ApiError } from './failure.ts'

/** Rethrows why a request was refused, in the words of the flags that made its body: `/imageTag` is `--image-tag`. */
export function inFlags(body: object): (error: unknown) => never {
  const fields = Object.entries(body).filter(([, value]) => typeof value !== 'object')
  const flags = new Map(fields.map(([field]) => [`/${field}`, `--${field.replace(/[A-Z]/g, (one) => `-${one.toLowerCase()}`)}`]))
  const word = (pointer: string) => flags.get(pointer) ?? pointer
  return (error) => {
    if (!(error instanceof ApiError) || error.violations.length === 0) throw error
    const { code, reason, hint, cause, status, requestId } = error
    const message = error.message.replace(/(?<=^|: )\/[\w/]+/g, word)
    const violations = error.violations.map(({ pointer, detail }) => ({ pointer: word(pointer), detail }))
    throw new ApiError(new McpgError(code, reason, message, { ...(hint && { hint }), cause, violations, status }), requestId)
  }
}
