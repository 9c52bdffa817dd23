import { ServerSpec } from '@mcpg/proto/kinds/server'

/** What is wrong with the spec of a stored server, for those who read it before a compile has; undefined when nothing is. */
export function specErrorOf(spec: unknown): string | undefined {
  const parsed = ServerSpec.safeParse(spec)
  if (parsed.success) return undefined
  return parsed.error.issues.map(({ path, message }) => `/${['spec', ...path].join('/')} ${message}`).join('; ')
}
