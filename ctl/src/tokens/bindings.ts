import { McpgError, type Violation } from '@mcpg/proto/errors'
import { Binding } from '@mcpg/proto/rest/tokens'

/** `role:<verb>,resource:<kind>[,name:<name>]` or `operation:<name>`, as often as the flag is given. Throws with all that cannot be read. */
export function readBindings(words: string[], flag = '--bind'): Binding[] {
  const violations: Violation[] = []
  const bindings = words.flatMap((word): Binding[] => {
    const parts = word.split(',').map((part) => /^\s*([a-z]+):(.+?)\s*$/.exec(part))
    const fields = Object.fromEntries(parts.map((part) => [part?.[1] ?? '', part?.[2]]))
    const read = parts.every((part) => part !== null) ? Binding.safeParse(fields) : null
    if (read?.success) return [read.data]
    violations.push({ pointer: flag, detail: `"${word}" is no binding` })
    return []
  })
  if (violations.length === 0) return bindings
  throw new McpgError('invalid', 'usage', `${violations.length === 1 ? 'A binding' : 'Bindings'} cannot be read.`, {
    violations,
    hint: `write it like ${flag} role:view,resource:servers or ${flag} role:run,resource:tools,name:files__read or ${flag} operation:logs`,
  })
}
